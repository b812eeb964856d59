import { BIGINT, DOUBLE, INTEGER, struct } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { over, parameter } from '../signature.ts';

type Spread = readonly [sum: number, count: number, m2: number];

const SPREAD = struct([
  { name: 'SUM', type: DOUBLE },
  { name: 'COUNT', type: BIGINT },
  { name: 'M2', type: DOUBLE },
]);

/** Sums of squared differences from the mean, one value at a time (Youngs and Cramer, 1971). */
function openSpread(finish: (variance: number) => number): Aggregator {
  return {
    stateType: SPREAD,
    initial: () => [0, 0, 0],
    add(state: SqlValue, value: SqlValue) {
      if (value === null) return state;
      const [sum, count, m2] = state as Spread;
      const x = Number(value);
      const n = count + 1;
      const total = sum + x;
      if (n === 1) return [total, n, 0];
      return [total, n, m2 + (n * x - total) ** 2 / (n * (n - 1))];
    },
    undo(state: SqlValue, value: SqlValue) {
      if (value === null) return state;
      const [sum, count, m2] = state as Spread;
      const x = Number(value);
      const n = count - 1;
      if (n <= 0) return [0, 0, 0];
      // Undoes `add`: its total was `sum`, its n was `count`.
      return [sum - x, n, Math.max(0, m2 - (count * x - sum) ** 2 / (count * n))];
    },
    merge(left, right) {
      const [leftSum, leftCount, leftM2] = left as Spread;
      const [rightSum, rightCount, rightM2] = right as Spread;
      if (leftCount === 0) return right;
      if (rightCount === 0) return left;
      const count = leftCount + rightCount;
      const delta = rightSum / rightCount - leftSum / leftCount;
      return [leftSum + rightSum, count, leftM2 + rightM2 + (delta * delta * leftCount * rightCount) / count];
    },
    result(state) {
      const [, count, m2] = state as Spread;
      return count < 2 ? 0 : finish(m2 / (count - 1));
    },
  };
}

type Pairs = readonly [count: number, x: number, y: number, xx: number, yy: number, xy: number];

const PAIRS = struct([
  { name: 'COUNT', type: BIGINT },
  ...['SUM_X', 'SUM_Y', 'SUM_XX', 'SUM_YY', 'SUM_XY'].map((name) => ({ name, type: DOUBLE })),
]);

function step(state: SqlValue, first: SqlValue, second: SqlValue, sign: 1 | -1): SqlValue {
  if (first === null || second === null) return state;
  const [count, sumX, sumY, sumXX, sumYY, sumXY] = state as Pairs;
  const x = Number(first);
  const y = Number(second);
  return [
    count + sign,
    sumX + sign * x,
    sumY + sign * y,
    sumXX + sign * x * x,
    sumYY + sign * y * y,
    sumXY + sign * x * y,
  ];
}

const pearson: Aggregator = {
  stateType: PAIRS,
  initial: () => [0, 0, 0, 0, 0, 0],
  add: (state: SqlValue, x: SqlValue, y: SqlValue) => step(state, x, y, 1),
  undo: (state: SqlValue, x: SqlValue, y: SqlValue) => step(state, x, y, -1),
  merge: (left, right) => (left as Pairs).map((value, i) => value + (right as Pairs)[i]!),
  result(state) {
    const [count, x, y, xx, yy, xy] = state as Pairs;
    return (count * xy - x * y) / Math.sqrt((count * xx - x * x) * (count * yy - y * y));
  },
};

const NUMBERS = [INTEGER, BIGINT, DOUBLE];

export const correlation: AggregateDefinition = {
  name: 'CORRELATION',
  description:
    'Pearson’s correlation of two columns; pairs with a null are left out. NaN when it is not defined.',
  examples: [over('X INTEGER, Y INTEGER', ['1, 4', '2, 6', '3, 8'], 'CORRELATION(X, Y)', '1E0')],
  signatures: NUMBERS.map((type) => ({
    parameters: [parameter('x', type), parameter('y', type)],
    returns: DOUBLE,
    open: () => pearson,
  })),
};

export const stddevSamp: AggregateDefinition = {
  name: 'STDDEV_SAMP',
  description:
    'The sample variance, as ksqlDB’s function of this name gives it; 0 for fewer than two values. STDDEV_SAMPLE is the standard deviation.',
  examples: [over('X INTEGER', ['2', '4', '6'], 'STDDEV_SAMP(X)', '4E0')],
  signatures: NUMBERS.map((type) => ({
    parameters: [parameter('value', type)],
    returns: DOUBLE,
    open: () => openSpread((variance) => variance),
  })),
};

export const stddevSample: AggregateDefinition = {
  name: 'STDDEV_SAMPLE',
  description: 'The sample standard deviation; 0 for fewer than two values.',
  examples: [over('X INTEGER', ['2', '4', '6'], 'STDDEV_SAMPLE(X)', '2E0')],
  signatures: NUMBERS.map((type) => ({
    parameters: [parameter('value', type)],
    returns: DOUBLE,
    open: () => openSpread(Math.sqrt),
  })),
};
