import { describe, expect, test } from 'vitest';
import { SqlError } from '../../../src/common/error.ts';
import type { AggregateFunction, ScalarFunction } from '../../../src/functions/function.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import type { ArgumentType, LambdaShape } from '../../../src/functions/match-signature.ts';
import { resolveAggregate, resolveScalar, resolveTable } from '../../../src/functions/resolve.ts';
import { fixed, parameter, variadic } from '../../../src/functions/signature.ts';
import {
  array,
  BIGINT,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  type SqlType,
} from '../../../src/types/sql-type.ts';

function scalar(name: string, ...args: ArgumentType[]): ReturnType<typeof resolveScalar> {
  return resolveScalar(builtinFunctions.get(name) as ScalarFunction, args);
}

function sqlError(action: () => unknown): SqlError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(SqlError);
    return error as SqlError;
  }
  throw new Error('nothing was thrown');
}

function lambda(parameterCount: number, typeBody: (types: readonly SqlType[]) => SqlType): LambdaShape {
  return { kind: 'lambda', parameterCount, typeBody };
}

describe('overloads', () => {
  test('an exact match wins over casts', () => {
    expect(scalar('ABS', BIGINT).returns).toEqual(BIGINT);
    expect(scalar('ROUND', INTEGER).returns).toEqual(BIGINT);
    expect(scalar('ROUND', DOUBLE, INTEGER).returns).toEqual(DOUBLE);
    expect(scalar('ROUND', decimal(12, 7)).returns).toEqual(decimal(5, 0));
  });

  test('numbers widen when nothing fits exactly', () => {
    const resolved = scalar('GEO_DISTANCE', DOUBLE, INTEGER, decimal(3, 1), BIGINT);
    expect(resolved.argumentTypes).toEqual([DOUBLE, DOUBLE, DOUBLE, DOUBLE]);
  });

  test('of several without variadics the narrowest wins', () => {
    expect(scalar('POWER', INTEGER, BIGINT).argumentTypes).toEqual([BIGINT, BIGINT]);
  });

  test('equal candidates are ambiguous, with the candidates as the hint', () => {
    const error = sqlError(() => scalar('GREATEST', INTEGER, BIGINT));
    expect(error.code).toBe('ML_TYPE');
    expect(error.message).toContain('GREATEST(INTEGER, BIGINT)');
    expect(error.hint).toContain('GREATEST(first BIGINT, others BIGINT[])');
    expect(sqlError(() => scalar('LEAST', null, null)).message).toContain('more than one');
    expect(sqlError(() => scalar('ABS', null)).message).toContain('more than one');
  });

  test('no candidate: what was given and what there is', () => {
    const error = sqlError(() => scalar('SUBSTRING', BIGINT, INTEGER));
    expect(error.message).toContain('SUBSTRING(BIGINT, INTEGER)');
    expect(error.hint).toContain('SUBSTRING(input STRING, position INTEGER, length INTEGER)');
    expect(sqlError(() => scalar('COALESCE')).code).toBe('ML_TYPE');
    expect(sqlError(() => scalar('GEO_DISTANCE', DOUBLE, DOUBLE, { kind: 'text' }, INTEGER)).code).toBe(
      'ML_TYPE',
    );
    expect(sqlError(() => scalar('DATEADD', DATE, INTEGER, DATE)).code).toBe('ML_TYPE');
  });

  test('NULL stands for any type, given by the other arguments', () => {
    expect(scalar('SUBSTRING', BYTES, null).argumentTypes).toEqual([BYTES, INTEGER]);
    expect(scalar('COALESCE', null, INTEGER).returns).toEqual(INTEGER);
    expect(sqlError(() => scalar('IFNULL', null, null)).hint).toContain('CAST');
  });

  test('a STRING is read as a date where only a date will do', () => {
    expect(scalar('UNIX_DATE', { kind: 'text' }).argumentTypes).toEqual([DATE]);
    expect(scalar('UNIX_DATE', STRING).argumentTypes).toEqual([DATE]);
    expect(scalar('UCASE', { kind: 'text' }).argumentTypes).toEqual([STRING]);
  });

  test('DECIMALs keep their own precision; GREATEST gives the one with room for all', () => {
    const resolved = scalar('GREATEST', decimal(2, 1), decimal(5, 3));
    expect(resolved.argumentTypes).toEqual([decimal(2, 1), decimal(5, 3)]);
    expect(resolved.returns).toEqual(decimal(5, 3));
  });

  test('an interval unit only fits a unit parameter', () => {
    expect(scalar('DATEADD', { kind: 'interval-unit' }, INTEGER, DATE).argumentTypes).toEqual([
      STRING,
      INTEGER,
      DATE,
    ]);
  });
});

describe('generics', () => {
  test('unify across arguments, and widen only if they must', () => {
    expect(scalar('ARRAY_CONTAINS', array(STRING), STRING).argumentTypes).toEqual([array(STRING), STRING]);
    expect(scalar('COALESCE', DOUBLE, decimal(2, 1)).argumentTypes).toEqual([DOUBLE, DOUBLE]);
    expect(scalar('ARRAY_CONTAINS', array(BIGINT), INTEGER).argumentTypes).toEqual([array(BIGINT), BIGINT]);
    expect(sqlError(() => scalar('ARRAY_CONTAINS', array(STRING), INTEGER)).code).toBe('ML_TYPE');
  });

  test('inside maps', () => {
    expect(scalar('MAP_VALUES', map(STRING, DATE)).returns).toEqual(array(DATE));
    expect(sqlError(() => scalar('MAP_VALUES', map(INTEGER, DATE))).code).toBe('ML_TYPE');
  });
});

describe('lambdas', () => {
  test('are typed from the collection, and give the result its type', () => {
    const seen: (readonly SqlType[])[] = [];
    const resolved = scalar(
      'TRANSFORM',
      array(INTEGER),
      lambda(1, (types) => {
        seen.push(types);
        return STRING;
      }),
    );
    expect(seen).toEqual([[INTEGER]]);
    expect(resolved.returns).toEqual(array(STRING));
    expect(resolved.lambdaParameters).toEqual([null, [INTEGER]]);
    expect(resolved.argumentTypes).toEqual([array(INTEGER), STRING]);
  });

  test('a map takes lambdas of two parameters', () => {
    const entry = lambda(2, ([key]) => key!);
    expect(
      scalar(
        'TRANSFORM',
        map(STRING, INTEGER),
        entry,
        lambda(2, () => DOUBLE),
      ).returns,
    ).toEqual(map(STRING, DOUBLE));
    expect(sqlError(() => scalar('FILTER', array(INTEGER), entry)).message).toContain('lambda of 2');
  });

  test('a body that is wider than the state widens the state and is typed again', () => {
    const seen: (readonly SqlType[])[] = [];
    const resolved = scalar(
      'REDUCE',
      array(BIGINT),
      INTEGER,
      lambda(2, (types) => {
        seen.push(types);
        return BIGINT;
      }),
    );
    expect(resolved.returns).toEqual(BIGINT);
    expect(resolved.argumentTypes).toEqual([array(BIGINT), BIGINT, BIGINT]);
    expect(seen.at(-1)).toEqual([BIGINT, BIGINT]);
  });

  test('a body of another type than the predicate’s is refused', () => {
    expect(
      sqlError(() =>
        scalar(
          'FILTER',
          array(INTEGER),
          lambda(1, () => STRING),
        ),
      ).code,
    ).toBe('ML_TYPE');
  });
});

describe('variadics', () => {
  const fn: ScalarFunction = {
    kind: 'scalar',
    name: 'SAMPLE',
    category: 'TEST',
    description: '',
    examples: [],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('a', INTEGER), parameter('b', STRING)], STRING, () => 'two'),
      fixed(
        [parameter('a', INTEGER), variadic('middle', STRING), parameter('z', INTEGER)],
        STRING,
        () => 'middle',
      ),
      fixed([variadic('all', INTEGER)], STRING, () => 'all'),
    ],
  };

  test('may stand in the middle and take nothing', () => {
    expect(resolveScalar(fn, [INTEGER, STRING, STRING, INTEGER]).signature).toBe(fn.signatures[1]);
    expect(resolveScalar(fn, [INTEGER, STRING]).signature).toBe(fn.signatures[0]);
    expect(resolveScalar(fn, []).signature).toBe(fn.signatures[2]);
  });

  test('more parameters written out win', () => {
    expect(resolveScalar(fn, [INTEGER, INTEGER]).signature).toBe(fn.signatures[1]);
  });
});

describe('aggregates', () => {
  const aggregate = (name: string): AggregateFunction => builtinFunctions.get(name) as AggregateFunction;

  test('literals are told from columns by the signature', () => {
    const resolved = resolveAggregate(aggregate('LATEST_BY_OFFSET'), [
      { type: STRING },
      { type: INTEGER, literal: 2 },
      { type: { kind: 'boolean' }, literal: false },
    ]);
    expect(resolved.argumentTypes).toEqual([STRING]);
    expect(resolved.literals).toEqual([2, false]);
    expect(resolved.returns).toEqual(array(STRING));
  });

  test('an expression where a literal must be is refused', () => {
    const error = sqlError(() =>
      resolveAggregate(aggregate('EARLIEST_BY_OFFSET'), [{ type: INTEGER }, { type: INTEGER }]),
    );
    expect(error.message).toContain('argument 2 of EARLIEST_BY_OFFSET');
  });

  test('TOPK with more columns gives structs', () => {
    const resolved = resolveAggregate(aggregate('TOPK'), [
      { type: INTEGER },
      { type: STRING },
      { type: INTEGER, literal: 3 },
    ]);
    expect(resolved.argumentTypes).toEqual([INTEGER, STRING]);
    expect(resolved.returns).toEqual(
      array({
        kind: 'struct',
        fields: [
          { name: 'sort_col', type: INTEGER },
          { name: 'col0', type: STRING },
        ],
      }),
    );
  });

  test('SUM of a DECIMAL keeps its type, AVG of one is a DOUBLE', () => {
    expect(resolveAggregate(aggregate('SUM'), [{ type: decimal(4, 1) }]).returns).toEqual(decimal(4, 1));
    expect(resolveAggregate(aggregate('AVG'), [{ type: decimal(4, 1) }]).argumentTypes).toEqual([DOUBLE]);
    expect(sqlError(() => resolveAggregate(aggregate('MAX'), [{ type: { kind: 'boolean' } }])).code).toBe(
      'ML_TYPE',
    );
  });
});

test('table functions: EXPLODE of an array, not of a map', () => {
  const explode = builtinFunctions.get('EXPLODE')!;
  if (explode.kind !== 'table') throw new Error('EXPLODE is a table function');
  expect(resolveTable(explode, [array(decimal(3, 1))]).returns).toEqual(decimal(3, 1));
  expect(sqlError(() => resolveTable(explode, [map(STRING, INTEGER)])).hint).toContain(
    'EXPLODE(list ARRAY<T>)',
  );
});
