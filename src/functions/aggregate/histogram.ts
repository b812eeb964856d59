import { BIGINT, map, STRING } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { over, parameter } from '../signature.ts';

type Counts = ReadonlyMap<string, number>;

/** As in ksqlDB: values beyond this many different ones are not counted. */
const MAX_SIZE = 1000;

function change(counts: Counts, value: SqlValue, by: number): Counts {
  if (value === null) return counts;
  const count = (counts.get(value as string) ?? 0) + by;
  if (count === by && (by < 0 || counts.size >= MAX_SIZE)) return counts;
  const changed = new Map(counts);
  if (count > 0) changed.set(value as string, count);
  else changed.delete(value as string);
  return changed;
}

const counter: Aggregator = {
  stateType: map(STRING, BIGINT),
  initial: () => new Map(),
  add: (state: SqlValue, value: SqlValue) => change(state as Counts, value, 1),
  undo: (state: SqlValue, value: SqlValue) => change(state as Counts, value, -1),
  merge: (left, right) =>
    [...(right as Counts)].reduce((counts, [value, by]) => change(counts, value, by), left as Counts),
  result: (state) => state,
};

export const histogram: AggregateDefinition = {
  name: 'HISTOGRAM',
  description: `How often each text came, for the first ${MAX_SIZE} different ones.`,
  examples: [over('X STRING', ["'a'", "'b'", "'a'"], 'HISTOGRAM(X)', "MAP('a' := 2, 'b' := 1)")],
  signatures: [
    { parameters: [parameter('value', STRING)], returns: map(STRING, BIGINT), open: () => counter },
  ],
};
