import type { StateStoreOptions } from '../../state/store.ts';
import type { Serde } from '../topology/serde.ts';
import type { Topology, WindowLength } from '../topology/topology.ts';

/** A store as its topology describes it, for reading it from outside. */
export interface DescribedStore {
  readonly options: StateStoreOptions;
  /** Whether every instance holds it whole. */
  readonly isGlobal: boolean;
  /** The serde of its keys; undefined where none is known. */
  readonly keys: Serde | undefined;
  readonly windowSizeMs: WindowLength | undefined;
}

/** Null: there is no such store. */
export function describedStore(topology: Topology, name: string): DescribedStore | null {
  const local = topology.stores.find(({ options }) => options.name === name);
  if (local !== undefined)
    return {
      options: local.options,
      isGlobal: false,
      keys: local.keys,
      windowSizeMs: local.windowSizeMs,
    };
  const global = topology.globalStores.find(({ store }) => store.name === name);
  if (global === undefined) return null;
  const { store, keys, source, windowSizeMs } = global;
  return { options: store, isGlobal: true, keys: keys ?? source.key, windowSizeMs };
}
