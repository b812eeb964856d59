import { openEquality } from '../../types/compare-values.ts';
import { array, INTEGER, struct, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { over, parameter, T } from '../signature.ts';

type Entry = readonly [value: SqlValue, count: number];
type Entries = readonly Entry[];

function openAttribute(type: SqlType): Aggregator {
  const equal = openEquality(type);
  const change = (entries: Entries, value: SqlValue, by: number): Entries => {
    const at = entries.findIndex(([other]) => equal(other, value) || Object.is(other, value));
    if (at < 0) return by > 0 ? [...entries, [value, by]] : entries;
    const count = entries[at]![1] + by;
    return count > 0 ? entries.with(at, [entries[at]![0], count]) : entries.toSpliced(at, 1);
  };
  return {
    stateType: array(
      struct([
        { name: 'VALUE', type },
        { name: 'COUNT', type: INTEGER },
      ]),
    ),
    initial: () => [],
    add: (state: SqlValue, value: SqlValue) => change(state as Entries, value, 1),
    undo: (state: SqlValue, value: SqlValue) => change(state as Entries, value, -1),
    merge: (left, right) =>
      (right as Entries).reduce((entries, [value, count]) => change(entries, value, count), left as Entries),
    result: (state) => ((state as Entries).length === 1 ? (state as Entries)[0]![0] : null),
  };
}

export const attr: AggregateDefinition = {
  name: 'ATTR',
  description: 'The value that all rows share, or null if they differ. Null counts as a value.',
  examples: [
    over('X STRING', ["'a'", "'a'"], 'ATTR(X)', "'a'"),
    over('X STRING', ["'a'", "'b'"], 'ATTR(X)', 'NULL'),
  ],
  signatures: [{ parameters: [parameter('value', T)], returns: T, open: ([type]) => openAttribute(type!) }],
};
