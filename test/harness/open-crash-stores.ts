import type { KeyValueStore, TaskState, WindowStore } from '../../src/state/store.ts';
import { textValues } from './text-values.ts';

/** The stores that `persist-forever.ts` writes, for it and for who reads what is left of them. */
export function openCrashStores(state: TaskState): { kv: KeyValueStore; windows: WindowStore } {
  const options = { values: textValues, changelog: false, persistent: true };
  return {
    kv: state.openStore({ ...options, kind: 'key-value', name: 'kv' }),
    windows: state.openStore({
      ...options,
      kind: 'window',
      name: 'windows',
      retentionMs: 100_000,
      duplicates: false,
    }),
  };
}
