import type { Serde } from '../topology/serde.ts';
import type { Windowed } from '../topology/windowed.ts';

/** A row as queries and processors see it. */
export interface Row<K, V> {
  readonly key: K;
  readonly value: V;
  /** The time of the record that it comes from. */
  readonly timestamp: number;
}

/** A key-value store with keys and values of the user's. */
export interface KeyValueStoreView<K, V> {
  readonly kind: 'key-value';
  readonly name: string;
  /** Null when there is no row. */
  get(key: K): V | null;
  getRow(key: K): Row<K, V> | null;
  /** Replaces or inserts; null deletes. `timestamp`: default that of the record in flight, or of the punctuation. */
  put(key: K, value: V | null, timestamp?: number): void;
  /** Puts the value unless there is a row already, whose value it gives; null when there was none. */
  putIfAbsent(key: K, value: V | null, timestamp?: number): V | null;
  putAll(rows: Iterable<readonly [key: K, value: V | null]>, timestamp?: number): void;
  /** Removes the row. Returns its value, null when there was none. */
  delete(key: K): V | null;
  /** All rows, in the order of the keys' bytes. */
  all(): Row<K, V>[];
  reverseAll(): Row<K, V>[];
  /** Rows with from <= key <= to, in the order of the keys' bytes; null is no bound. */
  range(from: K | null, to: K | null): Row<K, V>[];
  reverseRange(from: K | null, to: K | null): Row<K, V>[];
  /** Rows whose keys' bytes begin with those of the prefix. */
  prefixScan<P>(prefix: P, serde: Serde<P>): Row<K, V>[];
  /**
   * The rows of `range`, or of `reverseRange`, a few at a time: for those who may stop early, or whose rows are many. What
   * is put or removed meanwhile ahead of it may be met as it was before, or as it is.
   *
   * ```ts
   * for (const { key, value } of rows.iterate({ from: 'a', reverse: true })) if (found(value)) break;
   * ```
   */
  iterate(bounds?: RangeBounds<K>): IterableIterator<Row<K, V>>;
  readonly approximateCount: number;
}

export interface RangeBounds<K> {
  readonly from?: K | null;
  readonly to?: K | null;
  readonly reverse?: boolean;
}

export interface WindowStoreView<K, V> {
  readonly kind: 'window';
  readonly name: string;
  get(key: K, windowStart: number): V | null;
  put(key: K, value: V | null, windowStart: number): void;
  /** Windows of a key that start in [from, to], by time. */
  fetch(key: K, from: number, to: number): Row<Windowed<K>, V>[];
  /** The same, the latest first. */
  reverseFetch(key: K, from: number, to: number): Row<Windowed<K>, V>[];
  /** Windows of all keys that start in [from, to], by time, then key. */
  fetchAll(from: number, to: number): Row<Windowed<K>, V>[];
  reverseFetchAll(from: number, to: number): Row<Windowed<K>, V>[];
}

export interface SessionStoreView<K, V> {
  readonly kind: 'session';
  readonly name: string;
  /** Sessions of a key that overlap [from, to], by end. */
  fetch(key: K, from?: number, to?: number): Row<Windowed<K>, V>[];
  reverseFetch(key: K, from?: number, to?: number): Row<Windowed<K>, V>[];
  /** Sessions of all keys that end in [from, to], by end, then key. */
  fetchAll(from: number, to: number): Row<Windowed<K>, V>[];
  reverseFetchAll(from: number, to: number): Row<Windowed<K>, V>[];
  /** The value of one session. */
  get(key: K, start: number, end: number): V | null;
  put(key: K, start: number, end: number, value: V | null): void;
}

/** A value with the time from which on it is valid, until `validTo`: the next version's time, null for the newest. */
export interface Version<V> {
  readonly value: V;
  readonly timestamp: number;
  readonly validTo: number | null;
}

export interface VersionedStoreView<K, V> {
  readonly kind: 'versioned';
  readonly name: string;
  /** The newest version; with `asOf` the one valid at that time, if the history reaches back so far. Null: none. */
  get(key: K, asOf?: number): Version<V> | null;
  /**
   * Adds a version, or replaces the one of the same time; null removes the key from that time on. Returns whether it
   * is kept: false when it is older than the history.
   */
  put(key: K, value: V | null, timestamp: number): boolean;
  /** Removes the key from a time on. Returns the version that was valid then. */
  delete(key: K, timestamp: number): Version<V> | null;
  /** Versions of a key that are valid at some time of [from, to], by time; all by default. */
  versions(key: K, from?: number, to?: number): Version<V>[];
  reverseVersions(key: K, from?: number, to?: number): Version<V>[];
}

/** A view of any kind; the caller knows the types of keys and values. */
export type StateStoreView =
  // oxlint-disable-next-line no-explicit-any
  | KeyValueStoreView<any, any>
  // oxlint-disable-next-line no-explicit-any
  | WindowStoreView<any, any>
  // oxlint-disable-next-line no-explicit-any
  | SessionStoreView<any, any>
  // oxlint-disable-next-line no-explicit-any
  | VersionedStoreView<any, any>;
