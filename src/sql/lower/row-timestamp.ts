import { DataError } from '../../common/error.ts';
import type { EvaluationContext } from '../../functions/function.ts';
import { openTimePattern } from '../../functions/time-pattern.ts';
import { instantOf, UTC } from '../../functions/time-zone.ts';
import { InvalidTimestamp } from '../../streams/task/timestamp-extractors.ts';
import type { SqlValue } from '../../types/value.ts';

/** Whether a row without a usable timestamp stops the query instead of being dropped. */
const THROW_ON_INVALID = 'ksql.timestamp.throw.on.invalid';

/**
 * The TIMESTAMP property: a column's value as milliseconds; a STRING by its pattern. -1 when there is none, or
 * `InvalidTimestamp` is thrown, which stops the query, where its properties ask for that.
 */
export function openRowTimestamp(
  column: string,
  pattern: string | null,
  evaluation: EvaluationContext,
): (value: SqlValue) => number {
  const read = openTimestamp(pattern);
  if (evaluation.setting?.(THROW_ON_INVALID)?.toLowerCase() !== 'true') return read;
  return (value) => {
    const timestamp = read(value);
    if (timestamp < 0) throw new InvalidTimestamp(`column ${column} holds no timestamp`);
    return timestamp;
  };
}

function openTimestamp(pattern: string | null): (value: SqlValue) => number {
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
