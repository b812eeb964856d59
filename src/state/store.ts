import type { ByteWriter } from '../common/bytes.ts';

/**
 * State of one task: stores of bytes to values, ordered by key bytes (unsigned, memcmp), synchronous to read and
 * write. Reads and writes happen in memory; RocksDB is reached only between chunks, by `TaskState.load` and
 * `TaskState.persist`.
 *
 * A value is kept decoded, as the operator put it, until its bytes are needed: once per commit for the changelog
 * and the database. Values are immutable: an operator that wants another puts another. A value that an operator
 * only borrowed (a scratch row) is copied before it is put.
 *
 * Life of an entry: put (dirty) -> changelog (`drainChangelog`, at each commit) -> RocksDB (`persist`, every few
 * commits) -> clean, and may then be evicted. Dirty entries are never evicted.
 */

/** Turns values into bytes and back. `decode` gives a value that stays valid when the range is overwritten. */
export interface ValueCodec {
  /** Throws for what cannot be encoded, as far as a glance tells: before a row is put. */
  readonly check?: (value: unknown) => void;
  encode(value: unknown, writer: ByteWriter): void;
  decode(buffer: Uint8Array, start: number, end: number): unknown;
}

/**
 * Thrown (a preallocated object, no stack) by a read whose answer is neither in memory nor known to be absent, unless
 * the state waits for its database (`TaskState.waits`). Who reads awaits `TaskState.load()`, which loads what was missed,
 * and reads again: a query, or a task all of whose operators can be run again, after it has undone the record. Never
 * caught by operators; `TaskState.missed` tells when one did.
 */
export const MISS: unique symbol = Symbol('state miss');

interface StoreOptions {
  /** Unique in the task; part of the changelog's name: stable across releases of the application. */
  readonly name: string;
  readonly values: ValueCodec;
  /** Whether changes are drained to a changelog. */
  readonly changelog: boolean;
  /** False keeps the store in memory and never opens a database for it. */
  readonly persistent: boolean;
}

export interface KeyValueStoreOptions extends StoreOptions {
  readonly kind: 'key-value';
  /** At most so many rows: the one used longest ago makes room. Such a store lives in memory. */
  readonly rowsMax?: number;
}

export interface WindowStoreOptions extends StoreOptions {
  readonly kind: 'window';
  /** Rows whose time is below (greatest time put - retentionMs) may vanish, and are invisible from then on. */
  readonly retentionMs: number;
  /** Several rows of one key and time are kept, in the order they were put (stream-stream joins). */
  readonly duplicates: boolean;
}

export interface SessionStoreOptions extends StoreOptions {
  readonly kind: 'session';
  readonly retentionMs: number;
}

export interface VersionedStoreOptions extends StoreOptions {
  readonly kind: 'versioned';
  /**
   * How far back the store answers, from the greatest time put; also how late a version may come. Each key's newest
   * version stays for ever.
   */
  readonly historyRetentionMs: number;
}

export type StateStoreOptions =
  | KeyValueStoreOptions
  | WindowStoreOptions
  | SessionStoreOptions
  | VersionedStoreOptions;

/** A visited row. Return false to stop. Key bytes are valid during the call only. */
export type KeyValueVisitor = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: unknown,
  timestamp: number,
) => boolean | void;

/**
 * Point reads give a slot, so that no object is made per record: -1 when absent, else an index that `valueAt`
 * and `timestampAt` understand until the store's next `put` or `load`.
 */
export interface KeyValueStore {
  readonly kind: 'key-value';
  readonly name: string;
  find(key: Uint8Array, start: number, end: number): number;
  valueAt(slot: number): unknown;
  timestampAt(slot: number): number;
  /** Replaces or inserts; `value` null deletes. Copies the key bytes. Returns LATEST: see `VersionedStore.put`. */
  put(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): number;
  /** Rows with from <= key < to in key order (null: unbounded), or the reverse. May throw MISS. */
  range(from: Uint8Array | null, to: Uint8Array | null, reverse: boolean, visit: KeyValueVisitor): void;
  /** How many entries, when that is known without reading the database; else an estimate. */
  readonly approximateCount: number;
}

/** `put` returns it for a version that no later one follows. */
export const LATEST = -1;
/** `put` returns it for a version that came too late to be kept. */
export const NOT_PUT = -2;

/** `validTo` is the time of the version that follows, Infinity for the newest. Return false to stop. */
export type VersionVisitor = (value: unknown, validFrom: number, validTo: number) => boolean | void;

/**
 * Versions of each key by their time (KIP-889): a version is valid from its own time until the next one's. A removal
 * is a version too, without a value. Times are not negative.
 */
export interface VersionedStore {
  readonly kind: 'versioned';
  readonly name: string;
  readonly historyRetentionMs: number;
  /** The greatest time that was put; -1 at first. */
  readonly observedTime: number;
  /** The newest version, -1 when there is none or it is a removal. */
  find(key: Uint8Array, start: number, end: number): number;
  /**
   * The version valid at `asOf`, -1 when there is none, it is a removal, or `asOf` lies further back than the history
   * and before the newest version.
   */
  findAsOf(key: Uint8Array, start: number, end: number, asOf: number): number;
  valueAt(slot: number): unknown;
  timestampAt(slot: number): number;
  /** The time of the version that follows, Infinity for the newest. */
  validToAt(slot: number): number;
  /**
   * Adds a version, or replaces the one of the same time; null removes the key from that time on. Returns the time of
   * the version that follows, LATEST when none does, NOT_PUT when the time lies further back than the history.
   */
  put(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): number;
  /** Versions valid at some time of [from, to] that the history still holds, by time, or the reverse; no removals. */
  versions(
    key: Uint8Array,
    start: number,
    end: number,
    from: number,
    to: number,
    reverse: boolean,
    visit: VersionVisitor,
  ): void;
}

/** What can be pointed at the bytes of a key. */
export interface KeyCursor {
  setBytes(buffer: Uint8Array, start: number, end: number): void;
}

export type WindowVisitor = (windowStart: number, value: unknown, timestamp: number) => boolean | void;
export type AllWindowsVisitor = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  windowStart: number,
  value: unknown,
  timestamp: number,
) => boolean | void;

export interface WindowStore {
  readonly kind: 'window';
  readonly name: string;
  /** The greatest time that was put; -1 at first. Rows below `observedTime - retentionMs` are invisible. */
  readonly observedTime: number;
  find(key: Uint8Array, start: number, end: number, windowStart: number): number;
  valueAt(slot: number): unknown;
  timestampAt(slot: number): number;
  windowStartAt(slot: number): number;
  /** Points `key` at the bytes of a row's key, which are valid until the next `put` or `load`. */
  readKey(slot: number, key: KeyCursor): void;
  /** Another number whenever a slot has been freed. A row that was put keeps its slot until `drainChangelog`, or `undoRecord`. */
  generationAt(slot: number): number;
  /**
   * With `duplicates`, null deletes nothing and is ignored, and every put adds a row. Returns the row's slot, -1 when none
   * was touched.
   */
  put(
    key: Uint8Array,
    start: number,
    end: number,
    windowStart: number,
    value: unknown,
    timestamp: number,
  ): number;
  /** Rows of a key with from <= windowStart <= to, by time (then order of put), or the reverse. */
  fetch(
    key: Uint8Array,
    start: number,
    end: number,
    fromTime: number,
    toTime: number,
    reverse: boolean,
    visit: WindowVisitor,
  ): void;
  /** Rows of all keys with from <= windowStart <= to, by time, then key. */
  fetchAll(fromTime: number, toTime: number, visit: AllWindowsVisitor): void;
}

export type SessionVisitor = (
  start: number,
  end: number,
  value: unknown,
  timestamp: number,
) => boolean | void;
export type AllSessionsVisitor = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  start: number,
  end: number,
  value: unknown,
  timestamp: number,
) => boolean | void;

export interface SessionStore {
  readonly kind: 'session';
  readonly name: string;
  readonly observedTime: number;
  /** Replaces or inserts the session; null removes it. */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
    value: unknown,
    timestamp: number,
  ): void;
  /** Sessions of a key with end >= earliestEnd and start <= latestStart, by end, then start. */
  fetch(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    earliestEnd: number,
    latestStart: number,
    visit: SessionVisitor,
  ): void;
  /** Sessions of all keys with from <= end <= to, by end, then key. */
  fetchAll(fromEnd: number, toEnd: number, visit: AllSessionsVisitor): void;
}

export type StateStore = KeyValueStore | WindowStore | SessionStore | VersionedStore;

/** A record of the changelog: bytes valid during the call only; `valueStart` -1 is a tombstone. */
export type ChangelogVisitor = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  timestamp: number,
) => void;

/**
 * All stores of a task and the database under them. What is written to the database in one batch: rows of every
 * store, and `meta`, the caller's text (input offsets, changelog positions, operator times).
 */
export interface TaskState {
  /** `meta` of the last `persist`, null for a new task. */
  readonly meta: string | null;
  /**
   * What is wrong with what is on disk. Nothing of it was read then: the state is empty, and cannot be persisted until
   * it is wiped.
   */
  readonly damage: Error | null;
  /** Declares a store; before the first record. */
  openStore(options: KeyValueStoreOptions): KeyValueStore;
  openStore(options: WindowStoreOptions): WindowStore;
  openStore(options: SessionStoreOptions): SessionStore;
  openStore(options: VersionedStoreOptions): VersionedStore;
  openStore(options: StateStoreOptions): StateStore;
  /** Whether the store's rows are kept in the database, and come with `meta`. */
  isOnDisk(store: StateStore): boolean;
  /** True while every read can be answered from memory: no journal, no prefetch, no MISS. */
  readonly resident: boolean;

  /** Asks the next `load` for an entry, a key's times in [from, to], sessions or versions. Cheap when present. */
  want(
    store: StateStore,
    key: Uint8Array,
    start: number,
    end: number,
    fromTime: number,
    toTime: number,
  ): void;
  /** Loads what was wanted or missed. Nothing may be processed while it runs. */
  load(): Promise<void>;

  /**
   * Makes it possible to wait for the database (`waits`): it moves to a thread of its own. For operators that cannot be
   * run again, and only once reads can no longer all be answered from memory. With nothing else under way.
   */
  allowWaiting(): Promise<void>;
  /**
   * While true, a read that memory cannot answer has this thread stand still until the database has answered, instead
   * of throwing MISS. Only after `allowWaiting`.
   */
  waits: boolean;
  /** The error of the first read that waited in vain, also when it was caught: nothing processed since then counts. */
  readonly readFailure: unknown;
  /** Whether a read has thrown MISS since `beginRecord`, also when it was caught. */
  readonly missed: boolean;

  /** While journalling (only when not resident), every put of the record can be taken back. */
  beginRecord(): void;
  undoRecord(): void;

  /**
   * Hands every change since the last drain to `visit`, one record per changed key, in the order of first change.
   * Called with no record in flight, right before the commit, for every store: the drain is what makes a change
   * fit to be persisted, so a store without changelog is drained too, with nothing to visit.
   */
  drainChangelog(store: StateStore, visit: ChangelogVisitor): void;
  /** Applies a changelog record that was read back (restore): neither dirty for the changelog nor journalled. */
  restore(
    store: StateStore,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void;

  /** Bytes (estimated) of entries that the database does not have yet. */
  readonly unpersistedBytes: number;
  /** Bytes (estimated) of everything held in memory. */
  readonly memoryBytes: number;
  /**
   * Writes everything that is drained but not yet in the database, with `meta`, in one batch. What it writes is
   * fixed before it returns its promise, so processing may go on at once. One at a time.
   */
  persist(meta: string): Promise<void>;
  /** Tells the budget of the process what is held. Returns how many bytes may be kept; Infinity: as many as there are. */
  claim(): number;
  /** Whether anything can leave memory: there is a database, or a place for one. */
  readonly canShrink: boolean;
  /**
   * Makes a database that lasts as long as the state is open, where there is none, so that `persist` and `evict` can make
   * room. Between a drain and the next record. Rejects with `StateError` when there is no place for it.
   */
  spill(): Promise<void>;
  /** Drops clean entries until `memoryBytes` is below the budget; makes `resident` false when it drops any. */
  evict(budgetBytes: number): void;
  /** Forgets everything, in memory and on disk. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

/** Where task states live. */
export interface StateBackend {
  /** `directory` is the task's own; it is created when first needed. Locked while open. */
  openTaskState(directory: string | null): Promise<TaskState>;
  /**
   * Says that an application's folder, the parent of its tasks', is in use; throws when it is already. Resolves to
   * what gives it back. A backend that shares nothing with other processes needs none.
   */
  lockApplication?(directory: string): Promise<() => void>;
}
