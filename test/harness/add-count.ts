import type { Serde } from '../../src/streams/topology/serde.ts';
import { aggregateStream } from '../../src/streams/processors/aggregate-stream.ts';
import type { Processor } from '../../src/streams/topology/processor.ts';
import type { Topology } from '../../src/streams/topology/topology.ts';
import { numberValues } from './number-values.ts';

export interface CountOptions {
  /** What it counts the records of. */
  readonly parent?: string;
  readonly open?: () => Processor;
  readonly changelog?: boolean;
  readonly persistent?: boolean;
  /** What readers from outside encode keys with. */
  readonly keys?: Serde;
}

/** Counts the records of each key: the processor `count` over the store `counts`. */
export function addCount(topology: Topology, options: CountOptions = {}): Topology {
  const { parent = 'read', open = countRecords, changelog = true, persistent = true, keys } = options;
  return topology.addProcessor({ name: 'count', parents: [parent], open }).addStore({
    options: { kind: 'key-value', name: 'counts', values: numberValues, changelog, persistent },
    processors: ['count'],
    ...(keys === undefined ? {} : { keys }),
  });
}

/** The processor of `addCount`. */
export const countRecords: () => Processor = aggregateStream({
  store: 'counts',
  initial: () => 0,
  add: (n) => (n as number) + 1,
  sendOldValues: false,
  coalesce: false,
});
