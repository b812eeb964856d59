import { compareBytes } from '../common/bytes.ts';
import { compareBigint } from './bigint.ts';
import { Decimal } from './decimal.ts';
import { isNumeric } from './implicit-cast.ts';
import type { SqlType } from './sql-type.ts';
import type { SqlValue } from './value.ts';

const DAY_MS = 86_400_000;

/** Negative, zero or positive; NaN when the operands have no order (a DOUBLE that is NaN). Operands are not null. */
export type Comparison = (left: SqlValue, right: SqlValue) => number;

/**
 * Compiles `left < right` and its kin: numbers of any types, DATE with TIMESTAMP, otherwise equal kinds that have
 * an order. `compare(a, b) < 0`, `=== 0`, `> 0` are then the SQL answers, all false for NaN. Null when the types
 * have no order between them (BOOLEAN, ARRAY, MAP and STRUCT have equality only).
 */
export function openComparison(left: SqlType, right: SqlType): Comparison | null {
  if (isNumeric(left) && isNumeric(right)) {
    if (left.kind === 'decimal' && right.kind === 'decimal') return compareDecimals;
    if (left.kind === 'decimal') {
      if (right.kind === 'double') return (a, b) => compareDoubles((a as Decimal).toNumber(), b as number);
      return (a, b) => (a as Decimal).compare(Decimal.fromInteger(b as number));
    }
    if (right.kind === 'decimal') {
      if (left.kind === 'double') return (a, b) => compareDoubles(a as number, (b as Decimal).toNumber());
      return (a, b) => Decimal.fromInteger(a as number).compare(b as Decimal);
    }
    if (left.kind === 'double' || right.kind === 'double')
      return (a, b) => compareDoubles(Number(a), Number(b));
    return compareBigint as Comparison;
  }
  if (left.kind === 'date' && right.kind === 'timestamp')
    return (a, b) => (a as number) * DAY_MS - (b as number);
  if (left.kind === 'timestamp' && right.kind === 'date')
    return (a, b) => (a as number) - (b as number) * DAY_MS;
  if (left.kind !== right.kind) return null;
  switch (left.kind) {
    case 'string':
      return compareStrings as Comparison;
    case 'bytes':
      return compareBytes as Comparison;
    case 'date':
    case 'time':
    case 'timestamp':
      return (a, b) => (a as number) - (b as number);
    default:
      return null;
  }
}

/**
 * Compiles a total order of one type, for sorting: null first, NaN last and equal to itself, false before true,
 * arrays and structs lexicographic. Maps order by their entries as they stand.
 */
export function openOrder(type: SqlType): (left: SqlValue, right: SqlValue) => number {
  const inner = openInnerOrder(type);
  return (a, b) => (a === null ? (b === null ? 0 : -1) : b === null ? 1 : inner(a, b));
}

function openInnerOrder(type: SqlType): (left: SqlValue, right: SqlValue) => number {
  switch (type.kind) {
    case 'boolean':
      return (a, b) => Number(a) - Number(b);
    case 'double':
      return (a, b) => {
        const order = compareDoubles(a as number, b as number);
        return Number.isNaN(order) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : order;
      };
    case 'array': {
      const element = openOrder(type.element);
      return (a, b) => orderLists(a as readonly SqlValue[], b as readonly SqlValue[], () => element);
    }
    case 'struct': {
      const fields = type.fields.map((field) => openOrder(field.type));
      return (a, b) => orderLists(a as readonly SqlValue[], b as readonly SqlValue[], (i) => fields[i]!);
    }
    case 'map': {
      const key = openOrder(type.key);
      const value = openOrder(type.value);
      return (a, b) =>
        orderLists(
          [...(a as ReadonlyMap<SqlValue, SqlValue>)].flat(1) as SqlValue[],
          [...(b as ReadonlyMap<SqlValue, SqlValue>)].flat(1) as SqlValue[],
          (i) => (i % 2 === 0 ? key : value),
        );
    }
    default:
      return openComparison(type, type)!;
  }
}

function orderLists(
  a: readonly SqlValue[],
  b: readonly SqlValue[],
  orderOf: (i: number) => (left: SqlValue, right: SqlValue) => number,
): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    const order = orderOf(i)(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/**
 * Compiles equality of two values of one type, deep. Null equals null (callers of SQL's `=` deal with nulls first).
 * A NaN standing alone equals nothing; inside a collection it equals itself, as Java's `List.equals` has it. Maps are
 * equal when they have equal entries in any order. DECIMAL compares by numeric value.
 */
export function openEquality(type: SqlType): (left: SqlValue, right: SqlValue) => boolean {
  switch (type.kind) {
    case 'decimal':
      return (a, b) => a === b || (a !== null && b !== null && (a as Decimal).equals(b as Decimal));
    case 'bytes':
      return (a, b) =>
        a === b || (a !== null && b !== null && compareBytes(a as Uint8Array, b as Uint8Array) === 0);
    case 'array': {
      const element = openElementEquality(type.element);
      return (a, b) =>
        a === b || (a !== null && b !== null && equalLists(a as SqlValue[], b as SqlValue[], () => element));
    }
    case 'struct': {
      const fields = type.fields.map((field) => openElementEquality(field.type));
      return (a, b) =>
        a === b ||
        (a !== null && b !== null && equalLists(a as SqlValue[], b as SqlValue[], (i) => fields[i]!));
    }
    case 'map': {
      const key = openElementEquality(type.key);
      const value = openElementEquality(type.value);
      const plainKeys = ['string', 'integer', 'bigint', 'boolean', 'date', 'time', 'timestamp'].includes(
        type.key.kind,
      );
      return (a, b) => {
        if (a === b) return true;
        if (a === null || b === null) return false;
        return equalMaps(
          a as ReadonlyMap<SqlValue, SqlValue>,
          b as ReadonlyMap<SqlValue, SqlValue>,
          plainKeys,
          key,
          value,
        );
      };
    }
    default:
      return (a, b) => a === b;
  }
}

type Equality = (left: SqlValue, right: SqlValue) => boolean;

function openElementEquality(type: SqlType): Equality {
  return type.kind === 'double' ? Object.is : openEquality(type);
}

function equalLists(
  a: readonly SqlValue[],
  b: readonly SqlValue[],
  equalityOf: (i: number) => Equality,
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!equalityOf(i)(a[i]!, b[i]!)) return false;
  return true;
}

function equalMaps(
  a: ReadonlyMap<SqlValue, SqlValue>,
  b: ReadonlyMap<SqlValue, SqlValue>,
  plainKeys: boolean,
  key: Equality,
  value: Equality,
): boolean {
  if (a.size !== b.size) return false;
  for (const [name, item] of a) {
    if (plainKeys) {
      const other = b.get(name);
      if (other === undefined || !value(item, other)) return false;
    } else if (![...b].some(([otherName, other]) => key(name, otherName) && value(item, other))) {
      return false;
    }
  }
  return true;
}

/** Order of two strings by UTF-16 units, as Java's `String.compareTo`. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareDoubles(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
}

function compareDecimals(a: SqlValue, b: SqlValue): number {
  return (a as Decimal).compare(b as Decimal);
}
