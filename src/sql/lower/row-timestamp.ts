import { DataError } from '../../common/error.ts';
import { openTimePattern } from '../../functions/time-pattern.ts';
import { instantOf, UTC } from '../../functions/time-zone.ts';
import type { SqlValue } from '../../types/value.ts';

/** The TIMESTAMP property: a column's value as milliseconds; a STRING by its pattern. -1 when there is none. */
export function openRowTimestamp(pattern: string | null): (value: SqlValue) => number {
  if (pattern === null) return (value) => (typeof value === 'number' ? value : -1);
  const compiled = openTimePattern(pattern);
  return (value) => {
    if (typeof value !== 'string') return -1;
    try {
      const { localMs, zone } = compiled.parse(value);
      return instantOf(localMs, zone ?? UTC);
    } catch (error) {
      if (error instanceof DataError) return -1;
      throw error;
    }
  };
}
