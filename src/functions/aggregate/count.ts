import { BIGINT } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { over, parameter } from '../signature.ts';

const counter: Aggregator = {
  stateType: BIGINT,
  initial: () => 0,
  add: (state: SqlValue, value: SqlValue) => (value === null ? state : (state as number) + 1),
  undo: (state: SqlValue, value: SqlValue) => (value === null ? state : (state as number) - 1),
  merge: (left, right) => (left as number) + (right as number),
  result: (state) => state,
};

export const count: AggregateDefinition = {
  name: 'COUNT',
  description: 'How many values are not null. COUNT(*) counts rows.',
  examples: [
    over('X STRING', ["'a'", 'NULL', "'b'"], 'COUNT(X)', '2'),
    over('X STRING', ["'a'", 'NULL', "'b'"], 'COUNT(*)', '3'),
  ],
  signatures: [{ parameters: [parameter('value', { kind: 'any' })], returns: BIGINT, open: () => counter }],
};
