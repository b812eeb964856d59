import { DataError } from '../common/error.ts';
import { parseBase64 } from './base64.ts';
import {
  bigintToInteger,
  doubleToBigint,
  doubleToInteger,
  parseBigint,
  parseInteger,
  wrapBigint,
  type Bigint,
} from './bigint.ts';
import { Decimal } from './decimal.ts';
import { parseDouble } from './double-text.ts';
import { equalTypes } from './equal-types.ts';
import { openPrint } from './print-value.ts';
import type { DecimalType, MapType, SqlType, StructType } from './sql-type.ts';
import { parseDate, parseTime, parseTimestamp } from './temporal.ts';
import type { SqlValue } from './value.ts';

const DAY_MS = 86_400_000;

/** Null gives null. Throws `DataError` for a value that has no counterpart in the target type. */
export type Cast = (value: SqlValue) => SqlValue;

/**
 * Compiles `CAST(value AS to)` for values of type `from`; null when SQL has no such cast. The rules are ksqlDB's:
 * whole numbers narrow as Java's do (a BIGINT keeps its low 32 bits), DOUBLE and DECIMAL are truncated to whole numbers
 * and rounded half up to DECIMAL, STRING to BOOLEAN is a prefix match of `true` and `yes`, everything but BYTES prints
 * to STRING, collections go element by element, structs by field name with null for what is missing.
 */
export function openCast(from: SqlType, to: SqlType): Cast | null {
  if (equalTypes(from, to)) return (value) => value;
  const inner = openInnerCast(from, to);
  return inner === null ? null : (value) => (value === null ? null : inner(value));
}

function openInnerCast(from: SqlType, to: SqlType): Cast | null {
  switch (to.kind) {
    case 'string':
      return from.kind === 'bytes' ? null : openPrint(from);
    case 'boolean':
      return from.kind === 'string' ? (value) => castToBoolean(value as string) : null;
    case 'integer':
      return openIntegerCast(from);
    case 'bigint':
      return openBigintCast(from);
    case 'double':
      return openDoubleCast(from);
    case 'decimal':
      return openDecimalCast(from, to);
    case 'bytes':
      return from.kind === 'string' ? (value) => parseBase64(value as string) : null;
    case 'date':
      if (from.kind === 'timestamp') return (value) => Math.floor((value as number) / DAY_MS);
      return from.kind === 'string' ? (value) => parseDate(value as string) : null;
    case 'time':
      if (from.kind === 'timestamp')
        return (value) => (value as number) - Math.floor((value as number) / DAY_MS) * DAY_MS;
      return from.kind === 'string' ? (value) => parseTime(value as string) : null;
    case 'timestamp':
      if (from.kind === 'date') return (value) => (value as number) * DAY_MS;
      return from.kind === 'string' ? (value) => parseTimestamp(value as string) : null;
    case 'array': {
      if (from.kind !== 'array') return null;
      const element = openCast(from.element, to.element);
      return element === null ? null : (value) => (value as readonly SqlValue[]).map(element);
    }
    case 'map':
      return from.kind === 'map' ? openMapCast(from, to) : null;
    case 'struct':
      return from.kind === 'struct' ? openStructCast(from, to) : null;
  }
}

function castToBoolean(text: string): boolean {
  const lower = text.toLowerCase();
  return lower !== '' && ('true'.startsWith(lower) || 'yes'.startsWith(lower));
}

function openIntegerCast(from: SqlType): Cast | null {
  switch (from.kind) {
    case 'bigint':
      return (value) => bigintToInteger(value as Bigint);
    case 'double':
      return (value) => doubleToInteger(value as number);
    case 'decimal':
      return (value) => bigintToInteger((value as Decimal).toBigInt());
    case 'string':
      return (value) => parseInteger((value as string).trim()) ?? refuse(value as string, 'INTEGER');
    default:
      return null;
  }
}

function openBigintCast(from: SqlType): Cast | null {
  switch (from.kind) {
    case 'integer':
      return (value) => value;
    case 'double':
      return (value) => doubleToBigint(value as number);
    case 'decimal':
      return (value) => wrapBigint((value as Decimal).toBigInt());
    case 'string':
      return (value) => parseBigint((value as string).trim()) ?? refuse(value as string, 'BIGINT');
    default:
      return null;
  }
}

function openDoubleCast(from: SqlType): Cast | null {
  switch (from.kind) {
    case 'integer':
      return (value) => value;
    case 'bigint':
      return Number;
    case 'decimal':
      return (value) => (value as Decimal).toNumber();
    case 'string':
      return (value) => parseDouble(value as string) ?? refuse(value as string, 'DOUBLE');
    default:
      return null;
  }
}

function openDecimalCast(from: SqlType, to: DecimalType): Cast | null {
  const { precision, scale } = to;
  switch (from.kind) {
    case 'integer':
    case 'bigint':
      return (value) => Decimal.fromInteger(value as Bigint).withType(precision, scale);
    case 'double':
      // ksqlDB first rounds the binary value to `precision` digits, so that 0.1 does not carry its binary tail.
      return (value) =>
        Decimal.fromDouble(value as number)
          .setPrecision(precision)
          .withType(precision, scale);
    case 'decimal':
      return (value) => (value as Decimal).withType(precision, scale);
    case 'string':
      return (value) => Decimal.parse((value as string).trim()).withType(precision, scale);
    default:
      return null;
  }
}

function openMapCast(from: MapType, to: MapType): Cast | null {
  const key = openCast(from.key, to.key);
  const item = openCast(from.value, to.value);
  if (key === null || item === null) return null;
  return (value) => {
    const result = new Map<SqlValue, SqlValue>();
    for (const [k, v] of value as ReadonlyMap<SqlValue, SqlValue>) result.set(key(k), item(v));
    return result;
  };
}

function openStructCast(from: StructType, to: StructType): Cast | null {
  const sources: number[] = [];
  const casts: Cast[] = [];
  for (const field of to.fields) {
    const at = from.fields.findIndex((other) => other.name === field.name);
    const cast = at < 0 ? (): null => null : openCast(from.fields[at]!.type, field.type);
    if (cast === null) return null;
    sources.push(at);
    casts.push(cast);
  }
  return (value) => {
    const values = value as readonly SqlValue[];
    return casts.map((cast, i) => cast(values[sources[i]!] ?? null));
  };
}

function refuse(text: string, type: string): never {
  throw new DataError(
    `${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)} is not a value of type ${type}`,
  );
}
