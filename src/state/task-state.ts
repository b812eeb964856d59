import { tmpdir } from 'node:os';
import { assert, must } from '../common/assert.ts';
import { DirectoryLock, StateError } from './directory-lock.ts';
import { KeyValueRows } from './key-value-store.ts';
import { read } from './database.ts';
import { rowsToLoad } from './load-rows.ts';
import { WarmUp } from './warm-up.ts';
import { LruRows } from './lru-store.ts';
import { MemoryBudget } from './memory-budget.ts';
import { ScratchDirectory } from './scratch-directory.ts';
import { WriteBatch } from './write-batch.ts';
import { segmentBound } from './database-key.ts';
import type { TimesRows } from './database-key.ts';
import { SessionRows } from './session-store.ts';
import { MISS } from './store.ts';
import type {
  ChangelogVisitor,
  KeyValueStore,
  KeyValueStoreOptions,
  SessionStore,
  SessionStoreOptions,
  StateBackend,
  StateStore,
  StateStoreOptions,
  TaskState,
  VersionedStore,
  VersionedStoreOptions,
  WindowStore,
  WindowStoreOptions,
} from './store.ts';
import { META_STORE, TaskDatabase } from './task-database.ts';
import type { CatalogEntry } from './task-database.ts';
import { TimedRows } from './timed-rows.ts';
import { VersionedRows } from './versioned-store.ts';
import { WindowRows } from './window-store.ts';

type Rows = KeyValueRows | TimesRows;

export interface StateBackendOptions {
  /** A database whose files are no larger is read into memory as a whole, behind what is processed. */
  readonly residentBytes?: number;
  /** RocksDB's write buffer, per task. */
  readonly writeBufferBytes?: number;
  /**
   * Bytes that all states of the backend may hold in memory together; at most half of what V8 may have for its heap.
   * Default a quarter of that, and no more than 512 MiB. What does not fit goes to disk.
   */
  readonly memoryBytes?: number;
  /**
   * Where state without a directory goes when it does not fit in memory: into a folder that is removed at the end, or by the
   * next process that needs one. Default the system's directory for temporary files; null keeps it in memory.
   */
  readonly scratchDirectory?: string | null;
}

/** Task states in memory, over RocksDB where a directory is given. */
export function openStateBackend(options: StateBackendOptions = {}): StateBackend {
  const residentBytes = options.residentBytes ?? 64 << 20;
  const budget = new MemoryBudget(options.memoryBytes);
  const writeBufferBytes =
    options.writeBufferBytes ?? Math.max(2 << 20, Math.min(16 << 20, budget.bytesMax / 32));
  const { scratchDirectory = tmpdir() } = options;
  const scratch = scratchDirectory === null ? null : new ScratchDirectory(scratchDirectory);
  return {
    async openTaskState(directory) {
      const database = directory === null ? null : await TaskDatabase.open(directory, writeBufferBytes);
      return new LocalTaskState({
        database,
        residentBytes,
        budget,
        scratch: database === null && scratch !== null ? { directory: scratch, writeBufferBytes } : null,
      });
    },
    async lockApplication(directory) {
      const lock = DirectoryLock.acquire(directory);
      try {
        await lock.takeFile();
      } catch (error) {
        lock.release();
        throw error;
      }
      return () => lock.release();
    },
  };
}

interface LocalStateParts {
  readonly database: TaskDatabase | null;
  readonly residentBytes: number;
  readonly budget: MemoryBudget;
  /** Where a database may be made for a state that has none; null: nowhere. */
  readonly scratch: { readonly directory: ScratchDirectory; readonly writeBufferBytes: number } | null;
}

class LocalTaskState implements TaskState {
  meta: string | null = null;
  resident = true;
  waits = false;
  missed = false;
  readFailure: unknown = null;

  #database: TaskDatabase | null;
  readonly #budget: MemoryBudget;
  /** What the budget was told last. */
  #claimed = 0;
  readonly #scratch: LocalStateParts['scratch'];
  /** The folder of a database that goes when the state is closed. */
  #scratchPath: string | null = null;
  #stores: Rows[] = [];
  /** By name: the stores that the database knows. */
  readonly #catalog = new Map<string, CatalogEntry>();
  /** Brings in what was on disk; null where that is too much. */
  readonly #warmUp: WarmUp | null;
  /** Greatest segment already deleted from the database, by store number. */
  readonly #deletedSegments = new Map<number, number>();
  #persisting = false;
  #loading = false;
  #failure: unknown = null;
  #closed = false;

  /** Of the database only what it says of itself has been read; its rows come when they are wanted, or behind. */
  constructor({ database, residentBytes, budget, scratch }: LocalStateParts) {
    this.#database = database;
    this.#budget = budget;
    this.#scratch = scratch;
    const written = database?.written ?? null;
    this.meta = written?.meta ?? null;
    for (const entry of written?.stores ?? []) this.#catalog.set(entry.name, entry);
    this.#warmUp =
      database === null || written === null || written.sizeBytes > residentBytes
        ? null
        : new WarmUp(database, () => {
            this.resident = this.#stores.every((store) => store.complete);
          });
  }

  get damage(): Error | null {
    return this.#database?.damage ?? null;
  }

  openStore(options: KeyValueStoreOptions): KeyValueStore;
  openStore(options: WindowStoreOptions): WindowStore;
  openStore(options: SessionStoreOptions): SessionStore;
  openStore(options: VersionedStoreOptions): VersionedStore;
  openStore(options: StateStoreOptions): StateStore;
  openStore(options: StateStoreOptions): StateStore {
    assert(
      !this.#stores.some((store) => store.name === options.name),
      `store ${options.name} is already open`,
    );
    const persisted = this.#database !== null && mayLeaveMemory(options);
    const store = newStore(options, persisted);
    this.#stores.push(store);
    if (!persisted) return store;
    store.missed = () => this.#missed(store);
    const entry = this.#catalog.get(options.name);
    if (entry === undefined) {
      this.#number(store);
      return store;
    }
    // A millisecond of retention is no other shape: release 0.1.0 kept the windows of SQL for one longer.
    if (store instanceof TimedRows && Math.abs((entry.segmentMs ?? 0) - store.segmentMs) <= 1)
      store.segmentMs = entry.segmentMs ?? 0;
    if (entry.kind !== options.kind || (store instanceof TimedRows && entry.segmentMs !== store.segmentMs))
      throw new StateError(
        `store ${options.name} on disk is a ${entry.kind} store of another shape`,
        'use another name for the store, or delete the state directory: state is restored from its changelog',
      );
    store.id = entry.id;
    store.storedCount = entry.count;
    if (store instanceof TimedRows) {
      store.observedTime = store.drainedTime = entry.observedTime ?? -1;
      store.coldTime = store.drainedTime;
      store.nextSequence = entry.nextSequence ?? 0;
    }
    store.complete = false;
    this.resident = false;
    this.#warmUp?.add(store);
    return store;
  }

  /** Gives a store that the database does not know its number. */
  #number(store: Rows): void {
    let id = 0;
    for (const other of this.#catalog.values()) id = Math.max(id, other.id + 1);
    assert(id < META_STORE, 'a task has too many stores');
    store.id = id;
    this.#catalog.set(store.name, catalogEntry(store));
  }

  isOnDisk(store: StateStore): boolean {
    return (store as Rows).persisted && this.#scratchPath === null;
  }

  get canShrink(): boolean {
    return this.#database !== null || this.#scratch !== null;
  }

  async spill(): Promise<void> {
    if (this.#database !== null) return;
    const { directory, writeBufferBytes } = must(this.#scratch);
    const path = await directory.acquire();
    try {
      this.#database = await TaskDatabase.open(path, writeBufferBytes);
    } catch (error) {
      await directory.release(path);
      throw error;
    }
    this.#scratchPath = path;
    for (const store of this.#stores) {
      if (!mayLeaveMemory(store.options)) continue;
      store.beginPersisting();
      store.missed = () => this.#missed(store);
      this.#number(store);
    }
  }

  claim(): number {
    const bytes = this.memoryBytes;
    this.#budget.note(this.#claimed, bytes);
    this.#claimed = bytes;
    return this.#budget.shareOf(bytes);
  }

  want(
    store: StateStore,
    key: Uint8Array,
    start: number,
    end: number,
    fromTime: number,
    toTime: number,
  ): void {
    if (!this.resident) (store as Rows).want(key, start, end, fromTime, toTime);
  }

  async load(): Promise<void> {
    if (this.resident) return;
    assert(!this.#loading, 'one load at a time');
    this.#loading = true;
    try {
      for (const store of this.#stores) {
        const wants = store.takeWants();
        if (wants === null) continue;
        await must(this.#database).use((database) => read(database, rowsToLoad(store, wants)));
      }
    } finally {
      this.#loading = false;
    }
  }

  async allowWaiting(): Promise<void> {
    if (this.resident || this.#database === null) return;
    // What will all be in memory soon need not be waited for row by row.
    await this.#warmUp?.done;
    if (this.resident) return;
    assert(!this.#loading && !this.#persisting, 'nothing else may use the database');
    await this.#database.allowWaiting();
  }

  #missed(store: Rows): void {
    if (!this.waits || this.#database?.canWait !== true) {
      this.missed = true;
      throw MISS; // oxlint-disable-line no-throw-literal
    }
    assert(!this.#loading, 'nothing may be processed while state is loaded');
    try {
      this.#database.readNow(rowsToLoad(store, must(store.takeWants())));
    } catch (error) {
      this.readFailure ??= error;
      throw error;
    }
  }

  beginRecord(): void {
    this.missed = false;
    if (this.resident) return;
    for (const store of this.#stores) store.beginRecord();
  }

  undoRecord(): void {
    for (const store of this.#stores) store.undoRecord();
  }

  drainChangelog(store: StateStore, visit: ChangelogVisitor): void {
    const rows = store as Rows;
    rows.endJournal();
    rows.drain(visit);
  }

  restore(
    store: StateStore,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void {
    const rows = store as Rows;
    const decoded = valueStart < 0 ? null : rows.options.values.decode(value, valueStart, valueEnd);
    rows.restoreRow(key, keyStart, keyEnd, decoded, timestamp);
  }

  get unpersistedBytes(): number {
    let total = 0;
    for (const store of this.#stores) total += store.unpersistedBytes;
    return total;
  }

  get memoryBytes(): number {
    let total = 0;
    for (const store of this.#stores) total += store.memoryBytes;
    return total;
  }

  persist(meta: string): Promise<void> {
    const database = this.#database;
    if (database === null) {
      this.meta = meta;
      return Promise.resolve();
    }
    if (this.#failure !== null)
      return Promise.reject(
        new StateError(
          'the state of this task failed to be written before',
          'open the task again',
          this.#failure,
        ),
      );
    assert(!this.#persisting, 'one persist at a time');
    assert(!this.#closed, 'the state must be open');
    this.#persisting = true;
    const batch = new WriteBatch();
    try {
      this.#encode(batch);
      return this.#written(database.write(batch, meta, [...this.#catalog.values()]), meta);
    } catch (error) {
      this.#failure = error;
      this.#persisting = false;
      return Promise.reject(error as Error);
    }
  }

  /** Encodes everything that the batch holds, with no wait in between. */
  #encode(batch: WriteBatch): void {
    for (const store of this.#stores) {
      if (!store.persisted) continue;
      if (store instanceof TimedRows) this.#deleteExpired(store, batch);
      store.encodeUnpersisted(batch);
      this.#catalog.set(store.name, catalogEntry(store));
    }
  }

  #deleteExpired(store: TimesRows, batch: WriteBatch): void {
    const segment = store.segmentOf(store.drainedTime - store.retentionMs);
    const before = this.#deletedSegments.get(store.id) ?? -Infinity;
    if (!(segment > before)) return;
    this.#deletedSegments.set(store.id, segment);
    batch.deletedRanges.push({
      from: segmentBound(store, before),
      to: segmentBound(store, segment),
    });
  }

  async #written(write: Promise<void>, meta: string): Promise<void> {
    try {
      await write;
      this.meta = meta;
      for (const store of this.#stores) if (store.persisted) store.persistDone();
    } catch (error) {
      // Which values the failed batch held is known no more, so a retry could write others.
      this.#failure = error;
      throw error;
    } finally {
      this.#persisting = false;
    }
  }

  evict(budgetBytes: number): void {
    if (this.#database === null || this.#loading) return;
    const enough = (): boolean => this.memoryBytes <= budgetBytes;
    if (enough()) return;
    // A row that leaves now may be newer than the one that is about to be brought in.
    void this.#warmUp?.stop();
    for (const store of this.#stores) {
      if (!store.persisted) continue;
      store.endJournal();
      if (store.evict(enough)) this.resident = false;
      if (enough()) return;
    }
  }

  async wipe(): Promise<void> {
    await this.#warmUp?.stop();
    for (const store of this.#stores) store.clear();
    this.meta = null;
    this.resident = true;
    this.#deletedSegments.clear();
    this.#failure = null;
    this.#catalog.clear();
    for (const store of this.#stores) if (store.persisted) this.#catalog.set(store.name, catalogEntry(store));
    this.readFailure = null;
    await this.#database?.delete();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#budget.note(this.#claimed, 0);
    this.#claimed = 0;
    await this.#warmUp?.stop();
    try {
      await this.#database?.close();
    } finally {
      if (this.#scratchPath !== null) await must(this.#scratch).directory.release(this.#scratchPath);
    }
  }
}

/** A store with a bound forgets instead; and some are not to be written down. */
function mayLeaveMemory(options: StateStoreOptions): boolean {
  return options.persistent && !(options.kind === 'key-value' && options.rowsMax !== undefined);
}

function newStore(options: StateStoreOptions, persisted: boolean): Rows {
  switch (options.kind) {
    case 'key-value': {
      const { rowsMax } = options;
      return rowsMax === undefined
        ? new KeyValueRows(options, persisted)
        : new LruRows({ ...options, rowsMax });
    }
    case 'window':
      return new WindowRows(options, persisted);
    case 'session':
      return new SessionRows(options, persisted);
    case 'versioned':
      return new VersionedRows(options, persisted);
  }
}

function catalogEntry(store: Rows): CatalogEntry {
  const count = store.complete ? store.present : Math.max(store.present, store.storedCount);
  const common: CatalogEntry = { id: store.id, name: store.name, kind: store.kind, count };
  if (!(store instanceof TimedRows)) return common;
  return {
    ...common,
    observedTime: store.drainedTime,
    nextSequence: store.nextSequence,
    segmentMs: store.segmentMs,
  };
}
