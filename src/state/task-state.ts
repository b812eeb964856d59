import { join } from 'node:path';
import { assert } from '../common/assert.ts';
import { DirectoryLock, StateError } from './directory-lock.ts';
import { KeyValueRows } from './key-value-store.ts';
import { loadKeys, loadTimes } from './load-rows.ts';
import { LruRows } from './lru-store.ts';
import { RocksDatabase, databaseExists, databaseSizeBytes, deleteDatabase } from './rocks-database.ts';
import type { StoredRow } from './rocks-database.ts';
import { RowBatch } from './row-batch.ts';
import { segmentBound } from './segment-bound.ts';
import type { TimesRows } from './segment-bound.ts';
import { SessionRows } from './session-store.ts';
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
import { TimedRows } from './timed-rows.ts';
import { VersionedRows } from './versioned-store.ts';
import { WindowRows } from './window-store.ts';

/** The store number of what is no store's: the caller's meta and the catalog of stores. */
const META_STORE = 0xffff;
const META_KEY: Buffer = Buffer.from([0xff, 0xff, 0]);
const CATALOG_KEY: Buffer = Buffer.from([0xff, 0xff, 1]);
const FORMAT_VERSION = 1;

/** What the database knows of a store beside its rows. */
interface CatalogEntry {
  readonly id: number;
  readonly name: string;
  readonly kind: StateStoreOptions['kind'];
  readonly count: number;
  /** For windows and sessions. */
  readonly observedTime?: number;
  readonly nextSequence?: number;
  readonly segmentMs?: number;
}

interface Catalog {
  readonly version: number;
  readonly stores: readonly CatalogEntry[];
}

type Rows = KeyValueRows | TimesRows;

export interface StateBackendOptions {
  /** A database whose files are no larger is read into memory as a whole when it is opened. */
  readonly residentBytes?: number;
  /** RocksDB's write buffer, per task. */
  readonly writeBufferBytes?: number;
}

/** Task states in memory, over RocksDB where a directory is given. */
export function openStateBackend(options: StateBackendOptions = {}): StateBackend {
  const residentBytes = options.residentBytes ?? 64 << 20;
  const writeBufferBytes = options.writeBufferBytes ?? 16 << 20;
  return {
    async openTaskState(directory) {
      const state = new LocalTaskState(directory, residentBytes, writeBufferBytes);
      await state.open();
      return state;
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

class LocalTaskState implements TaskState {
  meta: string | null = null;
  resident = true;

  readonly #directory: string | null;
  readonly #residentBytes: number;
  readonly #writeBufferBytes: number;
  #lock: DirectoryLock | null = null;
  #database: RocksDatabase | null = null;
  #stores: Rows[] = [];
  /** By name: the stores that the database knows. */
  readonly #catalog = new Map<string, CatalogEntry>();
  /** Rows read at open, by store number, until their store is opened. Null: they stay on disk until wanted. */
  #preloaded: Map<number, StoredRow[]> | null = new Map();
  /** Greatest segment already deleted from the database, by store number. */
  readonly #deletedSegments = new Map<number, number>();
  #persisting = false;
  #loading = false;
  #failure: unknown = null;
  #closed = false;

  constructor(directory: string | null, residentBytes: number, writeBufferBytes: number) {
    this.#directory = directory;
    this.#residentBytes = residentBytes;
    this.#writeBufferBytes = writeBufferBytes;
  }

  async open(): Promise<void> {
    if (this.#directory === null) return;
    this.#lock = DirectoryLock.acquire(this.#directory);
    try {
      if (await databaseExists(this.#path())) await this.#openExisting();
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  async #openExisting(): Promise<void> {
    const size = await databaseSizeBytes(this.#path());
    const database = await this.#opened();
    const [meta, catalog] = await database.getMany([META_KEY, CATALOG_KEY]);
    if (meta === null || meta === undefined || catalog === null || catalog === undefined) return;
    const parsed = JSON.parse(catalog.toString('utf8')) as Catalog;
    if (parsed.version !== FORMAT_VERSION)
      throw new StateError(
        `the state in ${this.#directory} was written in format ${parsed.version}, this release reads ${FORMAT_VERSION}`,
        'delete the directory: state is restored from its changelog',
      );
    this.meta = meta.toString('utf8');
    for (const entry of parsed.stores) this.#catalog.set(entry.name, entry);
    if (size > this.#residentBytes) {
      this.#preloaded = null;
      return;
    }
    const preloaded = this.#preloaded!;
    await database.scan(Buffer.from([0, 0]), META_KEY, (key, value) => {
      const id = key.readUInt16BE(0);
      let rows = preloaded.get(id);
      if (rows === undefined) preloaded.set(id, (rows = []));
      rows.push({ key, value });
    });
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
    const inMemory = options.kind === 'key-value' && options.rowsMax !== undefined;
    const persisted = this.#directory !== null && options.persistent && !inMemory;
    const store = newStore(options, persisted);
    this.#stores.push(store);
    if (!persisted) return store;
    const entry = this.#catalog.get(options.name);
    if (entry === undefined) {
      let id = 0;
      for (const other of this.#catalog.values()) id = Math.max(id, other.id + 1);
      assert(id < META_STORE, 'a task has too many stores');
      store.id = id;
      this.#catalog.set(options.name, catalogEntry(store));
      return store;
    }
    if (entry.kind !== options.kind || (store instanceof TimedRows && entry.segmentMs !== store.segmentMs))
      throw new StateError(
        `store ${options.name} on disk is a ${entry.kind} store of another shape`,
        'use another name for the store, or delete the state directory: state is restored from its changelog',
      );
    store.id = entry.id;
    store.storedCount = entry.count;
    if (store instanceof TimedRows) {
      store.observedTime = store.drainedTime = store.storedTime = entry.observedTime ?? -1;
      store.nextSequence = entry.nextSequence ?? 0;
    }
    if (this.#preloaded === null) {
      store.complete = false;
      this.resident = false;
    } else {
      for (const row of this.#preloaded.get(entry.id) ?? []) store.install(row.key, 2, row.value);
      this.#preloaded.delete(entry.id);
    }
    return store;
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
        if (wants.length === 0) continue;
        const database = await this.#opened();
        if (store.kind === 'key-value') await loadKeys(database, store, wants);
        else await loadTimes(database, store, wants);
      }
    } finally {
      this.#loading = false;
    }
  }

  beginRecord(): void {
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
    if (this.#directory === null) {
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
    const batch = new RowBatch();
    try {
      this.#encode(batch, meta);
    } catch (error) {
      this.#failure = error;
      this.#persisting = false;
      return Promise.reject(error as Error);
    }
    return this.#write(batch, meta);
  }

  /** Encodes everything that the batch holds, with no wait in between. */
  #encode(batch: RowBatch, meta: string): void {
    for (const store of this.#stores) {
      if (!store.persisted) continue;
      if (store instanceof TimedRows) {
        store.storedTime = Math.max(store.storedTime, store.drainedTime);
        this.#deleteExpired(store, batch);
      }
      store.encodeUnpersisted(batch);
      this.#catalog.set(store.name, catalogEntry(store));
    }
    const catalog: Catalog = { version: FORMAT_VERSION, stores: [...this.#catalog.values()] };
    putText(batch, META_KEY, meta);
    putText(batch, CATALOG_KEY, JSON.stringify(catalog));
  }

  #deleteExpired(store: TimesRows, batch: RowBatch): void {
    const segment = store.segmentOf(store.drainedTime - store.retentionMs);
    const before = this.#deletedSegments.get(store.id) ?? -Infinity;
    if (!(segment > before)) return;
    this.#deletedSegments.set(store.id, segment);
    batch.deletedRanges.push({
      from: segmentBound(store, before),
      to: segmentBound(store, segment),
    });
  }

  async #write(batch: RowBatch, meta: string): Promise<void> {
    try {
      const database = await this.#opened();
      // What is written into a directory that was removed is lost, and one in its place is another's.
      await this.#lock?.takeFile();
      await database.write(batch);
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
    if (this.#directory === null || this.#loading) return;
    const enough = (): boolean => this.memoryBytes <= budgetBytes;
    if (enough()) return;
    for (const store of this.#stores) {
      if (!store.persisted) continue;
      store.endJournal();
      if (store.evict(enough)) this.resident = false;
      if (enough()) return;
    }
  }

  async wipe(): Promise<void> {
    for (const store of this.#stores) store.clear();
    this.meta = null;
    this.resident = true;
    this.#preloaded = new Map();
    this.#deletedSegments.clear();
    this.#failure = null;
    this.#catalog.clear();
    for (const store of this.#stores) if (store.persisted) this.#catalog.set(store.name, catalogEntry(store));
    const database = this.#database;
    this.#database = null;
    await database?.close();
    if (this.#directory !== null) await deleteDatabase(this.#path());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const database = this.#database;
    this.#database = null;
    try {
      await database?.close();
    } finally {
      this.#lock?.release();
    }
  }

  #path(): string {
    assert(this.#directory !== null, 'the state must have a directory');
    return join(this.#directory, 'rocksdb');
  }

  async #opened(): Promise<RocksDatabase> {
    if (this.#database !== null) return this.#database;
    await this.#lock?.takeFile();
    this.#database = await RocksDatabase.open(this.#path(), this.#writeBufferBytes);
    return this.#database;
  }
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

function putText(batch: RowBatch, key: Buffer, text: string): void {
  const writer = batch.beginKey(META_STORE);
  writer.writeBytes(key, 2);
  batch.beginValue();
  writer.writeText(text);
  batch.endPut();
}
