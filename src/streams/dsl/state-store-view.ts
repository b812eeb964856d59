import { must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
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
  delete(key: K): void;
  /** All rows, in the order of the keys' bytes. */
  all(): Row<K, V>[];
  /** Rows with from <= key <= to, in the order of the keys' bytes. */
  range(from: K, to: K): Row<K, V>[];
  readonly approximateCount: number;
}

export interface WindowStoreView<K, V> {
  readonly kind: 'window';
  readonly name: string;
  get(key: K, windowStart: number): V | null;
  put(key: K, value: V | null, windowStart: number): void;
  /** Windows of a key that start in [from, to], by time. */
  fetch(key: K, from: number, to: number): Row<Windowed<K>, V>[];
  /** Windows of all keys that start in [from, to], by time, then key. */
  fetchAll(from: number, to: number): Row<Windowed<K>, V>[];
}

export interface SessionStoreView<K, V> {
  readonly kind: 'session';
  readonly name: string;
  /** Sessions of a key that overlap [from, to], by end. */
  fetch(key: K, from?: number, to?: number): Row<Windowed<K>, V>[];
  /** Sessions of all keys that end in [from, to], by end, then key. */
  fetchAll(from: number, to: number): Row<Windowed<K>, V>[];
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
  readonly windowSizeMs?: number | undefined;
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
    this.#store.put(bytes, 0, bytes.length, value ?? null, time);
  }

  delete(key: unknown): void {
    const bytes = this.#keys.of(key);
    this.#store.put(bytes, 0, bytes.length, null, 0);
  }

  all(): Row<unknown, unknown>[] {
    return this.#range(null, null);
  }

  range(from: unknown, to: unknown): Row<unknown, unknown>[] {
    // The store's upper bound is excluded: the least bytes above a key are the key and a zero.
    return this.#range(this.#keys.copyOf(from), Buffer.concat([this.#keys.copyOf(to), Buffer.of(0)]));
  }

  #range(from: Buffer | null, to: Buffer | null): Row<unknown, unknown>[] {
    const rows: Row<unknown, unknown>[] = [];
    this.#store.range(from, to, false, (buffer, start, end, value, timestamp) => {
      rows.push({ key: this.#keys.serde.deserialize(buffer, start, end), value, timestamp });
    });
    return rows;
  }
}

class WindowView implements WindowStoreView<unknown, unknown> {
  readonly kind = 'window';
  readonly #store: WindowStore;
  readonly #keys: KeyBytes;
  readonly #timeToPut: TimeToPut;
  readonly #sizeMs: number | undefined;

  constructor(store: WindowStore, keys: Serde, timeToPut: TimeToPut, sizeMs: number | undefined) {
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
    this.#store.put(bytes, 0, bytes.length, time, value ?? null, time);
  }

  fetch(key: unknown, from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    const bytes = this.#keys.of(key);
    this.#store.fetch(bytes, 0, bytes.length, from, to, false, (start, value, timestamp) => {
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
    return { key, window: { start, end: start + sizeMs } };
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
    this.#store.put(bytes, 0, bytes.length, from, to, value ?? null, to);
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
    return this.#store.put(bytes, 0, bytes.length, value ?? null, time) !== NOT_PUT;
  }

  delete(key: unknown, timestamp: number): Version<unknown> | null {
    const found = this.get(key, timestamp);
    return this.put(key, null, timestamp) ? found : null;
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
