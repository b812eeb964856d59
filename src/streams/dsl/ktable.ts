import { groupTable } from '../processors/aggregate-table.ts';
import { addTableJoin } from '../operations/table-join.ts';
import { passThrough } from '../processors/pass-through.ts';
import type { RecordKey } from '../topology/record-key.ts';
import {
  bufferedChangeCodec,
  bufferTimeCodec,
  suppress,
  suppressedView,
  type SuppressOptions,
} from '../processors/suppress.ts';
import type { OpenTransform, RowTransform } from '../processors/table-view.ts';
import { transformTable } from '../processors/transform-table.ts';
import type { ValueCodec } from '../../state/store.ts';
import { codecOf, type Serde } from '../topology/serde.ts';
import { joinByForeignKey } from './foreign-key-joins.ts';
import { GraphNode, nameGiven, pendingKeySerde, userKey } from './graph.ts';
import type { KGroupedTable } from './grouped-table.ts';
import type { KStream, KeyValue } from './kstream.ts';
import { union } from './stream-handle.ts';
import { type AnyMaterialized, historyOf, keyValueStore, materialize } from './materialize.ts';
import type { Grouped, Materialized, Named } from './options.ts';
import { type Joiner, joinerOf } from './stream-joins.ts';
import type { TableHandle } from './table-handle.ts';
import { JoinedTable, type TableSupplier, TransformedTable } from './table-suppliers.ts';
import { TopologyError } from '../topology/topology-error.ts';
import { connectStores, type StoreReferences } from './declared-stores.ts';
import { type BringsStores, contextOf, type TableValueTransformer } from './user-processor.ts';
import { done, given, holds, keyGiven, plain, plainMethods, type Plain } from './user-function.ts';
import { UserTurn } from './user-turn.ts';
import type { Suppressed } from './windows.ts';

/**
 * A table: the latest value of each key, as a stream of changes. Values are never null: a null value is a row that
 * is not there. Functions are not called for rows that are not there, except joiners of left and outer joins.
 */
export class KTable<K, V> {
  /** @internal */
  readonly handle: TableHandle;

  /** @internal */
  constructor(handle: TableHandle) {
    this.handle = handle;
  }

  /** The store's name, for queries; undefined when the table has none that was named. */
  get queryableStoreName(): string | undefined {
    return this.handle.queryableStore;
  }

  /** Keeps the rows for which `predicate` holds; a row that no longer does becomes a removal. */
  filter(
    predicate: (key: K, value: V) => boolean,
    materialized?: Materialized<K, V>,
    named: Named = {},
  ): KTable<K, V> {
    return this.#filter('filter', true, predicate, materialized, named);
  }

  /** Keeps the rows for which `predicate` does not hold. */
  filterNot(
    predicate: (key: K, value: V) => boolean,
    materialized?: Materialized<K, V>,
    named: Named = {},
  ): KTable<K, V> {
    return this.#filter('filterNot', false, predicate, materialized, named);
  }

  /** A new value for each row. Equal rows must give equal values: old rows are mapped again. */
  mapValues<V2>(
    mapper: (value: V, key: K) => Plain<V2>,
    materialized?: Materialized<K, V2>,
    named: Named = {},
  ): KTable<K, V2> {
    plain(mapper, 'mapValues');
    const transform: RowTransform = (value, key) => given(mapper(value as V, userKey(key) as K), 'mapper');
    return this.#transform(
      'KTABLE-MAPVALUES-',
      () => ({ transform }),
      false,
      undefined,
      materialized,
      named,
    ) as unknown as KTable<K, V2>;
  }

  /**
   * A new value for each row by a transformer of your own, which may read and write stores: one a task, called for
   * removals too. A table without a store of its own is computed again by a transformer of each reader: equal rows must
   * then give equal values.
   */
  transformValues<V2>(
    supplier: (() => TableValueTransformer<K, V, V2>) & BringsStores,
    materialized?: Materialized<K, V2>,
    options: Named & { readonly stores?: StoreReferences } = {},
  ): KTable<K, V2> {
    const { graph } = this.handle;
    const stores = connectStores(graph, options.stores ?? [], supplier);
    const open: OpenTransform = (context) => {
      const transformer = supplier();
      plainMethods(transformer, 'what a supplier gave', ['transform'], ['init', 'close']);
      const turn = new UserTurn(context);
      done(transformer.init?.(contextOf(context, turn, graph.shapeOf)), 'init of the transformer');
      return {
        transform: (value, key, timestamp) =>
          turn.run(key, timestamp, () =>
            given(transformer.transform(value as V | null, userKey(key) as K), 'transformer'),
          ),
        absentToo: true,
        close: () => done(transformer.close?.(), 'close of the transformer'),
      };
    };
    return this.#transform('KTABLE-TRANSFORMVALUES-', open, false, undefined, materialized, {
      ...options,
      stores,
    }) as unknown as KTable<K, V2>;
  }

  /** The changes of the table as a stream; with a `mapper`, under new keys. */
  toStream<K2>(mapper: (key: K, value: V) => Plain<K2>, named?: Named): KStream<K2, V>;
  toStream(named?: Named): KStream<K, V>;
  toStream<K2>(
    first: Named | ((key: K, value: V) => Plain<K2>) = {},
    second: Named = {},
  ): KStream<K2, V> | KStream<K, V> {
    const named = typeof first === 'function' ? {} : first;
    const { graph, keySerde, valueSerde, sources, window } = this.handle;
    const name = graph.nameFor(named.name, 'KTABLE-TOSTREAM-');
    const node = graph.addProcessor([this.handle.node], { name, open: passThrough() });
    const stream = graph.fluent.stream<K, V>({
      graph,
      node,
      keySerde,
      valueSerde,
      sources,
      repartitionRequired: false,
      window,
    });
    return typeof first === 'function'
      ? stream.selectKey<K2>(first as (key: K, value: V) => Plain<K2>, second)
      : stream;
  }

  /** Groups the rows anew: each change moves its row from the old group to the new one. */
  groupBy<K2, V2>(
    selector: (key: K, value: V) => KeyValue<K2, V2>,
    grouped: Grouped<K2, V2> = {},
  ): KGroupedTable<K2, V2> {
    const { graph } = this.handle;
    const name = graph.nameFor(grouped.name, 'KTABLE-SELECT-');
    plain(selector, name);
    const select = (value: unknown, key: RecordKey): KeyValue<K2, V2> =>
      given(selector(userKey(key) as K, value as V), 'selector');
    const open = groupTable(
      (value, key) => keyGiven(select(value, key)[0], 'selector'),
      (value, key) => given(select(value, key)[1], 'selector'),
      grouped.keySerde ?? graph.defaultKeySerde ?? pendingKeySerde(name),
    );
    const node = graph.addProcessor([this.handle.node], { name, open });
    this.handle.supplier.enableOldValues(true);
    return graph.fluent.groupedTable({ graph, node, grouped });
  }

  /** Holds changes back: until windows have closed, or for a time. */
  suppress(suppressed: Suppressed): KTable<K, V> {
    const { graph, supplier, valueSerde, window } = this.handle;
    const { until, options: bounds } = suppressed;
    if (this.handle.historyMs !== undefined)
      throw new TopologyError(
        'changes of a versioned table cannot be held back',
        'suppress a table that is not versioned',
      );
    const name = graph.nameOrNew(bounds.name, 'KTABLE-SUPPRESS-');
    const storeName =
      bounds.name === undefined ? graph.newStoreName('KTABLE-SUPPRESS-') : `${bounds.name}-store`;
    const { graceMs } = this.handle;
    if (until === 'window-close' && (window === undefined || graceMs === undefined))
      throw new TopologyError(
        `${name} waits for windows to close, but the table above has none`,
        'suppress until windows close right below a windowed aggregation, or until a time limit',
      );
    const valuesOf = (): ValueCodec => codecOf(graph.valuesOf(valueSerde, name));
    const common: Omit<SuppressOptions, 'sendOldValues' | 'values'> = {
      store: storeName,
      index: until === 'window-close' ? null : `${storeName}-index`,
      until,
      waitMs: until === 'window-close' ? graceMs! : suppressed.waitMs,
      window,
      recordsMax: bounds.recordsMax ?? Infinity,
      bytesMax: bounds.bytesMax ?? Infinity,
      whenFull: bounds.whenFull ?? 'emit',
    };
    // Readers of the table see the row before the change that is held back.
    supplier.enableOldValues(true);
    let sendOldValues = false;
    const node = graph.addProcessor([this.handle.node], {
      name,
      open: () => suppress({ ...common, values: valuesOf(), sendOldValues })(),
      stores() {
        const base = { kind: 'key-value', changelog: bounds.logging ?? true, persistent: true } as const;
        const stores = [graph.define({ ...base, name: storeName, values: bufferedChangeCodec(valuesOf()) })];
        if (common.index !== null)
          stores.push(graph.define({ ...base, name: common.index, values: bufferTimeCodec }));
        return stores;
      },
    });
    const held: TableSupplier = {
      enableOldValues: (force) => (sendOldValues = supplier.enableOldValues(force)),
      view: () => suppressedView(supplier.view(), common),
    };
    return new KTable({ ...this.handle, node, supplier: held, queryableStore: undefined });
  }

  /** Rows that exist on both sides, joined; recomputed when either changes. */
  join<VO, VR>(
    other: KTable<K, VO>,
    joiner: (left: V, right: VO) => VR,
    materialized?: Materialized<K, VR>,
    named?: Named,
  ): KTable<K, VR>;
  /** By the key of `other` that each row of this table names; null joins nothing. */
  join<KO, VO, VR>(
    other: KTable<KO, VO>,
    foreignKeyOf: (value: V, key: K) => KO | null,
    joiner: (left: V, right: VO) => VR,
    materialized?: Materialized<K, VR>,
    named?: Named,
  ): KTable<K, VR>;
  join(other: unknown, second: unknown, third?: unknown, fourth?: unknown, fifth?: unknown): unknown {
    return this.#join('inner', other, second, third, fourth, fifth);
  }

  /** As `join`, and rows of this table without a partner join null. */
  leftJoin<VO, VR>(
    other: KTable<K, VO>,
    joiner: (left: V, right: VO | null) => VR,
    materialized?: Materialized<K, VR>,
    named?: Named,
  ): KTable<K, VR>;
  leftJoin<KO, VO, VR>(
    other: KTable<KO, VO>,
    foreignKeyOf: (value: V, key: K) => KO | null,
    joiner: (left: V, right: VO | null) => VR,
    materialized?: Materialized<K, VR>,
    named?: Named,
  ): KTable<K, VR>;
  leftJoin(other: unknown, second: unknown, third?: unknown, fourth?: unknown, fifth?: unknown): unknown {
    return this.#join('left', other, second, third, fourth, fifth);
  }

  /** As `join`, and rows of either table without a partner join null. */
  outerJoin<VO, VR>(
    other: KTable<K, VO>,
    joiner: (left: V | null, right: VO | null) => VR,
    materialized?: Materialized<K, VR>,
    named: Named = {},
  ): KTable<K, VR> {
    return this.#joinTable(
      'outer',
      other as KTable<K, unknown>,
      joiner as Joiner,
      materialized as AnyMaterialized | undefined,
      named,
    ) as unknown as KTable<K, VR>;
  }

  #join(
    kind: 'inner' | 'left',
    other: unknown,
    second: unknown,
    third: unknown,
    fourth: unknown,
    fifth: unknown,
  ): KTable<unknown, unknown> {
    if (typeof third === 'function')
      return new KTable(
        joinByForeignKey(
          kind,
          this.handle,
          (other as KTable<unknown, unknown>).handle,
          second as (value: unknown, key: unknown) => unknown,
          third as Joiner,
          fourth ?? {},
          fifth ?? {},
        ),
      );
    return this.#joinTable(
      kind,
      other as KTable<K, unknown>,
      second as Joiner,
      third as AnyMaterialized | undefined,
      fourth ?? {},
    );
  }

  #filter(
    name: string,
    keeps: boolean,
    predicate: (key: K, value: V) => boolean,
    materialized: Materialized<K, V> | undefined,
    named: Named,
  ): KTable<K, V> {
    plain(predicate, name);
    const transform: RowTransform = (value, key) =>
      holds(predicate(userKey(key) as K, value as V), 'predicate') === keeps ? value : null;
    const { valueSerde } = this.handle;
    return this.#transform(
      'KTABLE-FILTER-',
      () => ({ transform }),
      true,
      valueSerde,
      materialized,
      named,
    ) as KTable<K, V>;
  }

  #transform(
    prefix: string,
    open: OpenTransform,
    filters: boolean,
    inherited: Serde | undefined,
    materialized: AnyMaterialized | undefined,
    named: Named & { readonly stores?: readonly string[] },
  ): KTable<unknown, unknown> {
    const { graph, supplier: parent } = this.handle;
    const versioned = materialized?.versioned !== undefined;
    // A store that nobody named is not made (but for versions), but Kafka Streams uses up its name.
    const usesName = versioned || prefix !== 'KTABLE-TRANSFORMVALUES-';
    const unnamed = materialized !== undefined && materialized.name === undefined;
    const generated = unnamed && usesName ? graph.newStoreName(prefix) : null;
    const name = graph.nameFor(named.name, prefix);
    const store =
      materialized?.name === undefined ? (versioned ? generated : null) : nameGiven(materialized.name);
    const { stores: uses = [] } = named;
    const valueSerde = materialized?.valueSerde ?? inherited;
    const supplier = new TransformedTable(parent, open, store, uses);
    if (store !== null) graph.keySerdes.set(store, this.handle.keySerde);
    // A filter right above a store knows which rows were visible and need not send removals for the others.
    // A removal that was not visible may still be a version.
    const dropAbsent = filters && this.handle.historyMs === undefined;
    if (dropAbsent) supplier.sendOldValues = parent.enableOldValues(false);
    const node = graph.addProcessor([this.handle.node], {
      name,
      open: () => transformTable({ open, store, sendOldValues: supplier.sendOldValues, dropAbsent })(),
      stores: () =>
        store === null
          ? []
          : [keyValueStore({ name: store, materialized: materialized! }, valueSerde, graph)],
      uses,
    });
    return new KTable({
      ...this.handle,
      node,
      valueSerde,
      supplier,
      queryableStore: store ?? undefined,
      historyMs:
        store === null ? this.handle.historyMs : historyOf({ name: store, materialized: materialized! }),
    });
  }

  #joinTable(
    kind: 'inner' | 'left' | 'outer',
    other: KTable<K, unknown>,
    joiner: Joiner,
    materialized: AnyMaterialized | undefined,
    named: Named,
  ): KTable<unknown, unknown> {
    const { graph, supplier: left, window } = this.handle;
    const right = other.handle.supplier;
    // A store's name comes before the operation's.
    const plan = materialized === undefined ? null : materialize(graph, materialized, 'KTABLE-MERGE-');
    const name = graph.nameFor(named.name, 'KTABLE-MERGE-');
    const sources = union(this.handle.sources, other.handle.sources);
    const copartitioned = graph.track(sources);
    if (kind !== 'inner') left.enableOldValues(true);
    if (kind === 'outer') right.enableOldValues(true);
    const thisName = graph.nameFor(named.name, 'KTABLE-JOINTHIS-', '-join-this');
    const otherName = graph.nameFor(named.name, 'KTABLE-JOINOTHER-', '-join-other');
    const join = joinerOf(joiner, name);
    const store = plan?.name ?? null;
    const supplier = new JoinedTable(left, right, kind, join, store);
    const leftView = left.view();
    const rightView = right.view();
    const leftParent = this.handle.node;
    const rightParent = other.handle.node;
    const valueSerde = materialized?.valueSerde;
    if (store !== null) graph.keySerdes.set(store, this.handle.keySerde);
    const node = new GraphNode({
      name,
      write: (topology) =>
        addTableJoin(topology, {
          name,
          sources: copartitioned,
          left: { parent: leftParent.name, name: thisName, view: leftView },
          right: { parent: rightParent.name, name: otherName, view: rightView },
          join: kind,
          joiner: join,
          sendOldValues: supplier.sendOldValues,
          store: plan === null ? null : keyValueStore(plan, valueSerde, graph),
        }),
    });
    graph.add([leftParent], node);
    graph.add([rightParent], node);
    return new KTable({
      graph,
      node,
      keySerde: this.handle.keySerde,
      valueSerde,
      sources,
      supplier,
      queryableStore: materialized?.name,
      window,
      historyMs: plan === null ? undefined : historyOf(plan),
    });
  }
}
