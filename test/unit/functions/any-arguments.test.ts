import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataError, SqlError } from '../../../src/common/error.ts';
import type { ParameterType, ScalarFunction } from '../../../src/functions/function.ts';
import { resolveScalar } from '../../../src/functions/resolve.ts';
import type { ArgumentType } from '../../../src/functions/match-signature.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import { openCast } from '../../../src/types/cast.ts';
import { Decimal } from '../../../src/types/decimal.ts';
import { array, decimal, INTEGER, map, STRING, struct, type SqlType } from '../../../src/types/sql-type.ts';
import { MAX_BIGINT, MIN_BIGINT, toBigint } from '../../../src/types/bigint.ts';
import type { SqlValue } from '../../../src/types/value.ts';
import { type OwnValues, valuesOf } from '../../harness/arbitrary-values.ts';
import { context } from './call.ts';

/**
 * Whatever the arguments are, a scalar function gives a value of its type, or raises `DataError`: never another error, and
 * never a value that the type does not have.
 */

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '', 'a,b', '{"a": [1, 2.5]}', '[1, "x", null]', '$.a[0]', 'hex', 'utf8', 'base64', 'yyyy-MM-dd', 'HH:mm:ss',
    '2020-02-29', '10:11:12', 'America/Los_Angeles', '+01:00', 'http://a.b:80/c?d=e#f', '(a|b)+', '$1', '\\u0041', 'X',
    'BIG_ENDIAN', 'DESC', 'KM',
  ), // prettier-ignore
);

const small = fc.integer({ min: -5, max: 40 });

/** Numbers are often small: many functions take a position, a length or a count. */
const own: OwnValues = {
  integer: fc.oneof({ weight: 3, arbitrary: small }, { weight: 1, arbitrary: fc.integer() }),
  bigint: fc.oneof(small, fc.bigInt({ min: MIN_BIGINT, max: MAX_BIGINT }).map(toBigint)),
  double: fc.oneof(small, fc.double()),
  string: texts,
};

function isOf(type: SqlType, value: SqlValue): boolean {
  if (value === null) return true;
  switch (type.kind) {
    case 'integer':
    case 'date':
      return value === ((value as number) | 0);
    case 'bigint':
      return typeof value === 'bigint'
        ? toBigint(value) === value && BigInt.asIntN(64, value) === value
        : Number.isSafeInteger(value) && !Object.is(value, -0);
    case 'double':
      return typeof value === 'number';
    case 'decimal':
      return value instanceof Decimal && value.scale === type.scale;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'time':
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 86_400_000;
    case 'timestamp':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value) && value.every((item: SqlValue) => isOf(type.element, item));
    case 'map':
      return value instanceof Map && [...value].every(([k, v]) => isOf(type.key, k) && isOf(type.value, v));
    case 'struct':
      return (
        Array.isArray(value) &&
        value.length === type.fields.length &&
        type.fields.every((field, i) => isOf(field.type, value[i] as SqlValue))
      );
    default:
      return typeof value === type.kind;
  }
}

const GENERICS: readonly SqlType[] = [
  INTEGER,
  STRING,
  { kind: 'double' },
  { kind: 'bytes' },
  decimal(5, 2),
  array(STRING),
  struct([{ name: 'A', type: INTEGER }]),
  map(STRING, { kind: 'bigint' }),
];

/** The parameter's type with its generics decided; null for lambdas, which are tested on their own. */
function concrete(type: ParameterType, generic: SqlType): SqlType | null {
  switch (type.kind) {
    case 'generic':
    case 'any':
      return generic;
    case 'any-decimal':
      return decimal(7, 3);
    case 'any-struct':
    case 'lambda':
      return null;
    case 'interval-unit':
      return STRING;
    case 'array': {
      const element = concrete(type.element, generic);
      return element === null ? null : array(element);
    }
    case 'map': {
      const value = concrete(type.value, generic);
      return value === null ? null : map(STRING, value);
    }
    default:
      return type;
  }
}

/** Functions that make as much as a number says. */
const SIZED = new Set(['GENERATE_SERIES', 'LPAD', 'RPAD']);

const UNITS = ['MILLISECONDS', 'SECONDS', 'MINUTES', 'HOURS', 'DAYS', 'YEARS'];

const scalars = [...builtinFunctions.values()].filter((fn): fn is ScalarFunction => fn.kind === 'scalar');

test.each(scalars.map((fn) => fn.name))('%s', (name) => {
  const fn = builtinFunctions.get(name) as ScalarFunction;
  for (const signature of fn.signatures)
    for (const generic of GENERICS) {
      const parameters = signature.parameters.flatMap((each) =>
        each.variadic === true ? [each, each] : [each],
      );
      const types = parameters.map((each) => concrete(each.type, generic));
      if (types.includes(null)) continue;
      const given = parameters.map((each, i): ArgumentType =>
        each.type.kind === 'interval-unit' ? { kind: 'interval-unit' } : types[i]!,
      );
      let resolved;
      try {
        resolved = resolveScalar(fn, given);
      } catch (error) {
        // Such as ARRAY_SORT of structs.
        if (error instanceof SqlError) continue;
        throw error;
      }
      const evaluate = resolved.signature.open(resolved.argumentTypes, resolved.returns, context) as (
        ...args: SqlValue[]
      ) => SqlValue;
      const casts = types.map((type, i) => openCast(type!, resolved.argumentTypes[i]!)!);
      const values = parameters.map((each, i) =>
        each.type.kind === 'interval-unit'
          ? fc.constantFrom(...UNITS)
          : SIZED.has(name) && (types[i]!.kind === 'integer' || types[i]!.kind === 'bigint')
            ? small
            : valuesOf(types[i]!, own),
      );
      fc.assert(
        fc.property(fc.tuple(...values), (args) => {
          if (fn.nulls === 'propagate' && args.includes(null)) return;
          try {
            const value = evaluate(...args.map((arg, i) => casts[i]!(arg)));
            expect(isOf(resolved.returns, value), `a value of type ${resolved.returns.kind}`).toBe(true);
          } catch (error) {
            if (!(error instanceof DataError)) throw error;
          }
        }),
        { numRuns: 100 },
      );
      if (!signature.parameters.some((each) => JSON.stringify(each.type).includes('generic'))) break;
    }
});
