import { addAggregate, traitsOf, type WindowedAggregation } from '../operations/aggregate.ts';
import { passChanges } from '../processors/pass-through.ts';
import type { Windowed } from '../topology/windowed.ts';
import { folding, merging } from './aggregations.ts';
import { GraphNode, type GraphNodeOptions } from './graph.ts';
import type { KGroupedStream } from './grouped-stream.ts';
import { KTable } from './ktable.ts';
import { historyOf, materialize, statesOf } from './materialize.ts';
import type { Materialized, Named } from './options.ts';
import { union } from './stream-handle.ts';
import { StoredTable } from './table-suppliers.ts';
import { initialOf, plain } from './user-function.ts';
import type { FixedWindows } from './windowed-stream.ts';
import { SessionWindows } from './windows.ts';

type Aggregator<K> = (key: K, value: unknown, aggregate: unknown) => unknown;

interface Member<K> {
  readonly stream: KGroupedStream<K, unknown>;
  readonly aggregator: Aggregator<K>;
}

/** Several grouped streams that are aggregated into one state a key. */
export class CogroupedKStream<K, VR> {
  readonly #members: readonly Member<K>[];

  /** @internal */
  constructor(members: readonly Member<K>[]) {
    this.#members = members;
  }

  /** One more stream, with what its records do to the state. */
  cogroup<V>(
    stream: KGroupedStream<K, V>,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
  ): CogroupedKStream<K, VR> {
    const member: Member<K> = {
      stream: stream as unknown as KGroupedStream<K, unknown>,
      aggregator: aggregator as Aggregator<K>,
    };
    return new CogroupedKStream([...this.#members, member]);
  }

  /** The table of states. */
  aggregate(initializer: () => VR, materialized: Materialized<K, VR> = {}, named: Named = {}): KTable<K, VR> {
    return this.#build(initializer, undefined, null, materialized, named) as KTable<K, VR>;
  }

  windowedBy(windows: FixedWindows): {
    aggregate: WindowedAggregate<K, VR>;
  };
  windowedBy(windows: SessionWindows): { aggregate: SessionAggregate<K, VR> };
  windowedBy(windows: FixedWindows | SessionWindows): unknown {
    if (windows instanceof SessionWindows) {
      const aggregate: SessionAggregate<K, VR> = (initializer, merger, materialized = {}, named = {}) =>
        this.#build(initializer, merger, windows, materialized, named) as unknown as KTable<Windowed<K>, VR>;
      return { aggregate };
    }
    const aggregate: WindowedAggregate<K, VR> = (initializer, materialized = {}, named = {}) =>
      this.#build(initializer, undefined, windows, materialized, named) as unknown as KTable<Windowed<K>, VR>;
    return { aggregate };
  }

  #build(
    initial: () => VR,
    merger: ((key: K, left: VR, right: VR) => VR) | undefined,
    windows: FixedWindows | SessionWindows | null,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<unknown, unknown> {
    const { graph } = this.#members[0]!.stream.handle;
    const prefix = 'COGROUPKSTREAM-AGGREGATE-';
    const store = materialize(graph, materialized, prefix);
    const valueSerde = materialized.valueSerde;
    const windowed: WindowedAggregation | null = windows && {
      windows,
      emit: 'update',
      merge: merger && merging(merger),
    };
    const states = statesOf(store, windowed, valueSerde, graph);
    const parents = this.#members.map(({ stream }) => stream.parentFor(store.name));
    let sources: ReadonlySet<string> = new Set();
    parents.forEach((parent, i) => {
      const { handle } = this.#members[i]!.stream;
      sources = union(sources, parent === handle.node ? handle.sources : new Set([parent.name]));
    });
    const copartitioned = graph.track(sources);
    const supplier = new StoredTable(store.name);
    const { coalesce = false } = materialized;
    if (merger !== undefined) plain(merger, 'aggregate');
    const aggregates = this.#members.map(({ aggregator }, i) => {
      plain(aggregator, 'cogroup');
      const name = graph.nameFor(named.name, prefix, `-cogroup-agg-${i}`);
      const add = folding(aggregator, 'aggregator');
      const aggregation = { name, initial: initialOf(initial), add, windowed, coalesce: false };
      const write: GraphNodeOptions['write'] = (topology, above) => {
        // Several members change a key: only the table behind them knows which change is the last.
        const sendOldValues = coalesce || supplier.sendOldValues;
        addAggregate(topology, { ...aggregation, parents: above, sendOldValues, store: states() });
      };
      return graph.add([parents[i]!], new GraphNode({ name, write }));
    });
    const mergeName = graph.nameFor(named.name, 'COGROUPKSTREAM-MERGE-', '-cogroup-merge');
    const merge = new GraphNode({
      name: mergeName,
      write: (topology, above) =>
        topology.addCopartition(copartitioned).addProcessor({
          name: mergeName,
          parents: above,
          open: passChanges(() => ({ sendOldValues: supplier.sendOldValues, coalesce })),
        }),
    });
    graph.add(aggregates, merge);
    const traits = windows === null ? undefined : traitsOf(windows);
    return new KTable({
      graph,
      node: merge,
      keySerde: materialized.keySerde ?? this.#members[0]!.stream.keySerde,
      valueSerde,
      sources,
      supplier,
      queryableStore: materialized.name,
      window: traits?.keys,
      graceMs: traits?.graceMs,
      historyMs: historyOf(store),
    });
  }
}

type WindowedAggregate<K, VR> = (
  initializer: () => VR,
  materialized?: Materialized<K, VR>,
  named?: Named,
) => KTable<Windowed<K>, VR>;
type SessionAggregate<K, VR> = (
  initializer: () => VR,
  merger: (key: K, left: VR, right: VR) => VR,
  materialized?: Materialized<K, VR>,
  named?: Named,
) => KTable<Windowed<K>, VR>;
