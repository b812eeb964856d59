import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError, SqlError } from '../../../../src/common/error.ts';
import type { LambdaValue } from '../../../../src/functions/function.ts';
import { resolveScalar } from '../../../../src/functions/resolve.ts';
import { MAX_BIGINT } from '../../../../src/types/bigint.ts';
import { Decimal } from '../../../../src/types/decimal.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  type SqlType,
} from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import { call, context, scalar, type Given } from '../call.ts';

const ints = (...items: (number | null)[]): Given => [array(INTEGER), items];
const strings = (...items: (string | null)[]): Given => [array(STRING), items];
const i = (value: number | null): Given => [INTEGER, value];
const NO_INTS: Given = [array(INTEGER), null];

describe('sets', () => {
  test.each([
    ['ARRAY_UNION', [0, 0, 1, 0, -1], [1, -2, 0], [0, 1, -1, -2]],
    ['ARRAY_EXCEPT', [0, 0, 1, 0, -1], [1, -2], [0, -1]],
    ['ARRAY_INTERSECT', [0, 0, 1, 0, -1], [1, -2, 0], [0, 1]],
    ['ARRAY_INTERSECT', [null, 1], [null], [null]],
  ])('%s', (name, left, right, expected) => {
    expect(call(name, ints(...left), ints(...right))).toEqual(expected);
    expect(call(name, NO_INTS, ints(...right))).toBe(null);
  });

  test('items that are arrays or DECIMALs are equal by value', () => {
    const lists: Given = [array(array(STRING)), [['a', 'b'], ['a', 'b'], ['a'], null]];
    expect(call('ARRAY_DISTINCT', lists)).toEqual([['a', 'b'], ['a'], null]);
    const decimals: Given = [array(decimal(2, 1)), [Decimal.parse('1.0'), Decimal.parse('1.0'), null, null]];
    expect((call('ARRAY_DISTINCT', decimals) as SqlValue[]).map(String)).toEqual(['1.0', 'null']);
  });

  test('both ways of telling items apart agree', () => {
    const item = fc.option(fc.integer({ min: 0, max: 5 }), { nil: null });
    fc.assert(
      fc.property(
        fc.array(item),
        fc.array(item),
        fc.constantFrom('UNION', 'EXCEPT', 'INTERSECT'),
        (left, right, name) => {
          const plain = call(`ARRAY_${name}`, ints(...left), ints(...right)) as SqlValue[];
          const wrap = (items: (number | null)[]): Given => [
            array(array(INTEGER)),
            items.map((each) => [each]),
          ];
          const wrapped = call(`ARRAY_${name}`, wrap(left), wrap(right)) as SqlValue[][];
          expect(wrapped.map((each) => each[0])).toEqual(plain);
        },
      ),
    );
  });
});

test('ARRAY_CONCAT takes a null array as empty', () => {
  expect(call('ARRAY_CONCAT', ints(1, 2), ints(2))).toEqual([1, 2, 2]);
  expect(call('ARRAY_CONCAT', NO_INTS, ints(1))).toEqual([1]);
  expect(call('ARRAY_CONCAT', NO_INTS, NO_INTS)).toBe(null);
});

test('ARRAY_CONTAINS and ARRAY_REMOVE see nulls and NaN', () => {
  expect(call('ARRAY_CONTAINS', ints(1, null), null)).toBe(true);
  expect(call('ARRAY_CONTAINS', ints(1), null)).toBe(false);
  expect(call('ARRAY_CONTAINS', NO_INTS, i(1))).toBe(false);
  expect(call('ARRAY_CONTAINS', [array(DOUBLE), [Number.NaN]], [DOUBLE, Number.NaN])).toBe(true);
  expect(call('ARRAY_REMOVE', strings('foo', 'bar', 'foo', null), [STRING, 'foo'])).toEqual(['bar', null]);
  expect(call('ARRAY_REMOVE', ints(1, null), null)).toEqual([1]);
  expect(call('ARRAY_REMOVE', NO_INTS, i(1))).toBe(null);
});

test('ARRAY_SORT: nulls last both ways, the argument untouched', () => {
  const items = ['foo', 'fo', 'Food', null, 'F', 'food'];
  expect(call('ARRAY_SORT', strings(...items))).toEqual(['F', 'Food', 'fo', 'foo', 'food', null]);
  expect(call('ARRAY_SORT', strings(...items), [STRING, 'descending'])).toEqual([
    'food',
    'foo',
    'fo',
    'Food',
    'F',
    null,
  ]);
  expect(call('ARRAY_SORT', strings('a'), [STRING, 'sideways'])).toBe(null);
  expect(items[0]).toBe('foo');
});

test('ARRAY_MIN and ARRAY_MAX leave nulls out', () => {
  expect(call('ARRAY_MIN', ints(null, 3, -1))).toBe(-1);
  expect(call('ARRAY_MAX', [array(BOOLEAN), [false, null, true]])).toBe(true);
  expect(call('ARRAY_MAX', ints(null))).toBe(null);
  expect(() => call('ARRAY_MAX', [array(map(STRING, INTEGER)), []])).toThrow(SqlError);
});

test('ARRAY_JOIN prints as CAST does', () => {
  expect(call('ARRAY_JOIN', [array(BOOLEAN), [true, null, false]])).toBe('true,null,false');
  expect(call('ARRAY_JOIN', [array(DOUBLE), [1.23, -23.42, 0]], [STRING, ' '])).toBe('1.23 -23.42 0.0');
  expect(call('ARRAY_JOIN', strings('Hello', '', 'Udf'), [STRING, null])).toBe('HelloUdf');
  expect(call('ARRAY_JOIN', [array(STRING), null])).toBe(null);
  expect(() => call('ARRAY_JOIN', [array(array(INTEGER)), []])).toThrow(SqlError);
});

test('GENERATE_SERIES', () => {
  expect(call('GENERATE_SERIES', i(1), i(7), i(3))).toEqual([1, 4, 7]);
  expect(call('GENERATE_SERIES', i(2), i(-1))).toEqual([2, 1, 0, -1]);
  expect(call('GENERATE_SERIES', i(3), i(3))).toEqual([3]);
  expect(call('GENERATE_SERIES', [BIGINT, MAX_BIGINT - 1n], [BIGINT, MAX_BIGINT])).toEqual([
    MAX_BIGINT - 1n,
    MAX_BIGINT,
  ]);
  expect(() => call('GENERATE_SERIES', i(1), i(3), i(0))).toThrow(DataError);
  expect(() => call('GENERATE_SERIES', i(1), i(3), i(-1))).toThrow(DataError);
  expect(() => call('GENERATE_SERIES', [BIGINT, 0], [BIGINT, MAX_BIGINT])).toThrow(DataError);
});

test('SLICE counts from 1, both ends included', () => {
  expect(call('SLICE', ints(1, 2, 3, 4), i(2), i(3))).toEqual([2, 3]);
  expect(call('SLICE', ints(1, 2, 3), i(null), i(2))).toEqual([1, 2]);
  expect(call('SLICE', ints(1, 2, 3), i(3), i(null))).toEqual([3]);
  expect(call('SLICE', ints(1, 2, 3), i(0), i(2))).toBe(null);
  expect(call('SLICE', ints(1, 2, 3), i(2), i(4))).toBe(null);
});

describe('maps', () => {
  const of = (entries: Record<string, number | null> | null): Given => [
    map(STRING, INTEGER),
    entries === null ? null : new Map(Object.entries(entries)),
  ];

  test('AS_MAP fills up with null and leaves out what has no key', () => {
    expect(call('AS_MAP', strings('a', 'b'), ints(1))).toEqual(
      new Map([
        ['a', 1],
        ['b', null],
      ]),
    );
    expect(call('AS_MAP', strings('a'), ints(1, 2))).toEqual(new Map([['a', 1]]));
  });

  test('MAP_UNION: the right one wins', () => {
    expect(call('MAP_UNION', of({ foo: 1, bar: 2 }), of({ foo: null }))).toEqual(
      new Map([
        ['foo', null],
        ['bar', 2],
      ]),
    );
    expect(call('MAP_UNION', of(null), of({ foo: 1 }))).toEqual(new Map([['foo', 1]]));
    expect(call('MAP_UNION', of(null), of(null))).toBe(null);
  });

  test('keys, values, entries', () => {
    expect(call('MAP_KEYS', of({ b: 1, a: 2 }))).toEqual(['a', 'b']);
    expect(call('MAP_VALUES', of({ b: 1, a: 2 }))).toEqual([2, 1]);
    expect(call('ENTRIES', of({ b: 1, a: 2 }), [BOOLEAN, true])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(call('ENTRIES', of(null), [BOOLEAN, true])).toBe(null);
  });
});

describe('lambdas', () => {
  /** Calls a lambda function with a body of one type. */
  function apply(
    name: string,
    collection: Given,
    body: SqlType,
    ...rest: (SqlValue | LambdaValue)[]
  ): SqlValue {
    const count = (lambda: LambdaValue): number => lambda.length;
    const types = rest.map((each) =>
      typeof each === 'function'
        ? ({ kind: 'lambda', parameterCount: count(each), typeBody: () => body } as const)
        : INTEGER,
    );
    const resolved = resolveScalar(scalar(name), [collection![0], ...types]);
    const evaluator = resolved.signature.open(resolved.argumentTypes, resolved.returns, context);
    return (evaluator as (...args: unknown[]) => SqlValue)(collection![1], ...rest);
  }
  const entries: Given = [
    map(STRING, INTEGER),
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
  ];

  test('FILTER', () => {
    expect(apply('FILTER', ints(1, 2, 3), BOOLEAN, (x) => (x as number) > 1)).toEqual([2, 3]);
    expect(apply('FILTER', entries, BOOLEAN, (_k, v) => v === 2)).toEqual(new Map([['b', 2]]));
    expect(apply('FILTER', NO_INTS, BOOLEAN, (x) => x)).toBe(null);
    expect(apply('FILTER', ints(1, 2), BOOLEAN, (x) => (x === 1 ? null : true))).toEqual([2]);
  });

  test('REDUCE', () => {
    expect(apply('REDUCE', ints(1, 2, 3), INTEGER, 10, (s, x) => (s as number) + (x as number))).toBe(16);
    expect(apply('REDUCE', entries, INTEGER, 0, (s, _k, v) => (s as number) + (v as number))).toBe(3);
    expect(apply('REDUCE', NO_INTS, INTEGER, 7, (s, _x) => s)).toBe(7);
    expect(apply('REDUCE', ints(1), INTEGER, null, (_s, x) => x)).toBe(null);
  });

  test('TRANSFORM', () => {
    expect(
      apply('TRANSFORM', ints(1, null), INTEGER, (x) => (x === null ? null : (x as number) * 2)),
    ).toEqual([2, null]);
    expect(
      apply(
        'TRANSFORM',
        entries,
        STRING,
        (k, _v) => `${k as string}!`,
        (_k, v) => `${v as number}`,
      ),
    ).toEqual(
      new Map([
        ['a!', '1'],
        ['b!', '2'],
      ]),
    );
    expect(() =>
      apply(
        'TRANSFORM',
        entries,
        STRING,
        (_k, _v) => 'same',
        (_k, v) => v,
      ),
    ).toThrow(DataError);
    expect(() =>
      apply(
        'TRANSFORM',
        entries,
        STRING,
        (k, _v) => k,
        (_k, _v) => null,
      ),
    ).toThrow(DataError);
  });
});
