import { must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
import { above, afterPrefix } from '../../state/key-bounds.ts';
import { NOT_PUT } from '../../state/store.ts';
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  VersionedStore,
  WindowStore,
} from '../../state/store.ts';
import { timeOf } from '../topology/record-time.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowLength } from '../topology/topology.ts';
import type { Windowed } from './windows.ts';

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

/** Of any kind; what the keys and values are is for the one who asked to know. */
export type StateStoreView =
  // oxlint-disable-next-line no-explicit-any
  | KeyValueStoreView<any, any>
  // oxlint-disable-next-line no-explicit-any
  | WindowStoreView<any, any>
  // oxlint-disable-next-line no-explicit-any
  | SessionStoreView<any, any>
  // oxlint-disable-next-line no-explicit-any
  | VersionedStoreView<any, any>;

export interface StoreViewOptions {
  /** Of window stores: how long the windows are. Without it no end of one can be told, which throws. */
  readonly windowSizeMs?: WindowLength | undefined;
  /** The time of a row that is put: as given, or a default. Throws for what is no time. */
  readonly timeToPut?: TimeToPut;
}
/** Undefined asks for the default, null was forgotten where there is none. */
export type TimeToPut = (given: number | null | undefined) => number;

/** Shows a store of bytes with decoded keys. */
export function openStoreView(
  store: StateStore,
  keys: Serde,
  options: StoreViewOptions = {},
): StateStoreView {
  const { windowSizeMs, timeToPut = (given) => timeOf(given, `store ${store.name} is given`) } = options;
  switch (store.kind) {
    case 'key-value':
      return new KeyValueView(store, keys, timeToPut);
    case 'window':
      return new WindowView(store, keys, timeToPut, windowSizeMs);
    case 'session':
      return new SessionView(store, keys, timeToPut);
    case 'versioned':
      return new VersionedView(store, keys, timeToPut);
  }
}

/** What is not there must be said to be: a value that was forgotten would delete the row. */
function valueToPut(value: unknown, store: string): unknown {
  if (value === undefined) throw new TypeError(`store ${store} is given undefined for a value: null deletes`);
  return value;
}

class KeyBytes {
  readonly serde: Serde;
  readonly #writer = new ByteWriter(64);

  constructor(serde: Serde) {
    this.serde = serde;
  }

  /** The key's bytes; valid until the next call. */
  of(key: unknown): Buffer {
    this.#writer.length = 0;
    this.serde.serialize(key, this.#writer);
    return this.#writer.buffer.subarray(0, this.#writer.length);
  }

  copyOf(key: unknown): Buffer {
    return Buffer.from(this.of(key));
  }
}

class KeyValueView implements KeyValueStoreView<unknown, unknown> {
  readonly kind = 'key-value';
  readonly #store: KeyValueStore;
  readonly #keys: KeyBytes;
  readonly #timeToPut: TimeToPut;

  constructor(store: KeyValueStore, keys: Serde, timeToPut: TimeToPut) {
    this.#store = store;
    this.#timeToPut = timeToPut;
    this.#keys = new KeyBytes(keys);
  }

  get name(): string {
    return this.#store.name;
  }

  get approximateCount(): number {
    return this.#store.approximateCount;
  }

  get(key: unknown): unknown {
    return this.getRow(key)?.value ?? null;
  }

  getRow(key: unknown): Row<unknown, unknown> | null {
    const bytes = this.#keys.of(key);
    const slot = this.#store.find(bytes, 0, bytes.length);
    if (slot < 0) return null;
    return { key, value: this.#store.valueAt(slot), timestamp: this.#store.timestampAt(slot) };
  }

  put(key: unknown, value: unknown, timestamp?: number): void {
    const time = this.#timeToPut(timestamp);
    const bytes = this.#keys.of(key);
    this.#store.put(bytes, 0, bytes.length, valueToPut(value, this.name), time);
  }

  putIfAbsent(key: unknown, value: unknown, timestamp?: number): unknown {
    const found = this.get(key);
    if (found === null) this.put(key, value, timestamp);
    return found;
  }

  putAll(rows: Iterable<readonly [key: unknown, value: unknown]>, timestamp?: number): void {
    for (const [key, value] of rows) this.put(key, value, timestamp);
  }

  delete(key: unknown): unknown {
    const found = this.get(key);
    const bytes = this.#keys.of(key);
    this.#store.put(bytes, 0, bytes.length, null, 0);
    return found;
  }

  all(): Row<unknown, unknown>[] {
    return this.#rows(null, null, false);
  }

  reverseAll(): Row<unknown, unknown>[] {
    return this.#rows(null, null, true);
  }

  range(from: unknown, to: unknown): Row<unknown, unknown>[] {
    return this.#rows(this.#bound(from), above(this.#bound(to)), false);
  }

  reverseRange(from: unknown, to: unknown): Row<unknown, unknown>[] {
    return this.#rows(this.#bound(from), above(this.#bound(to)), true);
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): Row<unknown, unknown>[] {
    const bytes = new KeyBytes(serde as Serde).copyOf(prefix);
    return this.#rows(bytes, afterPrefix(bytes), false);
  }

  *iterate(bounds: RangeBounds<unknown> = {}): IterableIterator<Row<unknown, unknown>> {
    const reverse = bounds.reverse === true;
    let from = this.#bound(bounds.from ?? null);
    let to = above(this.#bound(bounds.to ?? null));
    for (;;) {
      const rows: Row<unknown, unknown>[] = [];
      const last: Buffer[] = [];
      this.#store.range(from, to, reverse, (buffer, start, end, value, timestamp) => {
        rows.push({ key: this.#keys.serde.deserialize(buffer, start, end), value, timestamp });
        if (rows.length < PAGE_ROWS) return true;
        last.push(Buffer.from(buffer.subarray(start, end)));
        return false;
      });
      yield* rows;
      if (last[0] === undefined) return;
      if (reverse) to = last[0];
      else from = above(last[0]);
    }
  }

  #bound(key: unknown): Buffer | null {
    return key === null ? null : this.#keys.copyOf(key);
  }

  #rows(from: Buffer | null, to: Buffer | null, reverse: boolean): Row<unknown, unknown>[] {
    const rows: Row<unknown, unknown>[] = [];
    this.#store.range(from, to, reverse, (buffer, start, end, value, timestamp) => {
      rows.push({ key: this.#keys.serde.deserialize(buffer, start, end), value, timestamp });
    });
    return rows;
  }
}

/** Rows that an iterator takes at a time. */
const PAGE_ROWS = 64;

class WindowView implements WindowStoreView<unknown, unknown> {
  readonly kind = 'window';
  readonly #store: WindowStore;
  readonly #keys: KeyBytes;
  readonly #timeToPut: TimeToPut;
  readonly #sizeMs: WindowLength | undefined;

  constructor(store: WindowStore, keys: Serde, timeToPut: TimeToPut, sizeMs: WindowLength | undefined) {
    this.#store = store;
    this.#keys = new KeyBytes(keys);
    this.#timeToPut = timeToPut;
    this.#sizeMs = sizeMs;
  }

  get name(): string {
    return this.#store.name;
  }

  get(key: unknown, windowStart: number): unknown {
    const bytes = this.#keys.of(key);
    const slot = this.#store.find(bytes, 0, bytes.length, windowStart);
    return slot < 0 ? null : this.#store.valueAt(slot);
  }

  put(key: unknown, value: unknown, windowStart: number): void {
    const time = this.#timeToPut(windowStart ?? null);
    const bytes = this.#keys.of(key);
    this.#store.put(bytes, 0, bytes.length, time, valueToPut(value, this.name), time);
  }

  fetch(key: unknown, from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.#rowsOf(key, from, to, false);
  }

  reverseFetch(key: unknown, from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.#rowsOf(key, from, to, true);
  }

  reverseFetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.fetchAll(from, to).reverse();
  }

  #rowsOf(key: unknown, from: number, to: number, reverse: boolean): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    const bytes = this.#keys.of(key);
    this.#store.fetch(bytes, 0, bytes.length, from, to, reverse, (start, value, timestamp) => {
      rows.push({ key: this.#windowed(key, start), value, timestamp });
    });
    return rows;
  }

  fetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    this.#store.fetchAll(from, to, (buffer, keyStart, keyEnd, start, value, timestamp) => {
      const key = this.#keys.serde.deserialize(buffer, keyStart, keyEnd);
      rows.push({ key: this.#windowed(key, start), value, timestamp });
    });
    return rows;
  }

  #windowed(key: unknown, start: number): Windowed<unknown> {
    const sizeMs = must(this.#sizeMs, `it is not known how long the windows of store ${this.name} are`);
    return { key, window: { start, end: start + (typeof sizeMs === 'number' ? sizeMs : sizeMs(start)) } };
  }
}

class SessionView implements SessionStoreView<unknown, unknown> {
  readonly kind = 'session';
  readonly #store: SessionStore;
  readonly #keys: KeyBytes;
  readonly #timeToPut: TimeToPut;

  constructor(store: SessionStore, keys: Serde, timeToPut: TimeToPut) {
    this.#store = store;
    this.#timeToPut = timeToPut;
    this.#keys = new KeyBytes(keys);
  }

  get name(): string {
    return this.#store.name;
  }

  fetch(key: unknown, from = 0, to = Number.MAX_SAFE_INTEGER): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    const bytes = this.#keys.of(key);
    this.#store.fetch(bytes, 0, bytes.length, from, to, (start, end, value, timestamp) => {
      rows.push({ key: { key, window: { start, end } }, value, timestamp });
    });
    return rows;
  }

  get(key: unknown, start: number, end: number): unknown {
    const found = this.fetch(key, end, start);
    return found.find(({ key: { window } }) => window.start === start && window.end === end)?.value ?? null;
  }

  reverseFetch(key: unknown, from?: number, to?: number): Row<Windowed<unknown>, unknown>[] {
    return this.fetch(key, from, to).reverse();
  }

  reverseFetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.fetchAll(from, to).reverse();
  }

  fetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    this.#store.fetchAll(from, to, (buffer, keyStart, keyEnd, start, end, value, timestamp) => {
      const key = this.#keys.serde.deserialize(buffer, keyStart, keyEnd);
      rows.push({ key: { key, window: { start, end } }, value, timestamp });
    });
    return rows;
  }

  put(key: unknown, start: number, end: number, value: unknown): void {
    const from = this.#timeToPut(start ?? null);
    const to = this.#timeToPut(end ?? null);
    const bytes = this.#keys.of(key);
    this.#store.put(bytes, 0, bytes.length, from, to, valueToPut(value, this.name), to);
  }
}

class VersionedView implements VersionedStoreView<unknown, unknown> {
  readonly kind = 'versioned';
  readonly #store: VersionedStore;
  readonly #keys: KeyBytes;
  readonly #timeToPut: TimeToPut;

  constructor(store: VersionedStore, keys: Serde, timeToPut: TimeToPut) {
    this.#store = store;
    this.#timeToPut = timeToPut;
    this.#keys = new KeyBytes(keys);
  }

  get name(): string {
    return this.#store.name;
  }

  get(key: unknown, asOf = Infinity): Version<unknown> | null {
    const bytes = this.#keys.of(key);
    const slot = this.#store.findAsOf(bytes, 0, bytes.length, asOf);
    return slot < 0 ? null : versionAt(this.#store, slot);
  }

  put(key: unknown, value: unknown, timestamp: number): boolean {
    const time = this.#timeToPut(timestamp ?? null);
    const bytes = this.#keys.of(key);
    return this.#store.put(bytes, 0, bytes.length, valueToPut(value, this.name), time) !== NOT_PUT;
  }

  delete(key: unknown, timestamp: number): Version<unknown> | null {
    const found = this.get(key, timestamp);
    return this.put(key, null, timestamp) ? found : null;
  }

  reverseVersions(key: unknown, from?: number, to?: number): Version<unknown>[] {
    return this.versions(key, from, to).reverse();
  }

  versions(key: unknown, from = 0, to = Infinity): Version<unknown>[] {
    const bytes = this.#keys.of(key);
    const found: Version<unknown>[] = [];
    this.#store.versions(bytes, 0, bytes.length, from, to, false, (value, timestamp, validTo) => {
      found.push({ value, timestamp, validTo: validTo === Infinity ? null : validTo });
    });
    return found;
  }
}

function versionAt(store: VersionedStore, slot: number): Version<unknown> {
  const validTo = store.validToAt(slot);
  return {
    value: store.valueAt(slot),
    timestamp: store.timestampAt(slot),
    validTo: validTo === Infinity ? null : validTo,
  };
}
