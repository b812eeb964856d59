import { DataError } from '../../common/error.ts';
import { toBigint } from '../../types/bigint.ts';
import { Decimal } from '../../types/decimal.ts';
import { printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';

const DAY_MS = 86_400_000;
/** How much of a wrong result a message shows, in characters. */
const FOUND_LENGTH_MAX = 100;

/** SQL values as users' functions see them, and back. What comes back is checked: it goes into records. */

export function toUser(type: SqlType, value: SqlValue): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'decimal':
      return (value as Decimal).toString();
    case 'array':
      return (value as readonly SqlValue[]).map((item) => toUser(type.element, item));
    case 'map':
      return new Map(
        [...(value as ReadonlyMap<SqlValue, SqlValue>)].map(([key, item]) => [
          toUser(type.key, key),
          toUser(type.value, item),
        ]),
      );
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field, i) => [
          field.name,
          toUser(field.type, (value as readonly SqlValue[])[i] ?? null),
        ]),
      );
    default:
      return value;
  }
}

/** Throws `DataError` when the value is not one of the type. */
export function fromUser(type: SqlType, value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  const refuse = (): never => {
    const found = typeof value === 'object' ? '' : ` ${shortened(String(value as string | number))}`;
    throw new DataError(`a ${printType(type)} was to be returned, not ${typeof value}${found}`);
  };
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse();
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) ? value | 0 : refuse();
    case 'bigint':
      if (typeof value === 'bigint') return toBigint(BigInt.asIntN(64, value));
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse();
    case 'double':
      return typeof value === 'number' ? value : refuse();
    case 'date':
      // As the formats write it: 32 bits.
      return typeof value === 'number' && value === (value | 0) ? value : refuse();
    case 'time':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < DAY_MS
        ? value
        : refuse();
    case 'timestamp':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse();
    case 'string':
      return typeof value === 'string' ? value : refuse();
    case 'bytes':
      return value instanceof Uint8Array ? value : refuse();
    case 'decimal':
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
        return refuse();
      return Decimal.parse(String(value))?.withType(type.precision, type.scale) ?? refuse();
    case 'array':
      return Array.isArray(value) ? value.map((item) => fromUser(type.element, item)) : refuse();
    case 'map': {
      const entries =
        value instanceof Map ? [...value] : typeof value === 'object' ? Object.entries(value) : refuse();
      return new Map(entries.map(([key, item]) => [fromUser(type.key, key), fromUser(type.value, item)]));
    }
    case 'struct': {
      if (typeof value !== 'object') return refuse();
      const fields = value as Record<string, unknown>;
      return type.fields.map((field) =>
        fromUser(field.type, Object.hasOwn(fields, field.name) ? fields[field.name] : null),
      );
    }
  }
}

/** The message goes into the log, once for each record. */
function shortened(text: string): string {
  return text.length > FOUND_LENGTH_MAX ? `${text.slice(0, FOUND_LENGTH_MAX)}…` : text;
}
