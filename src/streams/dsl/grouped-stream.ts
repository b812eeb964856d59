import { addAggregate, traitsOf, type WindowedAggregation } from '../operations/aggregate.ts';
import type { Serde } from '../topology/serde.ts';
import { CogroupedKStream } from './cogrouped.ts';
import { type AggregateFunctions, aggregating, COUNT, reducing } from './aggregations.ts';
import { GraphNode, type GraphNodeOptions, nameGiven } from './graph.ts';
import { repartitionNode } from './repartition-node.ts';
import type { StreamHandle } from './stream-handle.ts';
import { KTable } from './ktable.ts';
import { historyOf, materialize, statesOf } from './materialize.ts';
import type { Grouped, Materialized, Named } from './options.ts';
import { Serdes } from './serdes.ts';
import { StoredTable } from './table-suppliers.ts';
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
    return this.build('KSTREAM-AGGREGATE-', COUNT, null, Serdes.long, materialized ?? {}, named);
  }

  /** A state for each key: `initializer` makes the first, `aggregator` the next from each record. */
  aggregate<VR>(
    initializer: () => VR,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<K, VR> {
    const functions = aggregating(initializer, aggregator);
    return this.build('KSTREAM-AGGREGATE-', functions, null, undefined, materialized, named);
  }

  /** As `aggregate`, where the state is a value: the first record of a key is its state. */
  reduce(
    reducer: (aggregate: V, value: V) => V,
    materialized: Materialized<K, V> = {},
    named: Named = {},
  ): KTable<K, V> {
    const functions = reducing(reducer, 'reducer');
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
    return this.grouped.keySerde ?? this.handle.keySerde;
  }

  /** @internal */
  get valueSerde(): Serde | undefined {
    return this.grouped.valueSerde ?? this.handle.valueSerde;
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
    functions: AggregateFunctions,
    windows: Pick<WindowedAggregation, 'windows' | 'emit'> | null,
    fallbackSerde: Serde | undefined,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<K, VR> {
    const { graph } = this.handle;
    const store = materialize(graph, materialized, prefix);
    const name = graph.nameFor(named.name, prefix);
    const keySerde = materialized.keySerde ?? this.keySerde;
    const valueSerde = materialized.valueSerde ?? fallbackSerde;
    const { initial, add, merge } = functions;
    const windowed = windows && { ...windows, merge };
    const states = statesOf(store, windowed, valueSerde, graph);
    const parent = this.parentFor(store.name);
    const supplier = new StoredTable(store.name);
    graph.keySerdes.set(store.name, keySerde);
    const { coalesce = false } = materialized;
    const write: GraphNodeOptions['write'] = (topology, parents) => {
      const changes = { sendOldValues: supplier.sendOldValues, coalesce };
      addAggregate(topology, { name, parents, initial, add, ...changes, windowed, store: states() });
    };
    const node = graph.add([parent], new GraphNode({ name, write }));
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
