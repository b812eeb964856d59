import { DataError } from '../common/error.ts';

/**
 * What the quote at `start` of a date or time pattern begins, as Java's patterns quote: text until the next single quote, two
 * quotes in it being one, or just one quote where another follows at once. `next` is where the pattern goes on. Throws `DataError`.
 */
export function quotedText(
  pattern: string,
  start: number,
  kind: 'date' | 'time',
): { text: string; next: number } {
  if (pattern[start + 1] === "'") return { text: "'", next: start + 2 };
  let text = '';
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] !== "'") text += pattern[at];
    else if (pattern[at + 1] === "'") {
      text += "'";
      at++;
    } else return { text, next: at + 1 };
  }
  throw new DataError(`the ${kind} pattern ${pattern} has a quote that does not end`);
}
