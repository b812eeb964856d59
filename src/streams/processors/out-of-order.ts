import { LATEST, type KeyValueStore, type VersionedStore } from '../../state/store.ts';

/** A store that holds the rows of a table: one a key, or all its versions of late. */
export type TableStore = KeyValueStore | VersionedStore;

/**
 * Stands for the old value of a change that is not its key's newest version (KIP-914): only a versioned store sends
 * such changes. Operators that keep or show single changes pass them on; those that work with the latest rows only (aggregates,
 * joins of tables) leaves them out.
 */
export class OutOfOrder {
  /** The latest row at that time, as `old` would have been: undefined where nobody asked. */
  readonly latest: unknown;

  constructor(latest: unknown) {
    this.latest = latest;
  }
}

/** The old value to forward, by what the store's `put` returned (not NOT_PUT). */
export function oldAfterPut(old: unknown, validTo: number): unknown {
  return validTo === LATEST ? old : new OutOfOrder(old);
}
