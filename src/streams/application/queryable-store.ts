import { ByteWriter } from '../../common/bytes.ts';
import { above, afterPrefix } from '../../state/key-bounds.ts';
import {
  MISS,
  type KeyValueStore,
  type SessionStore,
  type StateStore,
  type VersionedStore,
  type WindowStore,
} from '../../state/store.ts';
import type { Serde } from '../topology/serde.ts';
import type { Task } from '../task/task.ts';

/**
 * Stores as the rest of the program reads them while the application runs (interactive queries): all partitions of
 * this process as one. Reads see what is processed, committed or not, between two records. State on disk is loaded
 * first, so every read is awaited, and processing of that task waits for the load.
 *
 * Values are the store's own objects: look, do not change.
 */
export interface ReadOnlyKeyValueStore<K, V> {
  readonly kind: 'key-value';
  readonly name: string;
  /** Null when there is no row. */
  get(key: K): Promise<V | null>;
  getRow(key: K): Promise<StoreRow<K, V> | null>;
  /** Rows with from <= key <= to in the order of the keys' bytes within each partition; null leaves an end open. */
  range(from: K | null, to: K | null): Promise<StoreRow<K, V>[]>;
  reverseRange(from: K | null, to: K | null): Promise<StoreRow<K, V>[]>;
  /** Rows whose key's bytes begin with those of `prefix`, written with `serde`. */
  prefixScan<P>(prefix: P, serde: Serde<P>): Promise<StoreRow<K, V>[]>;
  all(): Promise<StoreRow<K, V>[]>;
  reverseAll(): Promise<StoreRow<K, V>[]>;
  approximateCount(): number;
}

export interface ReadOnlyWindowStore<K, V> {
  readonly kind: 'window';
  readonly name: string;
  /** The value of the window that starts at `windowStart`. */
  get(key: K, windowStart: number): Promise<V | null>;
  /** Windows of a key that start in [from, to], by time. */
  fetch(key: K, from: number, to: number): Promise<WindowRow<K, V>[]>;
  backwardFetch(key: K, from: number, to: number): Promise<WindowRow<K, V>[]>;
  /** Windows of all keys that start in [from, to], by time, then key within each partition. */
  fetchAll(from: number, to: number): Promise<WindowRow<K, V>[]>;
}

export interface ReadOnlySessionStore<K, V> {
  readonly kind: 'session';
  readonly name: string;
  /** Sessions of a key that touch [from, to], by end. All of them by default. */
  fetch(key: K, from?: number, to?: number): Promise<SessionRow<K, V>[]>;
  /** Sessions of all keys that end in [from, to], by end, then key within each partition. */
  fetchAll(from: number, to: number): Promise<SessionRow<K, V>[]>;
}

/** Queries by key and time, as KIP-960 and KIP-968 have them. */
export interface ReadOnlyVersionedStore<K, V> {
  readonly kind: 'versioned';
  readonly name: string;
  /** The newest version; with `asOf` the one valid at that time, if the history reaches back so far. Null: none. */
  get(key: K, asOf?: number): Promise<VersionRow<V> | null>;
  /** Versions of a key that are valid at some time of [from, to], by time; all by default. */
  versions(key: K, from?: number, to?: number): Promise<VersionRow<V>[]>;
  /** The same, the newest first. */
  backwardVersions(key: K, from?: number, to?: number): Promise<VersionRow<V>[]>;
}

/** A value with the time from which on it is valid, until `validTo`: the next version's time, null for the newest. */
export interface VersionRow<V> {
  readonly value: V;
  readonly timestamp: number;
  readonly validTo: number | null;
}

export interface StoreRow<K, V> {
  readonly key: K;
  readonly value: V;
  /** The time of the record that it comes from. */
  readonly timestamp: number;
}

export interface WindowRow<K, V> extends StoreRow<K, V> {
  readonly windowStart: number;
}

export interface SessionRow<K, V> extends StoreRow<K, V> {
  readonly start: number;
  readonly end: number;
}

/** The view on a store of a kind. */
export interface ReadOnlyStores<K, V> {
  readonly 'key-value': ReadOnlyKeyValueStore<K, V>;
  readonly window: ReadOnlyWindowStore<K, V>;
  readonly session: ReadOnlySessionStore<K, V>;
  readonly versioned: ReadOnlyVersionedStore<K, V>;
}

export type StoreKind = keyof ReadOnlyStores<unknown, unknown>;

export interface StoreQuery<Kind extends StoreKind, K> {
  readonly kind: Kind;
  /** Default: what the topology says of the store. */
  readonly keySerde?: Serde<K>;
  /** Only this partition. Default: all that this process has. */
  readonly partition?: number;
  /** Also while the application is paused, restoring or stopped by an error: what is read may be old or not all. */
  readonly stale?: boolean;
}

/** Where a key of a store lives. */
export interface KeyMetadata {
  readonly store: string;
  /** -1 in a global store, which every instance has whole. */
  readonly partition: number;
  /** Whether this process has that partition. */
  readonly local: boolean;
}

/** A query that cannot be answered: no such store, another kind, or not now. */
export class StoreQueryError extends Error {
  override readonly name = 'StoreQueryError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A partition of a store, as the view finds it when it is asked. */
export interface StorePartition {
  readonly task: Task;
  readonly store: StateStore;
}

/** Finds the partitions anew for each read: a view outlives a restart of its tasks. Throws `StoreQueryError`. */
export type OpenPartitions = () => readonly StorePartition[];

export function readOnlyView<Kind extends StoreKind>(
  kind: Kind,
  name: string,
  keys: Serde,
  open: OpenPartitions,
): ReadOnlyStores<unknown, unknown>[Kind];
export function readOnlyView(kind: StoreKind, name: string, keys: Serde, open: OpenPartitions): unknown {
  switch (kind) {
    case 'key-value':
      return new KeyValueView(name, keys, open);
    case 'window':
      return new WindowView(name, keys, open);
    case 'session':
      return new SessionView(name, keys, open);
    case 'versioned':
      return new VersionedView(name, keys, open);
  }
}

/** What the views of all kinds are: the partitions of a store, read under its serde of keys. */
abstract class PartitionsView<S extends StateStore> {
  readonly name: string;
  readonly #keys: Serde;
  readonly #open: OpenPartitions;

  constructor(name: string, keys: Serde, open: OpenPartitions) {
    this.name = name;
    this.#keys = keys;
    this.#open = open;
  }

  protected get stores(): readonly S[] {
    return this.#open().map(({ store }) => store as S);
  }

  protected bytesOf(key: unknown): Buffer {
    return encode(key, this.#keys);
  }

  protected keyOf(bytes: Uint8Array, start: number, end: number): unknown {
    return this.#keys.deserialize(bytes, start, end);
  }

  /** Lets `read` collect rows from each partition, again from the partition's start when state had to be loaded. */
  protected async collect<R>(read: (store: S, rows: R[]) => void): Promise<R[]> {
    const found: R[] = [];
    for (const { task, store } of this.#open()) {
      for (;;) {
        const rows: R[] = [];
        try {
          read(store as S, rows);
          for (const row of rows) found.push(row);
          break;
        } catch (error) {
          if (error !== MISS) throw error;
        }
        await task.load();
      }
    }
    return found;
  }
}

class KeyValueView extends PartitionsView<KeyValueStore> implements ReadOnlyKeyValueStore<unknown, unknown> {
  readonly kind = 'key-value';

  async get(key: unknown): Promise<unknown> {
    return (await this.getRow(key))?.value ?? null;
  }

  async getRow(key: unknown): Promise<StoreRow<unknown, unknown> | null> {
    const bytes = this.bytesOf(key);
    const rows = await this.collect<StoreRow<unknown, unknown>>((store, found) => {
      const slot = store.find(bytes, 0, bytes.length);
      if (slot >= 0) found.push({ key, value: store.valueAt(slot), timestamp: store.timestampAt(slot) });
    });
    return rows[0] ?? null;
  }

  range(from: unknown, to: unknown): Promise<StoreRow<unknown, unknown>[]> {
    return this.#rows(this.#bound(from), above(this.#bound(to)), false);
  }

  reverseRange(from: unknown, to: unknown): Promise<StoreRow<unknown, unknown>[]> {
    return this.#rows(this.#bound(from), above(this.#bound(to)), true);
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): Promise<StoreRow<unknown, unknown>[]> {
    const bytes = encode(prefix, serde as Serde);
    return this.#rows(bytes, afterPrefix(bytes), false);
  }

  all(): Promise<StoreRow<unknown, unknown>[]> {
    return this.#rows(null, null, false);
  }

  reverseAll(): Promise<StoreRow<unknown, unknown>[]> {
    return this.#rows(null, null, true);
  }

  approximateCount(): number {
    return this.stores.reduce((sum, store) => sum + store.approximateCount, 0);
  }

  #bound(key: unknown): Buffer | null {
    return key === null ? null : this.bytesOf(key);
  }

  #rows(from: Buffer | null, to: Buffer | null, reverse: boolean): Promise<StoreRow<unknown, unknown>[]> {
    return this.collect((store, found) =>
      store.range(from, to, reverse, (bytes, start, end, value, timestamp) => {
        found.push({ key: this.keyOf(bytes, start, end), value, timestamp });
      }),
    );
  }
}

class WindowView extends PartitionsView<WindowStore> implements ReadOnlyWindowStore<unknown, unknown> {
  readonly kind = 'window';

  async get(key: unknown, windowStart: number): Promise<unknown> {
    return (await this.fetch(key, windowStart, windowStart))[0]?.value ?? null;
  }

  fetch(key: unknown, from: number, to: number): Promise<WindowRow<unknown, unknown>[]> {
    return this.#fetch(key, from, to, false);
  }

  backwardFetch(key: unknown, from: number, to: number): Promise<WindowRow<unknown, unknown>[]> {
    return this.#fetch(key, from, to, true);
  }

  fetchAll(from: number, to: number): Promise<WindowRow<unknown, unknown>[]> {
    return this.collect((store, found) =>
      store.fetchAll(from, to, (bytes, start, end, windowStart, value, timestamp) => {
        found.push({ key: this.keyOf(bytes, start, end), windowStart, value, timestamp });
      }),
    );
  }

  #fetch(key: unknown, from: number, to: number, reverse: boolean): Promise<WindowRow<unknown, unknown>[]> {
    const bytes = this.bytesOf(key);
    return this.collect((store, found) =>
      store.fetch(bytes, 0, bytes.length, from, to, reverse, (windowStart, value, timestamp) => {
        found.push({ key, windowStart, value, timestamp });
      }),
    );
  }
}

class SessionView extends PartitionsView<SessionStore> implements ReadOnlySessionStore<unknown, unknown> {
  readonly kind = 'session';

  fetch(key: unknown, from = 0, to = Number.MAX_SAFE_INTEGER): Promise<SessionRow<unknown, unknown>[]> {
    const bytes = this.bytesOf(key);
    return this.collect((store, found) =>
      store.fetch(bytes, 0, bytes.length, from, to, (start, end, value, timestamp) => {
        found.push({ key, start, end, value, timestamp });
      }),
    );
  }

  fetchAll(from: number, to: number): Promise<SessionRow<unknown, unknown>[]> {
    return this.collect((store, found) =>
      store.fetchAll(from, to, (bytes, keyStart, keyEnd, start, end, value, timestamp) => {
        found.push({ key: this.keyOf(bytes, keyStart, keyEnd), start, end, value, timestamp });
      }),
    );
  }
}

class VersionedView
  extends PartitionsView<VersionedStore>
  implements ReadOnlyVersionedStore<unknown, unknown>
{
  readonly kind = 'versioned';

  async get(key: unknown, asOf = Infinity): Promise<VersionRow<unknown> | null> {
    const bytes = this.bytesOf(key);
    const rows = await this.collect<VersionRow<unknown>>((store, found) => {
      const slot = store.findAsOf(bytes, 0, bytes.length, asOf);
      if (slot >= 0)
        found.push(versionRow(store.valueAt(slot), store.timestampAt(slot), store.validToAt(slot)));
    });
    return rows[0] ?? null;
  }

  versions(key: unknown, from = 0, to = Infinity): Promise<VersionRow<unknown>[]> {
    return this.#versions(key, from, to, false);
  }

  backwardVersions(key: unknown, from = 0, to = Infinity): Promise<VersionRow<unknown>[]> {
    return this.#versions(key, from, to, true);
  }

  #versions(key: unknown, from: number, to: number, reverse: boolean): Promise<VersionRow<unknown>[]> {
    const bytes = this.bytesOf(key);
    return this.collect((store, found) =>
      store.versions(bytes, 0, bytes.length, from, to, reverse, (value, timestamp, validTo) => {
        found.push(versionRow(value, timestamp, validTo));
      }),
    );
  }
}

function versionRow(value: unknown, timestamp: number, validTo: number): VersionRow<unknown> {
  return { value, timestamp, validTo: validTo === Infinity ? null : validTo };
}

function encode(key: unknown, serde: Serde): Buffer {
  const writer = new ByteWriter(64);
  serde.serialize(key, writer);
  return writer.toBytes();
}
