import { aggregateStream } from '../processors/aggregate-stream.ts';
import type { Aggregation } from '../processors/aggregate.ts';
import type { Processor } from '../topology/processor.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import { GraphNode, userKey } from './graph.ts';
import type { StoreDefinition } from '../topology/topology.ts';
import type { KGroupedStream } from './grouped-stream.ts';
import { union } from './stream-handle.ts';
import { KTable } from './ktable.ts';
import {
  type AnyMaterialized,
  historyOf,
  keyValueStore,
  materialize,
  type StorePlan,
  timedStore,
} from './materialize.ts';
import type { Materialized, Named } from './options.ts';
import { passChanges } from '../processors/pass-through.ts';
import { StoredTable } from './table-suppliers.ts';
import { given, initialOf, plain } from './user-function.ts';
import {
  type FixedWindows,
  retentionOf,
  type SessionAggregation,
  sessionWindowKind,
  timeWindowKind,
  type WindowKind,
} from './windowed-stream.ts';
import { SessionWindows } from './windows.ts';
import type { Windowed } from '../topology/windowed.ts';

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
        this.#build(
          initializer,
          merger,
          sessionWindowKind(windows),
          materialized,
          named,
        ) as unknown as KTable<Windowed<K>, VR>;
      return { aggregate };
    }
    const aggregate: WindowedAggregate<K, VR> = (initializer, materialized = {}, named = {}) =>
      this.#build(initializer, undefined, timeWindowKind(windows), materialized, named) as unknown as KTable<
        Windowed<K>,
        VR
      >;
    return { aggregate };
  }

  #build(
    initial: () => VR,
    merger: ((key: K, left: VR, right: VR) => VR) | undefined,
    kind: WindowKind | null,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<unknown, unknown> {
    const { graph } = this.#members[0]!.stream.handle;
    const prefix = 'COGROUPKSTREAM-AGGREGATE-';
    const store: StorePlan = materialize(graph, materialized as AnyMaterialized, prefix);
    const valueSerde = materialized.valueSerde as Serde | undefined;
    const retentionMs = kind === null ? 0 : retentionOf(store, kind, 'update');
    let made: StoreDefinition | null = null;
    // One for all members.
    const makeStore = (): StoreDefinition =>
      (made ??=
        kind === null
          ? keyValueStore(store, valueSerde, graph)
          : timedStore(store, kind.store, retentionMs, kind.lengthFrom ?? kind.sizeMs, valueSerde, graph));
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
      const functions: SessionAggregation = {
        initial: initialOf(initial),
        add: ((state, value, key) =>
          given(aggregator(userKey(key) as K, value, state), 'aggregator')) as Aggregation['add'],
        merge: (key, left, right) =>
          merger === undefined ? left : given(merger(userKey(key) as K, left as VR, right as VR), 'merger'),
      };
      const open = (): Processor => {
        // Of changes by several members only the table as a whole knows which is a key's last.
        const sendOldValues = coalesce || supplier.sendOldValues;
        if (kind === null)
          return aggregateStream({ ...functions, store: store.name, sendOldValues, coalesce: false })();
        return kind.open(functions, store.name, 'update', sendOldValues, false)();
      };
      const node = new GraphNode({
        name,
        write: (topology, above) =>
          topology.addProcessor({ name, parents: above, open, stores: [makeStore()] }),
      });
      graph.add([parents[i]!], node);
      return node;
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
    const window: WindowedKeyFormat | undefined =
      kind === null
        ? undefined
        : kind.store === 'session'
          ? { kind: 'session' }
          : { kind: 'time', sizeMs: kind.lengthFrom ?? kind.sizeMs };
    return new KTable({
      graph,
      node: merge,
      name: mergeName,
      keySerde: (materialized.keySerde as Serde | undefined) ?? this.#members[0]!.stream.keySerde,
      valueSerde,
      sources,
      supplier,
      queryableStore: materialized.name,
      window,
      graceMs: kind?.graceMs,
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
