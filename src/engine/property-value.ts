import { describeRange, readWholeNumber, type WholeRange } from '../common/whole-number.ts';

/** The values that a property may have. */
export interface PropertyValue {
  /** To stand behind "must be". */
  readonly description: string;
  /** The value as it is kept, so that readers compare it with one spelling only; null when it is not allowed. */
  read(text: string): string | null;
}

/** In any case, as ksqlDB's scripts write them; kept in lower case. */
export function oneOf(...values: string[]): PropertyValue {
  const last = values.at(-1)!;
  return {
    description: `${values.slice(0, -1).join(', ')} or ${last}`,
    read(text) {
      const lower = text.toLowerCase();
      return values.includes(lower) ? lower : null;
    },
  };
}

export const truth = oneOf('true', 'false');

export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): PropertyValue {
  const range: WholeRange = { min, max };
  return {
    description: describeRange(range),
    read(text) {
      const number = readWholeNumber(text, range);
      return number === null ? null : String(number);
    },
  };
}

/** One of `names`, in any case; kept in upper case. */
export function nameOf(what: string, names: readonly string[]): PropertyValue {
  return {
    description: `${what}: ${names.join(', ')}`,
    read(text) {
      const upper = text.toUpperCase();
      return names.includes(upper) ? upper : null;
    },
  };
}

export function matching(description: string, pattern: RegExp): PropertyValue {
  return { description, read: (text) => (pattern.test(text) ? text : null) };
}
