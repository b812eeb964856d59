import { BIGINT, DOUBLE, INTEGER, struct, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { over, parameter } from '../signature.ts';
import { openArithmetic } from './sum.ts';

type State = readonly [sum: SqlValue, count: number];

function openAverage(type: SqlType): Aggregator {
  // INTEGERs are summed as BIGINT: their average does not overflow.
  const sumType = type.kind === 'integer' ? BIGINT : type;
  const { zero, add, sub } = openArithmetic(sumType);
  return {
    stateType: struct([
      { name: 'SUM', type: sumType },
      { name: 'COUNT', type: BIGINT },
    ]),
    initial: () => [zero, 0],
    add(state: SqlValue, value: SqlValue) {
      if (value === null) return state;
      const [sum, count] = state as State;
      return [add(sum, value), count + 1];
    },
    undo(state: SqlValue, value: SqlValue) {
      if (value === null) return state;
      const [sum, count] = state as State;
      return [sub(sum, value), count - 1];
    },
    merge(left, right) {
      const [leftSum, leftCount] = left as State;
      const [rightSum, rightCount] = right as State;
      return [add(leftSum, rightSum), leftCount + rightCount];
    },
    result(state) {
      const [sum, count] = state as State;
      return count === 0 ? 0 : Number(sum) / count;
    },
  };
}

export const avg: AggregateDefinition = {
  name: 'AVG',
  description: 'The average of the values that are not null; 0 if there are none.',
  examples: [over('X INTEGER', ['1', '2', 'NULL'], 'AVG(X)', '1.5E0')],
  signatures: [INTEGER, BIGINT, DOUBLE].map((type) => ({
    parameters: [parameter('value', type)],
    returns: DOUBLE,
    open: () => openAverage(type),
  })),
};
