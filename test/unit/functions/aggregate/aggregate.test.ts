import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SqlError } from '../../../../src/common/error.ts';
import { murmur3 } from '../../../../src/functions/aggregate/count-distinct.ts';
import { MAX_BIGINT, MIN_BIGINT } from '../../../../src/types/bigint.ts';
import { Decimal } from '../../../../src/types/decimal.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  STRING,
  type SqlType,
} from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import { addAll, aggregator, context } from '../call.ts';

const column = (...values: SqlValue[]): SqlValue[][] => values.map((value) => [value]);

/** The result after each row. */
function run(
  name: string,
  types: readonly SqlType[],
  rows: readonly SqlValue[][],
  literals: [SqlType, SqlValue][] = [],
): SqlValue[] {
  const fn = aggregator(name, types, literals);
  let state = fn.initial();
  return rows.map((row) => {
    state = fn.add(state, ...row);
    return fn.result(state);
  });
}

test('COUNT counts what is not null', () => {
  expect(run('COUNT', [STRING], column('a', null, 'b'))).toEqual([1, 1, 2]);
});

describe('SUM', () => {
  test('starts at 0 and leaves nulls out', () => {
    expect(run('SUM', [INTEGER], column(null, 5, 10, null))).toEqual([0, 5, 15, 15]);
  });

  test('whole numbers wrap, BIGINT beyond safe integers is exact', () => {
    expect(run('SUM', [INTEGER], column(2147483647, 1))).toEqual([2147483647, -2147483648]);
    expect(run('SUM', [BIGINT], column(Number.MAX_SAFE_INTEGER, 2))).toEqual([
      Number.MAX_SAFE_INTEGER,
      9007199254740993n,
    ]);
    expect(run('SUM', [BIGINT], column(MAX_BIGINT, 1))).toEqual([MAX_BIGINT, MIN_BIGINT]);
  });

  test('a DECIMAL that does not fit is no mere fault of one record', () => {
    const fn = aggregator('SUM', [decimal(3, 1)]);
    const state = addAll(fn, column(Decimal.parse('50.9')));
    expect(() => fn.add(state, Decimal.parse('50.8'))).toThrow(SqlError);
    const sum = fn.result(addAll(fn, column(Decimal.parse('5.4'), Decimal.parse('10.1'))));
    expect((sum as Decimal).toString()).toBe('15.5');
  });

  test('SUM_LIST sums items', () => {
    expect(run('SUM_LIST', [array(INTEGER)], column([1, 1], null, [100, 100, null]))).toEqual([2, 2, 202]);
  });
});

test('AVG: 0 of nothing; INTEGERs do not overflow', () => {
  expect(run('AVG', [INTEGER], column(null, 1, 2, 2, null))).toEqual([0, 1, 1.5, 5 / 3, 5 / 3]);
  expect(run('AVG', [INTEGER], column(2147483647, 2147483647))).toEqual([2147483647, 2147483647]);
  expect(run('AVG', [BIGINT], column(-1, MAX_BIGINT, -2))).toEqual([
    -1, 4611686018427387904, 3074457345618258432,
  ]);
});

test('MIN and MAX: null of nothing', () => {
  expect(run('MIN', [STRING], column(null, 'b', 'a', 'c'))).toEqual([null, 'b', 'a', 'a']);
  expect(run('MAX', [BIGINT], column(1, MAX_BIGINT, 2))).toEqual([1, MAX_BIGINT, MAX_BIGINT]);
  expect(run('MAX', [DOUBLE], column(-0.5, null, -3))).toEqual([-0.5, -0.5, -0.5]);
  expect('undo' in aggregator('MIN', [INTEGER])).toBe(false);
});

test('COLLECT_LIST keeps nulls, up to its limit; undo takes the last equal item', () => {
  expect(run('COLLECT_LIST', [STRING], column('a', null, 'a')).at(-1)).toEqual(['a', null, 'a']);
  const limited = aggregator('COLLECT_LIST', [INTEGER], [], {
    ...context,
    setting: (name) => (name === 'ksql.functions.collect_list.limit' ? '1' : undefined),
  });
  expect(addAll(limited, column(0, 100))).toEqual([0]);
  const fn = aggregator('COLLECT_LIST', [STRING]);
  expect(fn.undo!(['a', 'b', 'a', 'c'], 'a')).toEqual(['a', 'b', 'c']);
  expect(fn.undo!(['a'], 'z')).toEqual(['a']);
});

test('COLLECT_SET keeps the first of equal ones', () => {
  expect(run('COLLECT_SET', [INTEGER], column(2, null, 1, 2, null)).at(-1)).toEqual([2, null, 1]);
  expect(run('COLLECT_SET', [array(INTEGER)], column([1], [1])).at(-1)).toEqual([[1]]);
});

describe('by offset', () => {
  test('one value, with and without nulls', () => {
    expect(run('EARLIEST_BY_OFFSET', [INTEGER], column(null, 12, 13))).toEqual([null, 12, 12]);
    expect(run('EARLIEST_BY_OFFSET', [INTEGER], column(null, 13), [[BOOLEAN, false]])).toEqual([null, null]);
    expect(run('LATEST_BY_OFFSET', [INTEGER], column(12, null, 13, null))).toEqual([12, 12, 13, 13]);
    expect(run('LATEST_BY_OFFSET', [INTEGER], column(12, null), [[BOOLEAN, false]])).toEqual([12, null]);
  });

  test('n values', () => {
    expect(run('EARLIEST_BY_OFFSET', [INTEGER], column(null, 1, 2, 3), [[INTEGER, 2]])).toEqual([
      [],
      [1],
      [1, 2],
      [1, 2],
    ]);
    expect(
      run('LATEST_BY_OFFSET', [INTEGER], column(1, null, 2, 3), [
        [INTEGER, 2],
        [BOOLEAN, false],
      ]),
    ).toEqual([[1], [1, null], [null, 2], [2, 3]]);
    expect(() => aggregator('LATEST_BY_OFFSET', [INTEGER], [[INTEGER, 0]])).toThrow(SqlError);
  });

  test('joined sessions know which value came first, whichever side it is on', () => {
    for (const [name, one, many] of [
      ['EARLIEST_BY_OFFSET', 1, [1, 2]],
      ['LATEST_BY_OFFSET', 3, [2, 3]],
    ] as const) {
      const single = aggregator(name, [INTEGER]);
      const first = addAll(single, column(1));
      const second = addAll(single, column(2, 3));
      expect(single.result(single.merge!(second, first))).toBe(one);
      expect(single.result(single.merge!(first, second))).toBe(one);
      expect(single.result(single.merge!(single.initial(), first))).toBe(1);
      const several = aggregator(name, [INTEGER], [[INTEGER, 2]]);
      const early = addAll(several, column(1));
      const late = addAll(several, column(2, 3));
      expect(several.result(several.merge!(late, early))).toEqual(many);
    }
  });

  test('a value that comes after a restart is the later one', () => {
    const before = aggregator('LATEST_BY_OFFSET', [INTEGER]);
    const old = addAll(before, column(1, 2, 3));
    const after = aggregator('LATEST_BY_OFFSET', [INTEGER], [], { ...context, now: () => context.now() + 1 });
    expect(after.result(after.merge!(addAll(after, column(9)), old))).toBe(9);
  });
});

describe('TOPK and TOPKDISTINCT', () => {
  test('largest first', () => {
    expect(run('TOPK', [INTEGER], column(0, 100, 99, 7, null, 100), [[INTEGER, 3]])).toEqual([
      [0],
      [100, 0],
      [100, 99, 0],
      [100, 99, 7],
      [100, 99, 7],
      [100, 100, 99],
    ]);
    expect(run('TOPKDISTINCT', [STRING], column('a', 'b', 'c', 'b', 'd'), [[INTEGER, 3]]).at(-1)).toEqual([
      'd',
      'c',
      'b',
    ]);
    expect(() => aggregator('TOPK', [INTEGER], [[INTEGER, 0]])).toThrow(SqlError);
  });

  test('with more columns, structs; ties in order of arrival', () => {
    const rows = [
      [0, 'zero'],
      [100, 'one'],
      [99, 'two'],
      [null, 'three'],
      [100, null],
    ];
    expect(run('TOPK', [INTEGER, STRING], rows, [[INTEGER, 3]]).at(-1)).toEqual([
      [100, 'one'],
      [100, null],
      [99, 'two'],
    ]);
  });
});

test('HISTOGRAM counts the first 1000 different texts', () => {
  expect(run('HISTOGRAM', [STRING], column('a', 'b', null, 'a')).at(-1)).toEqual(
    new Map([
      ['a', 2],
      ['b', 1],
    ]),
  );
  const fn = aggregator('HISTOGRAM', [STRING]);
  let state = fn.initial();
  for (let i = 0; i < 1001; i++) state = fn.add(state, `text ${i}`);
  state = fn.add(state, 'text 0');
  expect((state as Map<string, number>).size).toBe(1000);
  expect((state as Map<string, number>).get('text 0')).toBe(2);
  expect(fn.undo!(new Map([['a', 1]]), 'a')).toEqual(new Map());
});

test('ATTR: the value that all share', () => {
  expect(run('ATTR', [STRING], column('1', '1', null, '1'))).toEqual(['1', '1', null, null]);
  const fn = aggregator('ATTR', [STRING]);
  expect(fn.result(fn.undo!(addAll(fn, column('1', null)), null))).toBe('1');
});

describe('statistics', () => {
  test('CORRELATION', () => {
    const results = run(
      'CORRELATION',
      [INTEGER, INTEGER],
      [
        [1, 8],
        [-3, -2],
        [13, null],
        [3, 11],
      ],
    );
    expect(results[0]).toBeNaN();
    expect(results[1]).toBe(1);
    const other = run(
      'CORRELATION',
      [INTEGER, INTEGER],
      [
        [1, 8],
        [-1, -2],
        [-4, -1],
      ],
    );
    expect(other[2]).toBeCloseTo(0.7455284088780169, 14);
  });

  test('STDDEV_SAMPLE is the deviation, STDDEV_SAMP the variance', () => {
    expect(run('STDDEV_SAMPLE', [INTEGER], column(0, 10, 7, 6))).toEqual([
      0, 7.0710678118654755, 5.131601439446884, 4.193248541803041,
    ]);
    expect(run('STDDEV_SAMP', [INTEGER], column(0, 10, 7, 6))).toEqual([
      0, 50, 26.333333333333332, 17.583333333333332,
    ]);
    expect(run('STDDEV_SAMP', [DOUBLE], column(-1.8, 2.3, 100.2, null))).toEqual([
      0, 8.405, 3334.2033333333347, 3334.2033333333347,
    ]);
    expect(run('STDDEV_SAMP', [DOUBLE], column(10, 12, 13, 14, 16)).at(-1)).toBe(5);
  });
});

describe('COUNT_DISTINCT', () => {
  test('is exact for few', () => {
    expect(run('COUNT_DISTINCT', [STRING], column('one', 'two', 'one', null))).toEqual([1, 2, 2, 2]);
  });

  test('is exact at each step up to a thousand', () => {
    const fn = aggregator('COUNT_DISTINCT', [STRING]);
    let state = fn.initial();
    for (let i = 1; i <= 1000; i++) {
      state = fn.add(state, `value ${i}`);
      expect(fn.result(state)).toBe(i);
    }
  });

  test('merging few and many, in both orders', () => {
    const fn = aggregator('COUNT_DISTINCT', [INTEGER]);
    const numbers = (from: number, to: number): SqlValue =>
      addAll(fn, column(...Array.from({ length: to - from }, (_, i) => from + i)));
    const whole = numbers(0, 3000);
    for (const cut of [10, 1500, 2990]) {
      const [few, many] = [numbers(0, cut), numbers(cut, 3000)];
      expect(fn.merge!(few, many)).toEqual(whole);
      expect(fn.merge!(many, few)).toEqual(whole);
    }
  });

  test.each([500, 5000, 100_000])('is near for %d, in both forms of the state', (count) => {
    const fn = aggregator('COUNT_DISTINCT', [INTEGER]);
    let state = fn.initial();
    for (let i = 0; i < count; i++) state = fn.add(state, i);
    expect(Math.abs((fn.result(state) as number) / count - 1)).toBeLessThan(0.03);
    expect(fn.add(state, 7)).toBe(state);
  });

  test('merging is adding', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (left, right) => {
        const fn = aggregator('COUNT_DISTINCT', [STRING]);
        expect(fn.merge!(addAll(fn, column(...left)), addAll(fn, column(...right)))).toEqual(
          addAll(fn, column(...left, ...right)),
        );
      }),
    );
  });

  test('the hash, which is stored, stays what it is', () => {
    expect([murmur3('', 0), murmur3('hello', 1), murmur3('hello!', 1)]).toMatchInlineSnapshot(`
      [
        0,
        -1123367174,
        -28779653,
      ]
    `);
  });
});

/** Aggregates whose undo or merge gives equal states for equal inputs, with the values to feed them. */
const smallNumber = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null });
const letter = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null });
const SUBJECTS: readonly (readonly [
  name: string,
  types: readonly SqlType[],
  row: fc.Arbitrary<SqlValue[]>,
  literals: [SqlType, SqlValue][],
])[] = [
  ['COUNT', [INTEGER], fc.tuple(smallNumber), []],
  ['SUM', [INTEGER], fc.tuple(smallNumber), []],
  [
    'SUM',
    [BIGINT],
    fc.tuple(
      fc.option(fc.constantFrom<SqlValue>(1, MAX_BIGINT, MIN_BIGINT, Number.MAX_SAFE_INTEGER), { nil: null }),
    ),
    [],
  ],
  ['AVG', [INTEGER], fc.tuple(smallNumber), []],
  ['MIN', [INTEGER], fc.tuple(smallNumber), []],
  ['MAX', [STRING], fc.tuple(letter), []],
  ['SUM_LIST', [array(INTEGER)], fc.tuple(fc.array(smallNumber)), []],
  ['HISTOGRAM', [STRING], fc.tuple(letter), []],
  ['ATTR', [STRING], fc.tuple(letter), []],
  ['CORRELATION', [INTEGER, INTEGER], fc.tuple(smallNumber, smallNumber), []],
  ['COLLECT_LIST', [STRING], fc.tuple(letter), []],
  ['COLLECT_SET', [STRING], fc.tuple(letter), []],
  ['TOPK', [INTEGER], fc.tuple(smallNumber), [[INTEGER, 3]]],
  ['TOPKDISTINCT', [INTEGER], fc.tuple(smallNumber), [[INTEGER, 3]]],
  ['STDDEV_SAMPLE', [INTEGER], fc.tuple(smallNumber), []],
];

describe.each(SUBJECTS)('%s of %j', (name, types, row, literals) => {
  const close = (a: SqlValue, b: SqlValue): void => {
    if (typeof a === 'number' && typeof b === 'number' && !Number.isNaN(a)) expect(a).toBeCloseTo(b, 6);
    else expect(a).toEqual(b);
  };

  test('merging is adding all', () => {
    const fn = aggregator(name, types, literals);
    fc.assert(
      fc.property(fc.array(row), fc.array(row), (left, right) => {
        close(
          fn.result(fn.merge!(addAll(fn, left), addAll(fn, right))),
          fn.result(addAll(fn, [...left, ...right])),
        );
      }),
    );
  });

  test('undoing the last takes it back, and no state is changed in place', () => {
    const fn = aggregator(name, types, literals);
    fc.assert(
      fc.property(fc.array(row), row, (rows, last) => {
        const state = addAll(fn, rows);
        const copy = structuredClone(state);
        const added = fn.add(state, ...last);
        if (fn.undo !== undefined) close(fn.result(fn.undo(added, ...last)), fn.result(state));
        expect(state).toEqual(copy);
      }),
    );
  });
});
