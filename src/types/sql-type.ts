/** The types of SQL columns and expressions. Plain data: stored in plans and the command log. */

export type SqlType =
  | {
      readonly kind:
        | 'boolean'
        | 'integer'
        | 'bigint'
        | 'double'
        | 'string'
        | 'bytes'
        | 'date'
        | 'time'
        | 'timestamp';
    }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'array'; readonly element: SqlType }
  | { readonly kind: 'map'; readonly key: SqlType; readonly value: SqlType }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] };

export interface StructField {
  readonly name: string;
  readonly type: SqlType;
}

export type SqlTypeKind = SqlType['kind'];
export type DecimalType = Extract<SqlType, { kind: 'decimal' }>;
export type ArrayType = Extract<SqlType, { kind: 'array' }>;
export type MapType = Extract<SqlType, { kind: 'map' }>;
export type StructType = Extract<SqlType, { kind: 'struct' }>;

export const BOOLEAN: SqlType = { kind: 'boolean' };
export const INTEGER: SqlType = { kind: 'integer' };
export const BIGINT: SqlType = { kind: 'bigint' };
export const DOUBLE: SqlType = { kind: 'double' };
export const STRING: SqlType = { kind: 'string' };
export const BYTES: SqlType = { kind: 'bytes' };
export const DATE: SqlType = { kind: 'date' };
export const TIME: SqlType = { kind: 'time' };
export const TIMESTAMP: SqlType = { kind: 'timestamp' };

/**
 * The digits that a DECIMAL may have, as in PostgreSQL. ksqlDB has no such limit; the digits of a product are those of both
 * sides, so that a long chain of them would have no end of digits.
 */
export const MAX_PRECISION = 1000;

export function decimal(precision: number, scale: number): DecimalType {
  return { kind: 'decimal', precision, scale };
}

export function array(element: SqlType): ArrayType {
  return { kind: 'array', element };
}

export function map(key: SqlType, value: SqlType): MapType {
  return { kind: 'map', key, value };
}

export function struct(fields: readonly StructField[]): StructType {
  return { kind: 'struct', fields };
}
