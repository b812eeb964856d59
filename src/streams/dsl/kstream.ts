import { addTable } from '../operations/table-source.ts';
import { filterStream } from '../processors/filter.ts';
import { flatMapRecords } from '../processors/flat-map.ts';
import { flatMapStream } from '../processors/flat-map-values.ts';
import { forEach } from '../processors/for-each.ts';
import { mapStream } from '../processors/map-values.ts';
import { passThrough } from '../processors/pass-through.ts';
import type { Predicate, Processor } from '../topology/processor.ts';
import { processAsync } from '../processors/process-async.ts';
import { RecordKey } from '../topology/record-key.ts';
import { selectKey } from '../processors/select-key.ts';
import { shown, timeOf } from '../topology/record-time.ts';
import type { Serde } from '../topology/serde.ts';
import type { SinkNode } from '../topology/topology.ts';
import { type AsyncOptions, type AsyncResults, callOptions, resultsOf } from './async-options.ts';
import { BranchedKStream } from './branched-kstream.ts';
import { GlobalKTable } from './global-ktable.ts';
import {
  GraphNode,
  type GraphNodeOptions,
  pendingKeySerde,
  type ProcessorNodeOptions,
  userKey,
} from './graph.ts';
import { repartitionNode } from './repartition-node.ts';
import { KGroupedStream } from './grouped-stream.ts';
import { KTable } from './ktable.ts';
import { historyOf, materialize } from './materialize.ts';
import type {
  Grouped,
  Materialized,
  Named,
  Printed,
  Produced,
  Repartitioned,
  StreamJoined,
  StreamTableJoined,
} from './options.ts';
import { plainKeys, repartitioned, type StreamHandle, union } from './stream-handle.ts';
import {
  type Joiner,
  type JoinKind,
  joinWithGlobalTable,
  joinWithStream,
  joinWithTable,
} from './stream-joins.ts';
import { SourceTable } from './table-suppliers.ts';
import { connectStores, type StoreReferences } from './declared-stores.ts';
import { wholeNumber } from './check-number.ts';
import { done, given, holds, keyGiven, plain, type Plain } from './user-function.ts';
import {
  fixedKeyProcessor,
  type FixedKeyProcessorSupplier,
  type ProcessorSupplier,
  type StreamRecord,
  userProcessor,
} from './user-processor.ts';
import type { JoinWindows } from './windows.ts';

export type KeyValue<K, V> = readonly [key: K, value: V];

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
    plain(predicate, 'filter');
    return this.#filter((value, key) => holds(predicate(userKey(key) as K, value as V), 'predicate'), named);
  }

  /** Drops the records for which `predicate` holds. */
  filterNot(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    plain(predicate, 'filterNot');
    return this.#filter((value, key) => !holds(predicate(userKey(key) as K, value as V), 'predicate'), named);
  }

  /** A new key for each record. */
  selectKey<K2>(mapper: (key: K, value: V) => Plain<K2>, named: Named = {}): KStream<K2, V> {
    const name = this.#name(named, 'KSTREAM-KEY-SELECT-');
    plain(mapper, name);
    const open = selectKey(
      (value, key) => keyGiven(mapper(userKey(key) as K, value as V), 'key mapper'),
      pendingKeySerde(name),
    );
    return this.#then({ name, changesKey: true, open }, NEW_KEY);
  }

  /** A new key and value for each record. */
  map<K2, V2>(mapper: (key: K, value: V) => KeyValue<K2, V2>, named: Named = {}): KStream<K2, V2> {
    plain(mapper, 'map');
    return this.#flatMap('KSTREAM-MAP-', (key, value) => [given(mapper(key, value), 'mapper')], named);
  }

  /** Any number of records for each record. */
  flatMap<K2, V2>(
    mapper: (key: K, value: V) => Iterable<KeyValue<K2, V2>>,
    named: Named = {},
  ): KStream<K2, V2> {
    return this.#flatMap('KSTREAM-FLATMAP-', mapper, named);
  }

  /** A new value for each record. */
  mapValues<V2>(mapper: (value: V, key: K) => Plain<V2>, named: Named = {}): KStream<K, V2> {
    const name = this.#name(named, 'KSTREAM-MAPVALUES-');
    plain(mapper, name);
    const open = mapStream((value, key) => given(mapper(value as V, userKey(key) as K), 'mapper'));
    return this.#then({ name, changesValue: true, open }, NEW_VALUE);
  }

  /** Any number of values for each record. */
  flatMapValues<V2>(mapper: (value: V, key: K) => Iterable<V2>, named: Named = {}): KStream<K, V2> {
    const name = this.#name(named, 'KSTREAM-FLATMAPVALUES-');
    plain(mapper, name);
    const open = flatMapStream((value, key, _timestamp, _record, emit) => {
      for (const each of given(mapper(value as V, userKey(key) as K), 'mapper')) emit(given(each, 'mapper'));
    });
    return this.#then({ name, changesValue: true, open }, NEW_VALUE);
  }

  /** The end of a branch. */
  foreach<R>(action: (key: K, value: V) => Plain<R>, named: Named = {}): void {
    const name = this.#name(named, 'KSTREAM-FOREACH-');
    plain(action, name);
    const open = forEach((key, value) => done(action(userKey(key) as K, value as V), 'action'));
    this.#then({ name, open });
  }

  /** Writes a line for each record: `[label]: key, value`. The end of a branch. */
  print(printed: Printed<K, V>, named: Named = {}): void {
    const name = this.#name(named, 'KSTREAM-PRINTER-');
    const {
      write,
      label = this.handle.node.name,
      mapper = (key, value) => `${String(key)}, ${String(value)}`,
    } = printed;
    plain(write, name);
    plain(mapper, name);
    const open = forEach((key, value) => {
      const text = given(mapper(userKey(key) as K, value as V), 'mapper');
      done(write(`[${label}]: ${text}`), 'printer');
    });
    this.#then({ name, open });
  }

  /** Looks at each record and lets it pass. */
  peek<R>(action: (key: K, value: V) => Plain<R>, named: Named = {}): KStream<K, V> {
    const name = this.#name(named, 'KSTREAM-PEEK-');
    plain(action, name);
    const open = filterStream((value, key) => {
      done(action(userKey(key) as K, value as V), 'action');
      return true;
    });
    return this.#then({ name, open });
  }

  /** Begins branches: `stream.split().branch(…).branch(…).defaultBranch()`. */
  split(named: Named = {}): BranchedKStream<K, V> {
    return new BranchedKStream(this, named);
  }

  /** Both streams' records in one; no order between them. */
  merge(other: KStream<K, V>, named: Named = {}): KStream<K, V> {
    const { graph, sources, window } = this.handle;
    const name = graph.nameFor(named.name, 'KSTREAM-MERGE-');
    const parents = [this.handle.node, other.handle.node];
    const node = graph.addProcessor(parents, { name, merges: true, open: passThrough() });
    const repartitionRequired = this.handle.repartitionRequired || other.handle.repartitionRequired;
    return new KStream({
      graph,
      node,
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
    const prefix = graph.nameOrNew(options.name, 'KSTREAM-REPARTITION-');
    const keySerde = options.keySerde ?? this.handle.keySerde;
    const valueSerde = options.valueSerde ?? this.handle.valueSerde;
    const { partitioner, partitions } = options;
    if (partitioner !== undefined) plain(partitioner, prefix);
    if (partitions !== undefined) wholeNumber(partitions, `the number of partitions of ${prefix}`, 1);
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
    return new KStream(repartitioned(this.handle, node, keySerde, valueSerde));
  }

  /** Writes the records to a topic, or to the topic that a function names for each. Topics must exist. */
  to(topic: string | ((key: K, value: V) => string), produced: Produced<K, V> = {}): void {
    const { graph, window } = this.handle;
    const name = graph.nameFor(produced.name, 'KSTREAM-SINK-');
    const where = typeof topic === 'string' ? topic : name;
    if (typeof topic !== 'string') plain(topic, name);
    if (produced.partitioner !== undefined) plain(produced.partitioner, name);
    const write: GraphNodeOptions['write'] = (topology, parents) => {
      const { partitioner } = produced;
      const sink: Omit<SinkNode, 'kind'> = {
        name,
        topic:
          typeof topic === 'string'
            ? topic
            : (key, value) => topicGiven(topic(userKey(key) as K, value as V)),
        parents,
        key: graph.keysOf(produced.keySerde ?? this.handle.keySerde, where),
        value: graph.valuesOf(produced.valueSerde ?? this.handle.valueSerde, where),
        headers: true,
        repartitions: this.handle.repartitionRequired || partitioner !== undefined,
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
    const keySerde = materialized.keySerde ?? this.handle.keySerde;
    const valueSerde = materialized.valueSerde ?? this.handle.valueSerde;
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
      write(topology, parents) {
        const { sendOldValues } = supplier;
        addTable(topology, { name, parents, store: supplier.store(), sendOldValues });
      },
    });
    graph.add([parent], node);
    return new KTable({
      graph,
      node,
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
  groupBy<K2>(
    selector: (key: K, value: V) => Plain<K2>,
    grouped: Grouped<K2, V> = {},
  ): KGroupedStream<K2, V> {
    const stream = this.selectKey<K2>(selector, grouped.name === undefined ? {} : { name: grouped.name });
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

  /**
   * Hands each record to a processor of your own, which may forward any. `stores`: what it may read and write, by the names
   * that `addStateStore` was given, or by declarations, which then need no `addStateStore`.
   */
  process<K2, V2>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options: Named & { readonly stores?: StoreReferences } = {},
  ): KStream<K2, V2> {
    const { graph } = this.handle;
    const name = graph.nameOrNew(options.name, 'KSTREAM-PROCESSOR-');
    const stores = connectStores(graph, options.stores ?? [], supplier);
    const open = userProcessor(supplier, pendingKeySerde(name), { names: stores, shapeOf: graph.shapeOf });
    return this.#then({ name, changesValue: true, open, uses: stores }, { ...NEW_KEY, ...NEW_VALUE });
  }

  /** As `process`, for processors that keep the key: no repartition follows from them. */
  processValues<V2>(
    supplier: FixedKeyProcessorSupplier<K, V, V2>,
    options: Named & { readonly stores?: StoreReferences } = {},
  ): KStream<K, V2> {
    const { graph } = this.handle;
    const name = graph.nameOrNew(options.name, 'KSTREAM-PROCESSVALUES-');
    const stores = connectStores(graph, options.stores ?? [], supplier);
    const open = fixedKeyProcessor(supplier, {
      names: stores,
      shapeOf: graph.shapeOf,
    });
    return this.#then({ name, changesValue: true, open, uses: stores }, NEW_VALUE);
  }

  /**
   * Asks the outside about each record: a service, a database. `call` gives what to forward, none, one or several
   * records. Up to `concurrency` calls of a task run at a time, those of one key one after the other, and results are
   * forwarded in the order of the input. A commit waits for the calls that are on their way, so after a crash some are
   * made again: they should bear it. A call that fails, or takes longer than `timeoutMs`, goes to the processing handler.
   *
   * This is the slow path: a task with it processes record by record, and reads no further than its calls allow.
   *
   * ```ts
   * orders.processAsync(async ({ key, value }) => {
   *   const customer = await fetchCustomer(value.customerId);
   *   return customer === null ? [] : { key, value: { ...value, customer } };
   * }, { concurrency: 50, timeoutMs: 5000 });
   * ```
   */
  processAsync<K2, V2>(
    call: (record: StreamRecord<K, V>) => Promise<AsyncResults<K2, V2>>,
    options: Named & AsyncOptions = {},
  ): KStream<K2, V2> {
    const { graph } = this.handle;
    const name = graph.nameOrNew(options.name, 'KSTREAM-PROCESSOR-');
    const pendingKeys = pendingKeySerde(name);
    const open = (): Processor => {
      const forwarded = new RecordKey<unknown>(pendingKeys);
      return processAsync(
        (key, value, timestamp, context) => {
          const headers = context.record.headers();
          const record = { key: userKey(key) as K, value: value as V, timestamp, headers };
          return () => call(record);
        },
        (results, _key, timestamp, context) => {
          for (const each of resultsOf(results as AsyncResults<unknown, unknown>)) {
            const time =
              each.timestamp === undefined
                ? timestamp
                : timeOf(each.timestamp, `${name} gives a record with`);
            forwarded.setValue(each.key);
            context.forward(forwarded, given(each.value, 'call'), undefined, time);
          }
        },
        callOptions(options),
      )();
    };
    return this.#then({ name, changesValue: true, open }, { ...NEW_KEY, ...NEW_VALUE });
  }

  /**
   * As `mapValues`, with a value that must be waited for; see `processAsync`.
   *
   * ```ts
   * payments.mapValuesAsync(async (payment) => ({ ...payment, score: await score(payment) }));
   * ```
   */
  mapValuesAsync<V2>(
    mapper: (value: V, key: K) => Promise<V2>,
    options: Named & AsyncOptions = {},
  ): KStream<K, V2> {
    const { graph } = this.handle;
    const name = graph.nameFor(options.name, 'KSTREAM-MAPVALUES-');
    const open = processAsync(
      (key, value) => () => mapper(value as V, userKey(key) as K),
      (value, key, timestamp, context) => context.forward(key, given(value, 'mapper'), undefined, timestamp),
      callOptions(options),
    );
    return this.#then({ name, changesValue: true, open }, NEW_VALUE);
  }

  #filter(predicate: Predicate, named: Named): KStream<K, V> {
    const name = this.#name(named, 'KSTREAM-FILTER-');
    return this.#then({ name, open: filterStream(predicate) });
  }

  #flatMap<K2, V2>(
    prefix: string,
    mapper: (key: K, value: V) => Iterable<KeyValue<K2, V2>>,
    named: Named,
  ): KStream<K2, V2> {
    const name = this.#name(named, prefix);
    plain(mapper, name);
    const open = flatMapRecords((key, value, _timestamp, _record, emit) => {
      for (const [newKey, newValue] of given(mapper(userKey(key) as K, value as V), 'mapper'))
        emit(keyGiven(newKey, 'mapper'), given(newValue, 'mapper'));
    }, pendingKeySerde(name));
    return this.#then({ name, changesKey: true, open }, { ...NEW_KEY, ...NEW_VALUE });
  }

  #name({ name }: Named, prefix: string): string {
    return this.handle.graph.nameFor(name, prefix);
  }

  /** The stream behind a processor, and what of it is another one's. */
  #then<K2, V2>(processor: ProcessorNodeOptions, changes: Partial<StreamHandle> = {}): KStream<K2, V2> {
    const { graph, node } = this.handle;
    return new KStream({ ...this.handle, node: graph.addProcessor([node], processor), ...changes });
  }

  #join(
    kind: JoinKind,
    other: unknown,
    second: unknown,
    third: unknown,
    fourth: unknown,
  ): KStream<unknown, unknown> {
    if (other instanceof KStream)
      return this.#joinStream(kind, other, second as Joiner, third as JoinWindows, fourth ?? {});
    if (other instanceof KTable) {
      const joined = (third ?? {}) as StreamTableJoined<unknown, unknown, unknown>;
      const left = this.#whereKeysBelong(
        joined.name ?? this.handle.node.name,
        joined.keySerde,
        joined.valueSerde,
      );
      return new KStream(joinWithTable(kind, left, other.handle, second as Joiner, joined));
    }
    return new KStream(
      joinWithGlobalTable(
        kind,
        this.handle,
        other as GlobalKTable<unknown, unknown>,
        second as (key: unknown, value: unknown) => unknown,
        third as Joiner,
        fourth ?? {},
      ),
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
    if (this.#repartitioned !== null && prefix === handle.node.name) return this.#repartitioned;
    graph.add([handle.node], node);
    const moved = repartitioned(handle, node, key, value);
    this.#repartitioned ??= moved;
    return moved;
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
      given === undefined ? this.handle.node.name : `${given}-left`,
      joined.keySerde,
      joined.valueSerde,
    );
    const right = other.#whereKeysBelong(
      given === undefined ? other.handle.node.name : `${given}-right`,
      joined.keySerde,
      joined.otherValueSerde,
    );
    return new KStream(joinWithStream(kind, left, right, joiner, windows, joined));
  }
}

const NEW_VALUE: Partial<StreamHandle> = { valueSerde: undefined };
const NEW_KEY: Partial<StreamHandle> = { keySerde: undefined, repartitionRequired: true, window: undefined };

function topicGiven(topic: unknown): string {
  if (typeof topic === 'string') return topic;
  throw new TypeError(`the function that names topics gave ${shown(given(topic, 'topic'))}`);
}
