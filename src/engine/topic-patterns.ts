/** A list of topic names and patterns, separated by commas; each stands for whole names. Throws `SyntaxError`. */
export function topicPatterns(list: string | null): readonly RegExp[] {
  return (list ?? '')
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map((pattern) => new RegExp(`^(?:${pattern})$`));
}
