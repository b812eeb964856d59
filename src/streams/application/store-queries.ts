import { must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import { describedStore, type DescribedStore } from '../stores/described-store.ts';
import { openStoreView } from '../stores/open-store-view.ts';
import type { Serde } from '../topology/serde.ts';
import { taskCount } from '../instance/internal-topics.ts';
import {
  type KeyMetadata,
  type OpenPartitions,
  type ReadOnlyKeyValueStore,
  type ReadOnlySessionStore,
  type ReadOnlyStores,
  type ReadOnlyVersionedStore,
  type ReadOnlyWindowStore,
  readOnlyStore,
  type StoreKind,
  type StoreQuery,
  StoreQueryError,
} from './read-only-store.ts';
import type { SteppedStreams, TaskStore } from './stepped-streams.ts';

/** Reads an application's stores from outside (interactive queries). */
export class StoreQueries {
  readonly #application: SteppedStreams;

  constructor(application: SteppedStreams) {
    this.#application = application;
  }

  /**
   * A read-only view on a store by name, over the partitions of this process. Throws `StoreQueryError` when there is
   * no such store, it is of another kind, or (from its reads too) it cannot be read now.
   *
   * ```ts
   * const counts = streams.keyValueStore<string, number>('counts');
   * await counts.get('fox');
   * ```
   */
  store<K, V, Kind extends StoreKind>(name: string, query: StoreQuery<Kind, K>): ReadOnlyStores<K, V>[Kind] {
    const { kind, keySerde, partition, stale = false } = query;
    const described = this.#described(name);
    if (described.options.kind !== kind)
      throw new StoreQueryError(
        `store ${name} is a ${described.options.kind} store, not a ${kind} store`,
        `ask for kind '${described.options.kind}'`,
      );
    const keys = keySerde ?? described.keys;
    if (keys === undefined)
      throw new StoreQueryError(`it is not known how the keys of store ${name} are encoded`, 'give keySerde');
    // Rows tell where their windows start, and nothing of the end.
    const views = { windowSizeMs: 0 };
    const found = (): readonly TaskStore[] =>
      this.#application
        .stores(name)
        .filter((each) => partition === undefined || each.partition === partition);
    const open: OpenPartitions = () => {
      this.#checkReadable(name, stale);
      const partitions = found();
      if (partition !== undefined && partitions.length === 0)
        throw new StoreQueryError(
          `partition ${partition} of store ${name} is not here`,
          'ask the instance that has it',
        );
      return partitions.map(({ task, store }) => ({
        view: openStoreView(store, keys, views),
        load: () => task.load(),
        check: () => {
          this.#checkReadable(name, stale);
          if (!found().some((each) => each.store === store))
            throw new StoreQueryError(`store ${name} was closed while it was read`, 'read it again');
        },
      }));
    };
    open();
    return readOnlyStore<K, V, Kind>(kind, name, open);
  }

  keyValueStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'key-value', K>, 'kind'> = {},
  ): ReadOnlyKeyValueStore<K, V> {
    return this.store<K, V, 'key-value'>(name, { kind: 'key-value', ...query });
  }

  windowStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'window', K>, 'kind'> = {},
  ): ReadOnlyWindowStore<K, V> {
    return this.store<K, V, 'window'>(name, { kind: 'window', ...query });
  }

  sessionStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'session', K>, 'kind'> = {},
  ): ReadOnlySessionStore<K, V> {
    return this.store<K, V, 'session'>(name, { kind: 'session', ...query });
  }

  versionedStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'versioned', K>, 'kind'> = {},
  ): ReadOnlyVersionedStore<K, V> {
    return this.store<K, V, 'versioned'>(name, { kind: 'versioned', ...query });
  }

  /** The place of a key of a store, by the partitioner that the store's input is written with (default: by hash). */
  keyMetadata<K>(
    store: string,
    key: K,
    keySerde?: Serde<K>,
    partitioner: (key: K, bytes: Uint8Array, partitions: number) => number = (_key, bytes, partitions) =>
      partitionOfKey(bytes, 0, bytes.length, partitions),
  ): KeyMetadata {
    const described = this.#described(store);
    const { topology, resolved, plan } = this.#application;
    if (described.isGlobal)
      return { store, partition: -1, local: this.#application.stores(store).length > 0 };
    const serde = keySerde ?? described.keys;
    if (plan === null || serde === undefined)
      throw new StoreQueryError(
        plan === null
          ? 'the application has not been started'
          : `it is not known how the keys of store ${store} are encoded`,
        plan === null ? 'start it first' : 'give keySerde',
      );
    const sub = must(
      (resolved ?? topology)
        .subTopologies()
        .find((each) => each.stores.some(({ options }) => options.name === store)),
    );
    const writer = new ByteWriter(64);
    serde.serialize(key, writer);
    const partition = partitioner(key, writer.toBytes(), taskCount(sub, plan.partitions));
    return {
      store,
      partition,
      local: this.#application.stores(store).some((each) => each.partition === partition),
    };
  }

  #described(name: string): DescribedStore {
    const { topology } = this.#application;
    const described = describedStore(topology, name);
    if (described !== null) return described;
    const names = [
      ...topology.stores.map((each) => each.options.name),
      ...topology.globalStores.map(({ store }) => store.name),
    ];
    throw new StoreQueryError(
      `the application has no store ${name}`,
      names.length === 0 ? 'it has no stores' : `its stores are ${names.join(', ')}`,
    );
  }

  #checkReadable(name: string, stale: boolean): void {
    const { state, allTasks } = this.#application;
    if (state === 'running') return;
    const open = state === 'paused' || state === 'restoring' || state === 'error';
    if (stale && open && allTasks.length > 0) return;
    throw new StoreQueryError(
      `store ${name} cannot be read while the application is ${state === 'error' ? 'stopped by an error' : state}`,
      open ? 'wait until it runs, or set stale to read what there is' : 'start the application',
    );
  }
}
