import { shown } from '../topology/record-time.ts';
import { TopologyError } from '../topology/topology-error.ts';

/**
 * The numbers among what the DSL is given: whole ones, for a window of half a millisecond, of `'1000'` or of NaN would not
 * fail but group, join and forget in its own way.
 */

/** `value` when it is a whole number of at least `min`. Throws `TopologyError` that begins with `what`. */
export function wholeNumber(value: number, what: string, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  const least = min === -Infinity ? '' : ` of at least ${min}`;
  throw new TopologyError(`${what} is ${shown(value)}`, `give a whole number${least}`);
}

/** As `wholeNumber`; `Infinity` too: without end, or without bound. */
export function wholeOrEndless(value: number, what: string, min: number): number {
  return value === Infinity ? value : wholeNumber(value, what, min);
}
