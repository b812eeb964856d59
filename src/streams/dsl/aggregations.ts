import type { WindowedAggregation } from '../operations/aggregate.ts';
import type { AggregateTableOptions } from '../processors/aggregate-table.ts';
import { userKey } from './graph.ts';
import { given, initialOf, plain } from './user-function.ts';

/** The functions of a user's aggregate. Sessions join states, tables take rows back. */
export interface AggregateFunctions extends Pick<AggregateTableOptions, 'initial' | 'add'> {
  readonly undo?: AggregateTableOptions['undo'];
  readonly merge?: WindowedAggregation['merge'];
}

export const COUNT: Required<AggregateFunctions> = {
  initial: () => 0,
  add: (state) => (state as number) + 1,
  undo: (state) => (state as number) - 1,
  merge: (_key, left, right) => (left as number) + (right as number),
};

type Folder<K, V, VR> = (key: K, value: V, aggregate: VR) => VR;

/** A function that takes a value into a state. `what`: which one it is. */
export function folding<K, V, VR>(folder: Folder<K, V, VR>, what: string): AggregateFunctions['add'] {
  return (state, value, key) => given(folder(userKey(key) as K, value as V, state as VR), what);
}

/** `aggregate` of a stream. */
export function aggregating<K, V, VR>(
  initializer: () => VR,
  aggregator: Folder<K, V, VR>,
  merger?: (key: K, left: VR, right: VR) => VR,
): AggregateFunctions {
  plain(aggregator, 'aggregate');
  if (merger !== undefined) plain(merger, 'aggregate');
  return {
    initial: initialOf(initializer),
    add: folding(aggregator, 'aggregator'),
    ...(merger && { merge: merging(merger) }),
  };
}

export function merging<K, VR>(
  merger: (key: K, left: VR, right: VR) => VR,
): NonNullable<AggregateFunctions['merge']> {
  return (key, left, right) => given(merger(userKey(key) as K, left as VR, right as VR), 'merger');
}

/** `reduce`: the first value is the state. */
export function reducing<V>(reducer: (aggregate: V, value: V) => V, what: string): AggregateFunctions {
  plain(reducer, 'reduce');
  const combine = (left: unknown, right: unknown): unknown =>
    left === null ? right : given(reducer(left as V, right as V), what);
  return { initial: () => null, add: combine, merge: (_key, left, right) => combine(left, right) };
}
