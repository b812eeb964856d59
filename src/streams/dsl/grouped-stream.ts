import { addAggregate, traitsOf, type WindowedAggregation } from '../operations/aggregate.ts';
import type { Aggregation } from '../processors/aggregate.ts';
import type { Serde } from '../topology/serde.ts';
import { CogroupedKStream } from './cogrouped.ts';
import { GraphNode, nameGiven, userKey } from './graph.ts';
import { repartitionNode } from './repartition-node.ts';
import type { StreamHandle } from './stream-handle.ts';
import { KTable } from './ktable.ts';
import { type AnyMaterialized, historyOf, materialize, statesOf } from './materialize.ts';
import type { Grouped, Materialized, Named } from './options.ts';
import { Serdes } from './serdes.ts';
import { StoredTable } from './table-suppliers.ts';
import { given, initialOf, plain } from './user-function.ts';
import { type FixedWindows, SessionWindowedKStream, TimeWindowedKStream } from './windowed-stream.ts';
import { SessionWindows } from './windows.ts';

/** Records of a stream by key, ready to be aggregated. Records without a key or value do not take part. */
export class KGroupedStream<K, V> {
  /** @internal */
  readonly handle: StreamHandle;
  /** @internal */
  readonly grouped: Grouped<K, V>;
  #repartition: GraphNode | null = null;

  /** @internal */
  constructor(handle: StreamHandle, grouped: Grouped<K, V>) {
    this.handle = handle;
    this.grouped = grouped;
    if (grouped.name !== undefined) nameGiven(grouped.name);
  }

  /** How many records each key has had. */
  count(materialized?: Materialized<K, number>, named: Named = {}): KTable<K, number> {
    // Kafka Streams uses up a name here; it is in the names of topics that follow.
    if (materialized !== undefined && materialized.name === undefined)
      this.handle.graph.newStoreName('KSTREAM-AGGREGATE-');
    const functions: Aggregation = { initial: () => 0, add: (state) => (state as number) + 1 };
    return this.build('KSTREAM-AGGREGATE-', functions, null, Serdes.long as Serde, materialized ?? {}, named);
  }

  /** A state for each key: `initializer` makes the first, `aggregator` the next from each record. */
  aggregate<VR>(
    initializer: () => VR,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<K, VR> {
    plain(aggregator, 'aggregate');
    const functions: Aggregation = {
      initial: initialOf(initializer),
      add: (state, value, key) => given(aggregator(userKey(key) as K, value as V, state as VR), 'aggregator'),
    };
    return this.build('KSTREAM-AGGREGATE-', functions, null, undefined, materialized, named);
  }

  /** As `aggregate`, where the state is a value: the first record of a key is its state. */
  reduce(
    reducer: (aggregate: V, value: V) => V,
    materialized: Materialized<K, V> = {},
    named: Named = {},
  ): KTable<K, V> {
    plain(reducer, 'reduce');
    const functions: Aggregation = {
      initial: () => null,
      add: (state, value) => (state === null ? value : given(reducer(state as V, value as V), 'reducer')),
    };
    return this.build('KSTREAM-REDUCE-', functions, null, this.valueSerde, materialized, named);
  }

  /** Aggregates by window, too. */
  windowedBy(windows: FixedWindows): TimeWindowedKStream<K, V>;
  windowedBy(windows: SessionWindows): SessionWindowedKStream<K, V>;
  windowedBy(windows: FixedWindows | SessionWindows): unknown {
    return windows instanceof SessionWindows
      ? new SessionWindowedKStream(this, windows, 'update')
      : new TimeWindowedKStream(this, windows, 'update');
  }

  /** Aggregates several grouped streams into one state. */
  cogroup<VR>(aggregator: (key: K, value: V, aggregate: VR) => VR): CogroupedKStream<K, VR> {
    return new CogroupedKStream<K, VR>([]).cogroup(this, aggregator);
  }

  /** @internal */
  get keySerde(): Serde | undefined {
    return (this.grouped.keySerde as Serde | undefined) ?? this.handle.keySerde;
  }

  /** @internal */
  get valueSerde(): Serde | undefined {
    return (this.grouped.valueSerde as Serde | undefined) ?? this.handle.valueSerde;
  }

  /** @internal The node that aggregates stand below: behind a repartition topic when the key was changed. */
  parentFor(storeName: string): GraphNode {
    const { graph, node, repartitionRequired, window } = this.handle;
    if (!repartitionRequired) return node;
    const { name } = this.grouped;
    const made = repartitionNode(graph, {
      prefix: name ?? storeName,
      keySerde: this.keySerde,
      valueSerde: this.valueSerde,
      window,
      mergeable: true,
    });
    if (this.#repartition === null || name === undefined) this.#repartition = made;
    graph.add([node], this.#repartition);
    return this.#repartition;
  }

  /** @internal */
  build<VR>(
    prefix: string,
    functions: Aggregation,
    windowed: WindowedAggregation | null,
    fallbackSerde: Serde | undefined,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<K, VR> {
    const { graph } = this.handle;
    const store = materialize(graph, materialized as AnyMaterialized, prefix);
    const name = graph.nameFor(named.name, prefix);
    const keySerde = (materialized.keySerde as Serde | undefined) ?? this.keySerde;
    const valueSerde = (materialized.valueSerde as Serde | undefined) ?? fallbackSerde;
    const states = statesOf(store, windowed, valueSerde, graph);
    const parent = this.parentFor(store.name);
    const supplier = new StoredTable(store.name);
    graph.keySerdes.set(store.name, keySerde);
    const { initial, add } = functions;
    const { coalesce = false } = materialized;
    const node = new GraphNode({
      name,
      write: (topology, parents) => {
        const { sendOldValues } = supplier;
        const changes = { sendOldValues, coalesce };
        addAggregate(topology, { name, parents, initial, add, ...changes, windowed, store: states() });
      },
    });
    graph.add([parent], node);
    const traits = windowed === null ? undefined : traitsOf(windowed.windows);
    return new KTable({
      graph,
      node,
      keySerde,
      valueSerde,
      sources: parent === this.handle.node ? this.handle.sources : new Set([parent.name]),
      supplier,
      queryableStore: materialized.name,
      window: traits?.keys,
      graceMs: traits?.graceMs,
      historyMs: historyOf(store),
    });
  }
}
