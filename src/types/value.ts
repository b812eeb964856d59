import type { Decimal } from './decimal.ts';

/**
 * A value of a SQL type, as the engine carries it. Values are immutable: a change makes a new one.
 *
 * | type | carrier |
 * |---|---|
 * | BOOLEAN | boolean |
 * | INTEGER | number, 32-bit |
 * | BIGINT | number while it is a safe integer, bigint beyond; never two shapes for one value |
 * | DOUBLE | number |
 * | DECIMAL(p,s) | `Decimal`, whose scale is always s |
 * | STRING | string |
 * | BYTES | Uint8Array |
 * | DATE | number, days since 1970-01-01 |
 * | TIME | number, milliseconds of the day |
 * | TIMESTAMP | number, milliseconds since the epoch, UTC |
 * | ARRAY | array |
 * | MAP | Map, in insertion order |
 * | STRUCT | array of field values by position |
 */
export type SqlValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Decimal
  | readonly SqlValue[]
  | ReadonlyMap<SqlValue, SqlValue>;

/** Values by position; names end in the analyzer. */
export type Row = readonly SqlValue[];
