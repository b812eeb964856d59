import fc from 'fast-check';
import { MAX_BIGINT, MIN_BIGINT, toBigint } from '../../src/types/bigint.ts';
import { Decimal } from '../../src/types/decimal.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
  type SqlType,
} from '../../src/types/sql-type.ts';
import type { SqlValue } from '../../src/types/value.ts';

/** Types without nesting. */
export const scalarTypes: fc.Arbitrary<SqlType> = fc.oneof(
  fc.constantFrom<SqlType>(BOOLEAN, INTEGER, BIGINT, DOUBLE, STRING, BYTES, DATE, TIME, TIMESTAMP),
  fc
    .integer({ min: 1, max: 30 })
    .chain((precision) => fc.integer({ min: 0, max: precision }).map((scale) => decimal(precision, scale))),
);

/** All types, MAPs with STRING keys. */
export const types: fc.Arbitrary<SqlType> = fc.letrec<{ type: SqlType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalarTypes,
    tie('type').map(array),
    tie('type').map((value) => map(STRING, value)),
    fc
      .uniqueArray(fc.stringMatching(/^[A-Za-z_"\\ é]{1,6}$/), {
        minLength: 1,
        maxLength: 3,
        // Names that differ in case only may take each other's values, which has a test of its own.
        selector: (name) => name.toUpperCase(),
      })
      .chain((names) =>
        fc
          .tuple(...names.map((name) => tie('type').map((type) => ({ name, type }))))
          .map((fields) => struct(fields)),
      ),
  ),
})).type;

/** Texts that are well-formed and of which many are short, repeated, empty, escaped or beyond ASCII. */
const texts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ maxLength: 8 }),
  fc.string({ minLength: 30, maxLength: 120 }),
  fc.constantFrom(
    '',
    'OPEN',
    'a"b',
    'tab\there',
    '\u0000\u001f',
    'ünï',
    '𝄞',
    '\u2028',
    '\\',
    ' lead',
    'trail ',
  ),
);

/** What a test draws instead for some kinds of type, wherever in a type they stand. */
export type OwnValues = Partial<Record<SqlType['kind'], fc.Arbitrary<SqlValue>>>;

/** Values of the type, also null. */
export function valuesOf(type: SqlType, own: OwnValues = {}): fc.Arbitrary<SqlValue> {
  return fc.option(presentValuesOf(type, own), { freq: 8, nil: null });
}

export function presentValuesOf(type: SqlType, own: OwnValues = {}): fc.Arbitrary<SqlValue> {
  const instead = own[type.kind];
  if (instead !== undefined) return instead;
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer();
    case 'bigint':
      return fc.oneof(
        fc.integer(),
        fc.maxSafeInteger(),
        fc.bigInt({ min: MIN_BIGINT, max: MAX_BIGINT }).map(toBigint),
      );
    case 'double':
      return fc.oneof(
        fc.double().map((value) => value + 0),
        fc.integer({ min: -10_000_000, max: 10_000_000 }).map((cents) => cents / 100 + 0),
        fc.integer().map((value) => value + 0),
      );
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return fc.bigInt({ min: -limit, max: limit }).map((unscaled) => new Decimal(unscaled, type.scale));
    }
    case 'string':
      return texts;
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 });
    case 'date':
      return fc.integer({ min: -1_000_000, max: 1_000_000 });
    case 'time':
      return fc.integer({ min: 0, max: 86_399_999 });
    case 'timestamp':
      return fc.integer({ min: -8.64e13, max: 8.64e13 });
    case 'array':
      return fc.array(valuesOf(type.element, own), { maxLength: 5 });
    case 'map':
      return fc
        .array(fc.tuple(presentValuesOf(type.key, own), valuesOf(type.value, own)), { maxLength: 5 })
        .map((entries) => new Map(entries));
    case 'struct':
      return fc.tuple(...type.fields.map((field) => valuesOf(field.type, own)));
  }
}

/** The value in a form that `toEqual` compares: bytes as plain arrays, so that Buffer and Uint8Array are the same. */
export function comparable(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Decimal) return { decimal: value.toString() };
  if (value instanceof Map)
    return { map: [...value].map(([k, v]) => [comparable(k as SqlValue), comparable(v as SqlValue)]) };
  if (Array.isArray(value)) return value.map((item) => comparable(item as SqlValue));
  return value;
}
