import type { StateStoreOptions } from '../../state/store.ts';
import { branch } from '../processors/branch.ts';
import { filterStream } from '../processors/filter.ts';
import { flatMapRecords } from '../processors/flat-map.ts';
import { flatMapStream } from '../processors/flat-map-values.ts';
import { forEach } from '../processors/for-each.ts';
import { joinBufferedStreamTable } from '../processors/join-buffered-stream-table.ts';
import { joinGlobalTable } from '../processors/join-global-table.ts';
import { joinStreamTable } from '../processors/join-stream-table.ts';
import { joinStreams, rememberForJoin, waitingValuesCodec } from '../processors/join-streams.ts';
import { mapStream } from '../processors/map-values.ts';
import { passThrough } from '../processors/pass-through.ts';
import type { Predicate, Processor } from '../processors/processor.ts';
import type { RecordKey } from '../processors/record-key.ts';
import { selectKey } from '../processors/select-key.ts';
import { selfJoinStream } from '../processors/self-join-stream.ts';
import { tableSource } from '../processors/table-source.ts';
import type { Serde } from '../topology/serde.ts';
import type { SinkNode, WindowedKeyFormat } from '../topology/topology.ts';
import { GlobalKTable } from './global-ktable.ts';
import {
  codecOf,
  type Graph,
  GraphNode,
  type GraphStore,
  need,
  pendingKeySerde,
  repartitionNode,
  userKey,
} from './graph.ts';
// oxlint-disable-next-line no-cycle -- streams give tables and tables give streams; used in methods only.
import { KGroupedStream } from './grouped-stream.ts';
// oxlint-disable-next-line no-cycle -- streams give tables and tables give streams; used in methods only.
import { KTable } from './ktable.ts';
import type {
  Grouped,
  Joined,
  Materialized,
  Named,
  Produced,
  Repartitioned,
  StreamJoined,
  StreamTableJoined,
} from './options.ts';
import {
  fixedKeyProcessor,
  type FixedKeyProcessorSupplier,
  type ProcessorSupplier,
  userProcessor,
} from './user-processor.ts';
import { historyOf, materialize } from './materialize.ts';
import { SourceTable } from './table-suppliers.ts';
import { TopologyError } from './topology-error.ts';
import { windowedSerde } from './windowed-serde.ts';
import type { JoinWindows } from './windows.ts';

/** Where a stream stands in the graph. */
export interface StreamHandle {
  readonly graph: Graph;
  readonly node: GraphNode;
  /** The name that repartition topics of joins are made from. */
  readonly name: string;
  readonly keySerde: Serde | undefined;
  readonly valueSerde: Serde | undefined;
  /** Names of the sources of its sub-topology. */
  readonly sources: ReadonlySet<string>;
  /** The key was changed since the records were put where their keys belong. */
  readonly repartitionRequired: boolean;
  /** Set where keys are windowed. */
  readonly window: WindowedKeyFormat | undefined;
}

export type KeyValue<K, V> = readonly [key: K, value: V];

type JoinKind = 'inner' | 'left' | 'outer';

/**
 * A stream of records, each an event of its own. Operations give new streams or tables and change nothing.
 *
 * Values may be null where the topic holds records without a value: say so in `V`. An operation that changes keys
 * marks the stream; the next that needs records of one key together (grouping, joins, `toTable`) puts a repartition
 * topic in between.
 */
export class KStream<K, V> {
  /** @internal */
  readonly handle: StreamHandle;
  #repartitioned: StreamHandle | null = null;

  /** @internal */
  constructor(handle: StreamHandle) {
    this.handle = handle;
  }

  /** Keeps the records for which `predicate` holds. */
  filter(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    return this.#filter((value, key) => predicate(userKey(key) as K, value as V), named);
  }

  /** Drops the records for which `predicate` holds. */
  filterNot(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    return this.#filter((value, key) => !predicate(userKey(key) as K, value as V), named);
  }

  /** A new key for each record. */
  selectKey<K2>(mapper: (key: K, value: V) => K2, named: Named = {}): KStream<K2, V> {
    const { graph, valueSerde } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-KEY-SELECT-');
    const open = selectKey((value, key) => mapper(userKey(key) as K, value as V), pendingKeySerde(name));
    const node = new GraphNode({
      name,
      changesKey: true,
      write: (plan, parents) => plan.processor(name, parents, open),
    });
    graph.add([this.handle.node], node);
    return new KStream(
      this.#next(node, { keySerde: undefined, valueSerde, repartitionRequired: true, window: undefined }),
    );
  }

  /** A new key and value for each record. */
  map<K2, V2>(mapper: (key: K, value: V) => KeyValue<K2, V2>, named: Named = {}): KStream<K2, V2> {
    return this.#flatMap('KSTREAM-MAP-', (key, value) => [mapper(key, value)], named);
  }

  /** Any number of records for each record. */
  flatMap<K2, V2>(
    mapper: (key: K, value: V) => Iterable<KeyValue<K2, V2>>,
    named: Named = {},
  ): KStream<K2, V2> {
    return this.#flatMap('KSTREAM-FLATMAP-', mapper, named);
  }

  /** A new value for each record. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, named: Named = {}): KStream<K, V2> {
    const { graph } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-MAPVALUES-');
    const open = mapStream((value, key) => mapper(value as V, userKey(key) as K));
    const node = new GraphNode({
      name,
      changesValue: true,
      write: (plan, parents) => plan.processor(name, parents, open),
    });
    graph.add([this.handle.node], node);
    return new KStream(this.#next(node, { valueSerde: undefined }));
  }

  /** Any number of values for each record. */
  flatMapValues<V2>(mapper: (value: V, key: K) => Iterable<V2>, named: Named = {}): KStream<K, V2> {
    const { graph } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-FLATMAPVALUES-');
    const open = flatMapStream((value, key, _timestamp, _record, emit) => {
      for (const each of mapper(value as V, userKey(key) as K)) emit(each);
    });
    const node = new GraphNode({
      name,
      changesValue: true,
      write: (plan, parents) => plan.processor(name, parents, open),
    });
    graph.add([this.handle.node], node);
    return new KStream(this.#next(node, { valueSerde: undefined }));
  }

  /** The end of a branch. */
  foreach(action: (key: K, value: V) => void, named: Named = {}): void {
    const { graph } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-FOREACH-');
    const open = forEach((key, value) => action(userKey(key) as K, value as V));
    graph.add(
      [this.handle.node],
      new GraphNode({ name, write: (plan, parents) => plan.processor(name, parents, open) }),
    );
  }

  /** Looks at each record and lets it pass. */
  peek(action: (key: K, value: V) => void, named: Named = {}): KStream<K, V> {
    const { graph } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-PEEK-');
    const open = filterStream((value, key) => {
      action(userKey(key) as K, value as V);
      return true;
    });
    const node = new GraphNode({ name, write: (plan, parents) => plan.processor(name, parents, open) });
    graph.add([this.handle.node], node);
    return new KStream(this.#next(node, {}));
  }

  /** Begins branches: `stream.split().branch(…).branch(…).defaultBranch()`. */
  split(named: Named = {}): BranchedKStream<K, V> {
    return new BranchedKStream(this, named);
  }

  /** Both streams' records in one; no order between them. */
  merge(other: KStream<K, V>, named: Named = {}): KStream<K, V> {
    const { graph, sources, window } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-MERGE-');
    const node = new GraphNode({
      name,
      merges: true,
      write: (plan, parents) => plan.processor(name, parents, passThrough()),
    });
    graph.add([this.handle.node, other.handle.node], node);
    const repartitionRequired = this.handle.repartitionRequired || other.handle.repartitionRequired;
    return new KStream({
      graph,
      node,
      name,
      keySerde: undefined,
      valueSerde: undefined,
      sources: union(sources, other.handle.sources),
      repartitionRequired,
      window,
    });
  }

  /** Sends the records through a topic of their own, whether the key has changed or not. */
  repartition(options: Repartitioned<K, V> = {}): KStream<K, V> {
    const { graph, window } = this.handle;
    const prefix = options.name ?? graph.newName('KSTREAM-REPARTITION-');
    const keySerde = (options.keySerde as Serde | undefined) ?? this.handle.keySerde;
    const valueSerde = (options.valueSerde as Serde | undefined) ?? this.handle.valueSerde;
    const { partitioner, partitions } = options;
    const node = repartitionNode(graph, {
      prefix,
      keySerde,
      valueSerde,
      window,
      ...(partitions !== undefined && { partitions }),
      ...(partitioner && {
        partitioner: (key, value, count) => partitioner(userKey(key) as K, value as V, count),
      }),
    });
    graph.add([this.handle.node], node);
    const sources = new Set([node.name]);
    return new KStream({
      graph,
      node,
      name: node.name,
      keySerde,
      valueSerde,
      sources,
      repartitionRequired: false,
      window,
    });
  }

  /** Writes the records to a topic, or to the topic that a function names for each. Topics must exist. */
  to(topic: string | ((key: K, value: V) => string), produced: Produced<K, V> = {}): void {
    const { graph, window } = this.handle;
    const name = graph.nameFor(produced.name, 'KSTREAM-SINK-');
    const where = typeof topic === 'string' ? topic : name;
    const write: GraphNode['options']['write'] = ({ topology }, parents) => {
      const { partitioner } = produced;
      const sink: Omit<SinkNode, 'kind'> = {
        name,
        topic: typeof topic === 'string' ? topic : (key, value) => topic(userKey(key) as K, value as V),
        parents,
        key: need(
          (produced.keySerde as Serde | undefined) ?? this.handle.keySerde ?? graph.defaultKeySerde,
          'key',
          where,
        ),
        value: need(
          (produced.valueSerde as Serde | undefined) ?? this.handle.valueSerde ?? graph.defaultValueSerde,
          'value',
          where,
        ),
        headers: true,
        ...(window && { window }),
        ...(partitioner && {
          partitioner: (key, value, count) => partitioner(userKey(key) as K, value as V, count),
        }),
      };
      topology.addSink(sink);
    };
    graph.add([this.handle.node], new GraphNode({ name, write }));
  }

  /** The table of the latest value of each key; a null value removes the key. */
  toTable(materialized: Materialized<K, V> = {}, named: Named = {}): KTable<K, V> {
    if (this.handle.window !== undefined)
      return new KStream<K, V>(plainKeys(this.handle)).toTable(materialized, named);
    const { graph, window } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-TOTABLE-');
    const store = materialize(graph, materialized, 'KSTREAM-TOTABLE-');
    const keySerde = (materialized.keySerde as Serde | undefined) ?? this.handle.keySerde;
    const valueSerde = (materialized.valueSerde as Serde | undefined) ?? this.handle.valueSerde;
    let { node: parent, sources } = this.handle;
    if (this.handle.repartitionRequired) {
      parent = repartitionNode(graph, { prefix: name, keySerde, valueSerde, window, mergeable: true });
      graph.add([this.handle.node], parent);
      sources = new Set([parent.name]);
    }
    const supplier = new SourceTable(store, valueSerde, graph);
    graph.keySerdes.set(store.name, keySerde);
    const node = new GraphNode({
      name,
      write: (plan, parents) =>
        plan.processor(
          name,
          parents,
          () => tableSource(supplier.options())(),
          supplier.materialized ? [supplier.store()] : [],
        ),
    });
    graph.add([parent], node);
    return new KTable({
      graph,
      node,
      name,
      keySerde,
      valueSerde,
      sources,
      supplier,
      queryableStore: materialized.name,
      window,
      graceMs: undefined,
      historyMs: historyOf(store),
    });
  }

  /** Groups by the key as it is. */
  groupByKey(grouped: Grouped<K, V> = {}): KGroupedStream<K, V> {
    return new KGroupedStream(plainKeys(this.handle), grouped);
  }

  /** Groups by a new key. */
  groupBy<K2>(selector: (key: K, value: V) => K2, grouped: Grouped<K2, V> = {}): KGroupedStream<K2, V> {
    const stream = this.selectKey(selector, grouped.name === undefined ? {} : { name: grouped.name });
    return new KGroupedStream(stream.handle, grouped);
  }

  /**
   * Joins records that exist on both sides: two streams within a window, a stream with the row that a table has for
   * its key now, or with a global table's row for a key made of the record. A null key or value joins nothing.
   */
  join<VO, VR>(
    other: KStream<K, VO>,
    joiner: (left: V, right: VO, key: K) => VR,
    windows: JoinWindows,
    joined?: StreamJoined<K, V, VO>,
  ): KStream<K, VR>;
  join<VO, VR>(
    table: KTable<K, VO>,
    joiner: (left: V, right: VO, key: K) => VR,
    joined?: StreamTableJoined<K, V, VO>,
  ): KStream<K, VR>;
  join<GK, VO, VR>(
    table: GlobalKTable<GK, VO>,
    keyOf: (key: K, value: V) => GK | null,
    joiner: (left: V, right: VO, key: K) => VR,
    named?: Named,
  ): KStream<K, VR>;
  join(other: unknown, second: unknown, third?: unknown, fourth?: unknown): unknown {
    return this.#join('inner', other, second, third, fourth);
  }

  /** As `join`, and records of this stream without a partner join null. */
  leftJoin<VO, VR>(
    other: KStream<K, VO>,
    joiner: (left: V, right: VO | null, key: K) => VR,
    windows: JoinWindows,
    joined?: StreamJoined<K, V, VO>,
  ): KStream<K, VR>;
  leftJoin<VO, VR>(
    table: KTable<K, VO>,
    joiner: (left: V, right: VO | null, key: K) => VR,
    joined?: StreamTableJoined<K, V, VO>,
  ): KStream<K, VR>;
  leftJoin<GK, VO, VR>(
    table: GlobalKTable<GK, VO>,
    keyOf: (key: K, value: V) => GK | null,
    joiner: (left: V, right: VO | null, key: K) => VR,
    named?: Named,
  ): KStream<K, VR>;
  leftJoin(other: unknown, second: unknown, third?: unknown, fourth?: unknown): unknown {
    return this.#join('left', other, second, third, fourth);
  }

  /** As `join`, and records of either stream without a partner join null, when their window has closed. */
  outerJoin<VO, VR>(
    other: KStream<K, VO>,
    joiner: (left: V | null, right: VO | null, key: K) => VR,
    windows: JoinWindows,
    joined: StreamJoined<K, V, VO> = {},
  ): KStream<K, VR> {
    return this.#joinStream(
      'outer',
      other as KStream<unknown, unknown>,
      joiner as Joiner,
      windows,
      joined,
    ) as KStream<K, VR>;
  }

  /** Hands each record to a processor of your own, which may forward any. */
  process<K2, V2>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options: Named & { readonly stores?: readonly string[] } = {},
  ): KStream<K2, V2> {
    const { graph } = this.handle;
    const name = options.name ?? graph.newName('KSTREAM-PROCESSOR-');
    const open = userProcessor(
      supplier as ProcessorSupplier<unknown, unknown, unknown, unknown>,
      pendingKeySerde(name),
      this.#keysOf,
    );
    const node = this.#processNode(name, open, options.stores ?? []);
    return new KStream(
      this.#next(node, {
        keySerde: undefined,
        valueSerde: undefined,
        repartitionRequired: true,
        window: undefined,
      }),
    );
  }

  /** As `process`, for processors that keep the key: no repartition follows from them. */
  processValues<V2>(
    supplier: FixedKeyProcessorSupplier<K, V, V2>,
    options: Named & { readonly stores?: readonly string[] } = {},
  ): KStream<K, V2> {
    const { graph } = this.handle;
    const name = options.name ?? graph.newName('KSTREAM-PROCESSVALUES-');
    const open = fixedKeyProcessor(
      supplier as FixedKeyProcessorSupplier<unknown, unknown, unknown>,
      this.#keysOf,
    );
    const node = this.#processNode(name, open, options.stores ?? []);
    return new KStream(this.#next(node, { valueSerde: undefined }));
  }

  readonly #keysOf = (store: string): Serde => {
    const { graph } = this.handle;
    return need(graph.keySerdes.get(store) ?? graph.defaultKeySerde, 'key', store);
  };

  #processNode(name: string, open: () => Processor, stores: readonly string[]): GraphNode {
    const { graph } = this.handle;
    const node = new GraphNode({
      name,
      // Keys too, in `process`: nothing below may move above it.
      changesValue: true,
      write(plan, parents) {
        plan.processor(name, parents, open);
        for (const store of stores) plan.use(store, name);
      },
    });
    graph.add([this.handle.node], node);
    return node;
  }

  /** @internal */
  toNode(node: GraphNode): KStream<K, V> {
    return new KStream(this.#next(node, {}));
  }

  #filter(predicate: Predicate, named: Named): KStream<K, V> {
    const { graph } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-FILTER-');
    const node = new GraphNode({
      name,
      write: (plan, parents) => plan.processor(name, parents, filterStream(predicate)),
    });
    graph.add([this.handle.node], node);
    return new KStream(this.#next(node, {}));
  }

  #flatMap<K2, V2>(
    prefix: string,
    mapper: (key: K, value: V) => Iterable<KeyValue<K2, V2>>,
    named: Named,
  ): KStream<K2, V2> {
    const { graph } = this.handle;
    const name = graph.nameFor(named.name, prefix);
    const open = flatMapRecords((key, value, _timestamp, _record, emit) => {
      for (const [newKey, newValue] of mapper(userKey(key) as K, value as V)) emit(newKey, newValue);
    }, pendingKeySerde(name));
    const node = new GraphNode({
      name,
      changesKey: true,
      write: (plan, parents) => plan.processor(name, parents, open),
    });
    graph.add([this.handle.node], node);
    return new KStream(
      this.#next(node, {
        keySerde: undefined,
        valueSerde: undefined,
        repartitionRequired: true,
        window: undefined,
      }),
    );
  }

  #next(node: GraphNode, changes: Partial<StreamHandle>): StreamHandle {
    return { ...this.handle, node, name: node.name, ...changes };
  }

  #join(
    kind: JoinKind,
    other: unknown,
    second: unknown,
    third: unknown,
    fourth: unknown,
  ): KStream<unknown, unknown> {
    if (other instanceof KStream)
      return this.#joinStream(
        kind,
        other as KStream<unknown, unknown>,
        second as Joiner,
        third as JoinWindows,
        (fourth ?? {}) as StreamJoined<unknown, unknown, unknown>,
      );
    if (other instanceof KTable)
      return this.#joinTable(
        kind,
        other as KTable<unknown, unknown>,
        second as Joiner,
        (third ?? {}) as Joined<unknown, unknown, unknown>,
      );
    return this.#joinGlobal(
      kind,
      other as GlobalKTable<unknown, unknown>,
      second as (key: unknown, value: unknown) => unknown,
      third as Joiner,
      (fourth ?? {}) as Named,
    );
  }

  /** The stream where its keys belong, through a repartition topic if they were changed. */
  #whereKeysBelong(prefix: string, keySerde: Serde | undefined, valueSerde: Serde | undefined): StreamHandle {
    const { handle } = this;
    if (!handle.repartitionRequired) return handle;
    const key = keySerde ?? handle.keySerde;
    const value = valueSerde ?? handle.valueSerde;
    const { graph, window } = handle;
    const node = repartitionNode(graph, {
      prefix,
      keySerde: key,
      valueSerde: value,
      window,
      mergeable: true,
    });
    if (this.#repartitioned !== null && prefix === handle.name) return this.#repartitioned;
    graph.add([handle.node], node);
    const sources = new Set([node.name]);
    const moved: StreamHandle = {
      graph,
      node,
      name: node.name,
      keySerde: key,
      valueSerde: value,
      sources,
      repartitionRequired: false,
      window,
    };
    this.#repartitioned ??= moved;
    return moved;
  }

  #joinTable(
    kind: JoinKind,
    table: KTable<unknown, unknown>,
    joiner: Joiner,
    joined: StreamTableJoined<unknown, unknown, unknown>,
  ): KStream<unknown, unknown> {
    const left = this.#whereKeysBelong(joined.name ?? this.handle.name, joined.keySerde, joined.valueSerde);
    const { graph } = left;
    const sources = union(left.sources, table.handle.sources);
    graph.copartition(sources);
    const join = kind === 'inner' ? 'inner' : 'left';
    const name = graph.nameFor(joined.name, join === 'left' ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-');
    const view = table.handle.supplier.view();
    const byKey = (a: unknown, b: unknown, key: RecordKey): unknown => joiner(a, b, userKey(key));
    const { graceMs } = joined;
    const buffer = `${name}-Buffer`;
    if (graceMs !== undefined) checkGrace(name, graceMs, table.handle.historyMs);
    const node = new GraphNode({
      name,
      wantsNullKeys: join === 'left',
      write(plan, parents) {
        if (graceMs === undefined) {
          plan.processor(name, parents, joinStreamTable({ table: view, join, joiner: byKey }));
        } else {
          const { window } = left;
          const suffix = window?.kind ?? 'none';
          const windowSizeMs = window?.kind === 'time' ? window.sizeMs : 0;
          const options = {
            table: view,
            join,
            joiner: byKey,
            buffer,
            graceMs,
            suffix,
            windowSizeMs,
          } as const;
          const values = codecOf(
            need(joined.valueSerde ?? left.valueSerde ?? graph.defaultValueSerde, 'value', buffer),
          );
          plan.processor(name, parents, joinBufferedStreamTable(options), [
            { options: { kind: 'key-value', name: buffer, values, changelog: true, persistent: true } },
          ]);
        }
        plan.useView(view, name);
      },
    });
    graph.add([left.node], node);
    return new KStream({
      ...left,
      node,
      name,
      keySerde: joined.keySerde ?? left.keySerde,
      valueSerde: undefined,
      sources,
    });
  }

  #joinGlobal(
    kind: JoinKind,
    table: GlobalKTable<unknown, unknown>,
    keyOf: (key: unknown, value: unknown) => unknown,
    joiner: Joiner,
    named: Named,
  ): KStream<unknown, unknown> {
    const { graph, node: parent } = this.handle;
    const join = kind === 'inner' ? 'inner' : 'left';
    const name = graph.nameFor(named.name, 'KSTREAM-LEFTJOIN-');
    const node = new GraphNode({
      name,
      wantsNullKeys: join === 'left',
      changesValue: true,
      write(plan, parents) {
        const keySerde = need(table.keySerde ?? graph.defaultKeySerde, 'key', name);
        const options = {
          table: table.view,
          keySerde,
          join,
          keyOf: (value: unknown, key: Parameters<typeof userKey>[0]) => keyOf(userKey(key), value),
          joiner: (a: unknown, b: unknown, key: Parameters<typeof userKey>[0]) => joiner(a, b, userKey(key)),
        } as const;
        plan.processor(name, parents, joinGlobalTable(options));
        plan.useView(table.view, name);
      },
    });
    graph.add([parent], node);
    return new KStream(this.#next(node, { valueSerde: undefined }));
  }

  #joinStream(
    kind: JoinKind,
    other: KStream<unknown, unknown>,
    joiner: Joiner,
    windows: JoinWindows,
    joined: StreamJoined<unknown, unknown, unknown>,
  ): KStream<unknown, unknown> {
    const { name: given } = joined;
    if (this.handle.window !== undefined || other.handle.window !== undefined)
      return new KStream<unknown, unknown>(plainKeys(this.handle)).#joinStream(
        kind,
        new KStream(plainKeys(other.handle)),
        joiner,
        windows,
        joined,
      );
    const left = this.#whereKeysBelong(
      given === undefined ? this.handle.name : `${given}-left`,
      joined.keySerde,
      joined.valueSerde,
    );
    const right = other.#whereKeysBelong(
      given === undefined ? other.handle.name : `${given}-right`,
      joined.keySerde,
      joined.otherValueSerde,
    );
    const { graph } = left;
    const sources = union(left.sources, right.sources);
    graph.copartition(sources);
    const leftOuter = kind !== 'inner';
    const rightOuter = kind === 'outer';
    const thisSuffix = rightOuter ? '-outer-this-join' : '-this-join';
    const otherSuffix = leftOuter ? '-outer-other-join' : '-other-join';
    const thisWindowed = graph.nameFor(given, 'KSTREAM-WINDOWED-', '-this-windowed');
    const otherWindowed = graph.nameFor(given, 'KSTREAM-WINDOWED-', '-other-windowed');
    const thisGenerated = graph.newName(rightOuter ? 'KSTREAM-OUTERTHIS-' : 'KSTREAM-JOINTHIS-');
    const otherGenerated = graph.newName(leftOuter ? 'KSTREAM-OUTEROTHER-' : 'KSTREAM-JOINOTHER-');
    const thisName = given === undefined ? thisGenerated : given + thisSuffix;
    const otherName = given === undefined ? otherGenerated : given + otherSuffix;
    const mergeName = graph.nameFor(given, 'KSTREAM-MERGE-', '-merge');
    const { storeName } = joined;
    const thisStoreName = `${storeName === undefined ? thisGenerated : storeName + thisSuffix}-store`;
    const otherStoreName = `${storeName === undefined ? otherGenerated : storeName + otherSuffix}-store`;
    const waitingName = `${storeName ?? thisGenerated.replace(/-(OUTERTHIS|JOINTHIS)-/, '-OUTERSHARED-')}${storeName === undefined ? '' : rightOuter ? '-outer-shared-join' : '-left-shared-join'}-store`;

    const leftSerde = joined.valueSerde ?? left.valueSerde;
    const rightSerde = joined.otherValueSerde ?? right.valueSerde;
    const changelog = joined.logging ?? true;
    const windowStore = (name: string, serde: Serde | undefined): GraphStore => ({
      options: {
        kind: 'window',
        name,
        values: codecOf(need(serde ?? graph.defaultValueSerde, 'value', name)),
        changelog,
        persistent: true,
        // Kafka Streams' window stores do not show the row at the very end of the retention.
        retentionMs: windows.beforeMs + windows.afterMs + windows.graceMs - 1,
        duplicates: true,
      },
      ...(joined.logConfig && { changelogConfigs: joined.logConfig }),
    });
    const remember = (name: string, storeOf: () => GraphStore): GraphNode =>
      new GraphNode({
        name,
        write(plan, parents) {
          const store = storeOf();
          plan.processor(name, parents, rememberForJoin({ store: store.options.name }), [store]);
        },
      });
    const thisWindow = remember(thisWindowed, () => windowStore(thisStoreName, leftSerde));
    const otherWindow = remember(otherWindowed, () => windowStore(otherStoreName, rightSerde));
    graph.add([left.node], thisWindow);
    graph.add([right.node], otherWindow);

    const options = {
      waitingStore: leftOuter ? waitingName : null,
      beforeMs: windows.beforeMs,
      afterMs: windows.afterMs,
      graceMs: windows.graceMs,
      joiner: (a: unknown, b: unknown, key: Parameters<typeof userKey>[0]) => joiner(a, b, userKey(key)),
      name: mergeName,
    };
    let oneStore = false;
    const node = new GraphNode({
      name: mergeName,
      wantsNullKeys: leftOuter || rightOuter,
      selfJoin: {
        other: otherWindow,
        useOneStore: () => {
          oneStore = true;
        },
      },
      write(plan) {
        if (oneStore) {
          plan.processor(mergeName, [thisWindowed], selfJoinStream({ ...options, store: thisStoreName }));
          plan.use(thisStoreName, mergeName);
          return;
        }
        const waiting: GraphStore[] = [];
        if (leftOuter) {
          const values = waitingValuesCodec(
            codecOf(need(leftSerde ?? graph.defaultValueSerde, 'value', mergeName)),
            codecOf(need(rightSerde ?? graph.defaultValueSerde, 'value', mergeName)),
          );
          const store: StateStoreOptions = {
            kind: 'key-value',
            name: waitingName,
            values,
            changelog,
            persistent: true,
          };
          waiting.push({ options: store });
        }
        plan.processor(
          thisName,
          [thisWindowed],
          joinStreams({ ...options, side: 'left', otherStore: otherStoreName, outer: leftOuter }),
          waiting,
        );
        plan.processor(
          otherName,
          [otherWindowed],
          joinStreams({ ...options, side: 'right', otherStore: thisStoreName, outer: rightOuter }),
          waiting,
        );
        plan.use(otherStoreName, thisName);
        plan.use(thisStoreName, otherName);
        plan.processor(mergeName, [thisName, otherName], passThrough());
      },
    });
    graph.add([left.node, right.node], node);
    return new KStream({
      graph,
      node,
      name: mergeName,
      keySerde: joined.keySerde ?? left.keySerde,
      valueSerde: undefined,
      sources,
      repartitionRequired: false,
      window: left.window,
    });
  }
}

type Joiner = (left: unknown, right: unknown, key: unknown) => unknown;

/**
 * The stream with its windowed keys as values of their own: what aggregates and remembers by key then does so by key
 * and window.
 */
function plainKeys(handle: StreamHandle): StreamHandle {
  const { graph, window, node: parent } = handle;
  if (window === undefined) return handle;
  const name = `${parent.name}-windowed-key`;
  const serde = windowedSerde(
    () => need(handle.keySerde ?? graph.defaultKeySerde, 'key', name),
    window,
  ) as Serde;
  const made = [...parent.children].find((child) => child.name === name);
  const open = selectKey((_value, key) => userKey(key), serde);
  const node = made ?? new GraphNode({ name, write: (plan, parents) => plan.processor(name, parents, open) });
  if (made === undefined) graph.add([parent], node);
  return { ...handle, node, name, keySerde: serde, window: undefined };
}

export function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}

/** Records may wait for changes of a table only as long as the table remembers what it was. */
function checkGrace(name: string, graceMs: number, historyMs: number | undefined): void {
  if (!(graceMs >= 0))
    throw new TopologyError(`the grace period of ${name} is ${graceMs} ms`, 'give a number of 0 or more');
  if (historyMs === undefined)
    throw new TopologyError(
      `${name} has a grace period, but its table keeps no history`,
      'give the table a store with versioned: { historyRetentionMs }, or leave the grace period out',
    );
  if (graceMs > historyMs)
    throw new TopologyError(
      `records of ${name} wait ${graceMs} ms, but the table's history is ${historyMs} ms long`,
      'give historyRetentionMs at least the grace period',
    );
}

/** Branches of a stream: each record goes to the first whose predicate holds. */
export class BranchedKStream<K, V> {
  readonly #stream: KStream<K, V>;
  readonly #node: GraphNode;
  readonly #prefix: string;
  readonly #predicates: { readonly child: string; readonly predicate: Predicate }[] = [];
  readonly #branches = new Map<string, KStream<K, V>>();
  #otherwise: string | null = null;

  /** @internal */
  constructor(stream: KStream<K, V>, named: Named) {
    const { graph, node: parent } = stream.handle;
    this.#stream = stream;
    const name = graph.nameFor(named.name, 'KSTREAM-BRANCH-');
    this.#prefix = name;
    this.#node = new GraphNode({
      name,
      write: (plan, parents) =>
        plan.processor(
          name,
          parents,
          branch(this.#predicates, () => this.#otherwise),
        ),
    });
    graph.add([parent], this.#node);
  }

  /** The next branch, under `prefix + name` (its number when it has none) in the result. */
  branch(predicate: (key: K, value: V) => boolean, named: Named = {}): this {
    const child = this.#prefix + (named.name ?? String(this.#predicates.length + 1));
    this.#predicates.push({ child, predicate: (value, key) => predicate(userKey(key) as K, value as V) });
    this.#add(child);
    return this;
  }

  /** The branch of the rest, under `prefix + name` (`0` when it has none). Gives all branches. */
  defaultBranch(named: Named = {}): ReadonlyMap<string, KStream<K, V>> {
    this.#otherwise = this.#prefix + (named.name ?? '0');
    this.#add(this.#otherwise);
    return this.#branches;
  }

  /** All branches; the rest is dropped. */
  noDefaultBranch(): ReadonlyMap<string, KStream<K, V>> {
    return this.#branches;
  }

  #add(name: string): void {
    // Kafka Streams uses up a name for each branch.
    this.#stream.handle.graph.newName(name);
    const node = new GraphNode({
      name,
      write: (plan, parents) => plan.processor(name, parents, passThrough()),
    });
    this.#stream.handle.graph.add([this.#node], node);
    this.#branches.set(name, this.#stream.toNode(node));
  }
}
