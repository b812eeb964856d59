import { decimal, BIGINT, DOUBLE, type DecimalType, type SqlType } from './sql-type.ts';
import { equalTypes } from './equal-types.ts';

/** Types that change into each other without being asked, and the types that arithmetic gives. */

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** INTEGER, BIGINT, DECIMAL, DOUBLE: each becomes a later one without being asked. */
const WIDTH = { integer: 0, bigint: 1, decimal: 2, double: 3 } as const;

function widthOf(type: SqlType): number | undefined {
  return (WIDTH as Record<string, number | undefined>)[type.kind];
}

export function isNumeric(type: SqlType): boolean {
  return widthOf(type) !== undefined;
}

/** The DECIMAL that holds every value of the type: INTEGER is (10,0), BIGINT (19,0). Null for types that have none. */
export function asDecimalType(type: SqlType): DecimalType | null {
  switch (type.kind) {
    case 'integer':
      return decimal(10, 0);
    case 'bigint':
      return decimal(19, 0);
    case 'decimal':
      return type;
    default:
      return null;
  }
}

/**
 * Whether a value of `from` may stand where `to` is expected: the same type, or a wider number. A DECIMAL must
 * have room for every digit of what it takes. Collections widen by their elements, structs field by field.
 */
export function canWiden(from: SqlType, to: SqlType): boolean {
  if (equalTypes(from, to)) return true;
  const fromWidth = widthOf(from);
  const toWidth = widthOf(to);
  if (fromWidth !== undefined && toWidth !== undefined) {
    if (to.kind !== 'decimal') return fromWidth < toWidth;
    const exact = asDecimalType(from);
    return (
      exact !== null && exact.scale <= to.scale && exact.precision - exact.scale <= to.precision - to.scale
    );
  }
  if (from.kind === 'array' && to.kind === 'array') return canWiden(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map')
    return canWiden(from.key, to.key) && canWiden(from.value, to.value);
  if (from.kind === 'struct' && to.kind === 'struct')
    return from.fields.every((field) => {
      const target = to.fields.find((other) => other.name === field.name);
      return target !== undefined && canWiden(field.type, target.type);
    });
  return false;
}

/**
 * Whether a text is read as a value of `to` where a function takes one: times, dates and bytes (base64). Nothing else
 * changes a text without being asked.
 */
export function isReadFromText(to: { readonly kind: string }): boolean {
  return to.kind === 'date' || to.kind === 'time' || to.kind === 'timestamp' || to.kind === 'bytes';
}

/**
 * The narrowest type that both widen to, or null when there is none. Two DECIMALs give the one with room for both;
 * two STRUCTs the superset of their fields, in the order of first appearance.
 */
export function commonType(a: SqlType, b: SqlType): SqlType | null {
  if (equalTypes(a, b)) return a;
  const aWidth = widthOf(a);
  const bWidth = widthOf(b);
  if (aWidth !== undefined && bWidth !== undefined) {
    if (a.kind === 'double' || b.kind === 'double') return DOUBLE;
    if (a.kind !== 'decimal' && b.kind !== 'decimal') return BIGINT;
    const left = asDecimalType(a)!;
    const right = asDecimalType(b)!;
    const scale = Math.max(left.scale, right.scale);
    return decimal(Math.max(left.precision - left.scale, right.precision - right.scale) + scale, scale);
  }
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element);
    return element === null ? null : { kind: 'array', element };
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = commonType(a.key, b.key);
    const value = commonType(a.value, b.value);
    return key === null || value === null ? null : { kind: 'map', key, value };
  }
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = [...a.fields];
    for (const field of b.fields) {
      const at = fields.findIndex((other) => other.name === field.name);
      if (at < 0) {
        fields.push(field);
        continue;
      }
      const type = commonType(fields[at]!.type, field.type);
      if (type === null) return null;
      fields[at] = { name: field.name, type };
    }
    return { kind: 'struct', fields };
  }
  return null;
}

/** `commonType` of one or more types, or null. */
export function commonTypeOf(types: readonly SqlType[]): SqlType | null {
  let result: SqlType | null = types[0] ?? null;
  for (let i = 1; i < types.length && result !== null; i++) result = commonType(result, types[i]!);
  return result;
}

/**
 * The DECIMAL that an operation on two DECIMALs gives. These are ksqlDB's rules (which are SQL Server's without the
 * cap at 38 digits).
 */
export function decimalResultType(
  operator: ArithmeticOperator,
  left: DecimalType,
  right: DecimalType,
): DecimalType {
  const { precision: p1, scale: s1 } = left;
  const { precision: p2, scale: s2 } = right;
  switch (operator) {
    case '+':
    case '-': {
      const scale = Math.max(s1, s2);
      return decimal(Math.max(p1 - s1, p2 - s2) + scale + 1, scale);
    }
    case '*':
      return decimal(p1 + p2 + 1, s1 + s2);
    case '/': {
      const scale = Math.max(6, s1 + p2 + 1);
      return decimal(p1 - s1 + s2 + scale, scale);
    }
    case '%': {
      const scale = Math.max(s1, s2);
      return decimal(Math.min(p1 - s1, p2 - s2) + scale, scale);
    }
  }
}

/**
 * The type of `left operator right`: the wider of two numbers, by `decimalResultType` when a DECIMAL is among them and
 * no DOUBLE. `+` joins two STRINGs. Null when the types have no arithmetic.
 */
export function arithmeticType(operator: ArithmeticOperator, left: SqlType, right: SqlType): SqlType | null {
  if (operator === '+' && left.kind === 'string' && right.kind === 'string') return left;
  if (!isNumeric(left) || !isNumeric(right)) return null;
  if (left.kind === 'double' || right.kind === 'double') return DOUBLE;
  if (left.kind !== 'decimal' && right.kind !== 'decimal') return commonType(left, right);
  return decimalResultType(operator, asDecimalType(left)!, asDecimalType(right)!);
}
