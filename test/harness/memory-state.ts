import type { StateBackend, TaskState } from '../../src/state/store.ts';

/** A backend for topologies without stores. */
export function memoryState(): StateBackend {
  return {
    openTaskState: () =>
      Promise.resolve({
        meta: null,
        damage: null,
        resident: true,
        unpersistedBytes: 0,
        memoryBytes: 0,
        beginRecord() {},
        undoRecord() {},
        load: () => Promise.resolve(),
        persist: () => Promise.resolve(),
        claim: () => Infinity,
        canShrink: false,
        evict() {},
        wipe: () => Promise.resolve(),
        close: () => Promise.resolve(),
      } as unknown as TaskState),
  };
}
