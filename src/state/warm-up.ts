import { storeWriter } from './database-key.ts';
import type { TimesRows } from './database-key.ts';
import type { KeyValueRows } from './key-value-store.ts';
import type { TaskDatabase } from './task-database.ts';
import { TimedRows } from './timed-rows.ts';

type Rows = KeyValueRows | TimesRows;

/** Rows brought in between two turns of the event loop. */
const SLICE_ROWS = 2048;

/**
 * Reads the stores of a task into memory while it already works: one store after the other, in slices, each store
 * `complete` when it is through. Reads that cannot wait for that load what they need.
 *
 * A row that memory does not have is as the scan finds it: what was put since is in memory, and stays there as long as
 * nothing is evicted, which has to stop it first.
 */
export class WarmUp {
  /** Resolves when there is nothing left to be brought in, or it was stopped. Never rejects. */
  done: Promise<void> = Promise.resolve();
  readonly #database: TaskDatabase;
  readonly #completed: () => void;
  #stopped = false;

  /** `completed` is told of each store that has become complete. */
  constructor(database: TaskDatabase, completed: () => void) {
    this.#database = database;
    this.#completed = completed;
  }

  /** Brings in a store, after those before it. */
  add(store: Rows): void {
    this.done = this.done.then(() => this.#bringIn(store));
  }

  /** No row comes in from now on. Resolves when the database is not read any more. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.done;
  }

  async #bringIn(store: Rows): Promise<void> {
    if (this.#stopped) return;
    const from = storeWriter(store.id).toBytes();
    const to = storeWriter(store.id + 1).toBytes();
    const visit = (key: Buffer, value: Buffer): boolean => {
      if (this.#stopped) return false;
      try {
        store.install(key, 2, value);
      } catch {
        // A value that cannot be read is told by who wants it.
        this.#stopped = true;
      }
      return !this.#stopped;
    };
    try {
      await this.#database.use((database) => database.scan(from, to, visit, SLICE_ROWS));
    } catch {
      // Damage is remembered by the database; and who reads what could not be read is told by that read.
      this.#stopped = true;
    }
    if (this.#stopped) return;
    // A journal that a read has left open would grow until the commit: nothing is undone any more.
    store.endJournal();
    store.complete = true;
    if (store instanceof TimedRows) store.coldTime = -Infinity;
    this.#completed();
  }
}
