import { must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import type { StateStore } from '../../state/store.ts';
import { describedStore, type DescribedStore } from '../stores/described-store.ts';
import { openStoreView } from '../stores/open-store-view.ts';
import type { Serde } from '../topology/serde.ts';
import type { Topology } from '../topology/topology.ts';
import { taskCount, type TopicPlan } from '../instance/internal-topics.ts';
import {
  type KeyMetadata,
  type OpenPartitions,
  type ReadOnlyStores,
  readOnlyStore,
  type StoreKind,
  type StoreQuery,
  StoreQueryError,
} from './queryable-store.ts';
import type { StreamsState } from '../instance/streams-options.ts';
import type { Task } from '../task/task.ts';

/** A store of one task, for reading from outside (interactive queries). */
export interface TaskStore {
  readonly task: Task;
  readonly partition: number;
  readonly store: StateStore;
}

/** What queries need to know of the application while it runs. */
export interface QueriedApplication {
  readonly topology: Topology;
  readonly state: StreamsState;
  readonly allTasks: readonly Task[];
  /** As found when it was opened, and since; null before. */
  readonly resolved: Topology | null;
  readonly plan: TopicPlan | null;
}

/** Finds stores by name, and which partition holds a key. */
export class StoreQueries {
  readonly #application: QueriedApplication;

  constructor(application: QueriedApplication) {
    this.#application = application;
  }

  /** The stores of that name in this process, a partition each. */
  stores(name: string): readonly TaskStore[] {
    const found: TaskStore[] = [];
    for (const task of this.#application.allTasks) {
      const store = task.stores.get(name);
      if (store !== undefined) found.push({ task, partition: task.partition, store });
    }
    return found;
  }

  store<K, V, Kind extends StoreKind>(name: string, query: StoreQuery<Kind, K>): ReadOnlyStores<K, V>[Kind] {
    const { kind, keySerde, partition, stale = false } = query;
    const described = this.#described(name);
    if (described.options.kind !== kind)
      throw new StoreQueryError(
        `store ${name} is a ${described.options.kind} store, not a ${kind} store`,
        `ask for kind '${described.options.kind}'`,
      );
    const keys = (keySerde as Serde | undefined) ?? described.keys;
    if (keys === undefined)
      throw new StoreQueryError(`it is not known how the keys of store ${name} are encoded`, 'give keySerde');
    // Rows tell where their windows start, and nothing of the end.
    const views = { windowSizeMs: 0 };
    const found = (): readonly TaskStore[] =>
      this.stores(name).filter((each) => partition === undefined || each.partition === partition);
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

  keyMetadata<K>(
    store: string,
    key: K,
    keySerde?: Serde<K>,
    partitioner: (key: K, bytes: Uint8Array, partitions: number) => number = (_key, bytes, partitions) =>
      partitionOfKey(bytes, 0, bytes.length, partitions),
  ): KeyMetadata {
    const described = this.#described(store);
    const { topology, resolved, plan } = this.#application;
    if (described.isGlobal) return { store, partition: -1, local: this.stores(store).length > 0 };
    const serde = (keySerde as Serde | undefined) ?? described.keys;
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
    return { store, partition, local: this.stores(store).some((each) => each.partition === partition) };
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
