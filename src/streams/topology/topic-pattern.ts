/** Which topics a source reads by their names. A `RegExp` is one; it must match the whole name, as in Kafka Streams. */
export interface TopicPattern {
  /** The pattern's text, for people. */
  readonly source: string;
  test(topic: string): boolean;
}

/** The same pattern, for whole names and without a memory of what it matched last. */
export function wholeName(pattern: TopicPattern): TopicPattern {
  if (!(pattern instanceof RegExp)) return pattern;
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replaceAll(/[gy]/g, ''));
  return { source: pattern.source, test: (topic) => whole.test(topic) };
}
