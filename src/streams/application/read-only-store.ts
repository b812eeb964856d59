import type {
  KeyPage,
  KeyRange,
  KeyValueView,
  SessionView,
  VersionedView,
  WindowView,
} from '../stores/open-store-view.ts';
import { readThrough, type StorePartition } from '../stores/read-through.ts';
import type { RangeBounds, Row, StateStoreView, Version } from '../stores/state-store-view.ts';
import type { Serde } from '../topology/serde.ts';
import type { Windowed } from '../topology/windowed.ts';

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
  getRow(key: K): Promise<Row<K, V> | null>;
  /** Rows with from <= key <= to in the order of the keys' bytes within each partition; null leaves an end open. */
  range(from: K | null, to: K | null): Promise<Row<K, V>[]>;
  reverseRange(from: K | null, to: K | null): Promise<Row<K, V>[]>;
  /** Rows whose key's bytes begin with those of `prefix`, written with `serde`. */
  prefixScan<P>(prefix: P, serde: Serde<P>): Promise<Row<K, V>[]>;
  all(): Promise<Row<K, V>[]>;
  reverseAll(): Promise<Row<K, V>[]>;
  /**
   * The rows of `range`, or of `reverseRange`, some hundreds at a time: for rows that are many. Each is given as it is
   * when its page is read, and once.
   */
  pages(bounds?: RangeBounds<K>): AsyncGenerator<Row<K, V>[]>;
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
  /** The same, some hundreds at a time; all that start at one moment may stand in one page. */
  pages(from: number, to: number): AsyncGenerator<WindowRow<K, V>[]>;
}

export interface ReadOnlySessionStore<K, V> {
  readonly kind: 'session';
  readonly name: string;
  /** Sessions of a key that touch [from, to], by end. All of them by default. */
  fetch(key: K, from?: number, to?: number): Promise<SessionRow<K, V>[]>;
  /** Sessions of all keys that end in [from, to], by end, then key within each partition. */
  fetchAll(from: number, to: number): Promise<SessionRow<K, V>[]>;
  /** The same, some hundreds at a time; all that end at one moment may stand in one page. */
  pages(from: number, to: number): AsyncGenerator<SessionRow<K, V>[]>;
}

/** Queries by key and time, as KIP-960 and KIP-968 have them. */
export interface ReadOnlyVersionedStore<K, V> {
  readonly kind: 'versioned';
  readonly name: string;
  /** The newest version; with `asOf` the one valid at that time, if the history reaches back so far. Null: none. */
  get(key: K, asOf?: number): Promise<Version<V> | null>;
  /** Versions of a key that are valid at some time of [from, to], by time; all by default. */
  versions(key: K, from?: number, to?: number): Promise<Version<V>[]>;
  /** The same, the newest first. */
  backwardVersions(key: K, from?: number, to?: number): Promise<Version<V>[]>;
}

export interface WindowRow<K, V> extends Row<K, V> {
  readonly windowStart: number;
}

export interface SessionRow<K, V> extends Row<K, V> {
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

/** The place of a key of a store. */
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

/** Finds the partitions anew for each read: a view outlives a restart of its tasks. Throws `StoreQueryError`. */
export type OpenPartitions = () => readonly StorePartition<StateStoreView>[];

export function readOnlyStore<K, V, Kind extends StoreKind>(
  kind: Kind,
  name: string,
  open: OpenPartitions,
): ReadOnlyStores<K, V>[Kind] {
  return new READ_ONLY[kind](name, open as () => never[]) as unknown as ReadOnlyStores<K, V>[Kind];
}

/** Rows of a page. */
const PAGE_ROWS = 1000;

/** The base of all read-only stores: the views on their partitions, read one after the other. */
abstract class ReadOnlyStore<View> {
  readonly name: string;
  protected readonly partitions: () => readonly StorePartition<View>[];

  constructor(name: string, open: () => readonly StorePartition<View>[]) {
    this.name = name;
    this.partitions = open;
  }

  protected async collect<Found>(read: (view: View) => readonly Found[]): Promise<Found[]> {
    const found: Found[] = [];
    for (const partition of this.partitions())
      for (const row of await readThrough(partition, read)) found.push(row);
    return found;
  }

  protected async first<Found>(read: (view: View) => Found | null): Promise<Found | null> {
    for (const partition of this.partitions()) {
      const found = await readThrough(partition, read);
      if (found !== null) return found;
    }
    return null;
  }
}

class ReadOnlyKeyValues
  extends ReadOnlyStore<KeyValueView>
  implements ReadOnlyKeyValueStore<unknown, unknown>
{
  readonly kind = 'key-value';

  get(key: unknown): Promise<unknown> {
    return this.first((view) => view.get(key));
  }

  getRow(key: unknown): Promise<Row<unknown, unknown> | null> {
    return this.first((view) => view.getRow(key));
  }

  range(from: unknown, to: unknown): Promise<Row<unknown, unknown>[]> {
    return this.collect((view) => view.range(from, to));
  }

  reverseRange(from: unknown, to: unknown): Promise<Row<unknown, unknown>[]> {
    return this.collect((view) => view.reverseRange(from, to));
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): Promise<Row<unknown, unknown>[]> {
    return this.collect((view) => view.prefixScan(prefix, serde));
  }

  all(): Promise<Row<unknown, unknown>[]> {
    return this.collect((view) => view.all());
  }

  reverseAll(): Promise<Row<unknown, unknown>[]> {
    return this.collect((view) => view.reverseAll());
  }

  async *pages(bounds: RangeBounds<unknown> = {}): AsyncGenerator<Row<unknown, unknown>[]> {
    for (const partition of this.partitions())
      for (let rest: KeyRange | null = partition.view.rangeOf(bounds); rest !== null;) {
        const range: KeyRange = rest;
        const page: KeyPage = await readThrough(partition, (view) => view.page(range, PAGE_ROWS));
        yield page.rows;
        rest = page.rest;
      }
  }

  approximateCount(): number {
    return this.partitions().reduce((sum, { view }) => sum + view.approximateCount, 0);
  }
}

/** Stores by time are read by stretches of time. */
async function* timePages<Found>(
  partitions: readonly StorePartition<WindowView | SessionView>[],
  from: number,
  to: number,
  rowOf: (row: Row<Windowed<unknown>, unknown>) => Found,
): AsyncGenerator<Found[]> {
  for (const partition of partitions)
    for (const [first, last] of await readThrough(partition, (view) => view.stretches(from, to, PAGE_ROWS))) {
      const rows = await readThrough(partition, (view) => view.fetchAll(first, last).map(rowOf));
      for (let at = 0; at < rows.length; at += PAGE_ROWS) yield rows.slice(at, at + PAGE_ROWS);
    }
}

class ReadOnlyWindows extends ReadOnlyStore<WindowView> implements ReadOnlyWindowStore<unknown, unknown> {
  readonly kind = 'window';

  get(key: unknown, windowStart: number): Promise<unknown> {
    return this.first((view) => view.get(key, windowStart));
  }

  fetch(key: unknown, from: number, to: number): Promise<WindowRow<unknown, unknown>[]> {
    return this.collect((view) => view.fetch(key, from, to).map(windowRow));
  }

  backwardFetch(key: unknown, from: number, to: number): Promise<WindowRow<unknown, unknown>[]> {
    return this.collect((view) => view.reverseFetch(key, from, to).map(windowRow));
  }

  fetchAll(from: number, to: number): Promise<WindowRow<unknown, unknown>[]> {
    return this.collect((view) => view.fetchAll(from, to).map(windowRow));
  }

  pages(from: number, to: number): AsyncGenerator<WindowRow<unknown, unknown>[]> {
    return timePages(this.partitions(), from, to, windowRow);
  }
}

function windowRow({
  key: { key, window },
  value,
  timestamp,
}: Row<Windowed<unknown>, unknown>): WindowRow<unknown, unknown> {
  return { key, windowStart: window.start, value, timestamp };
}

class ReadOnlySessions extends ReadOnlyStore<SessionView> implements ReadOnlySessionStore<unknown, unknown> {
  readonly kind = 'session';

  fetch(key: unknown, from?: number, to?: number): Promise<SessionRow<unknown, unknown>[]> {
    return this.collect((view) => view.fetch(key, from, to).map(sessionRow));
  }

  fetchAll(from: number, to: number): Promise<SessionRow<unknown, unknown>[]> {
    return this.collect((view) => view.fetchAll(from, to).map(sessionRow));
  }

  pages(from: number, to: number): AsyncGenerator<SessionRow<unknown, unknown>[]> {
    return timePages(this.partitions(), from, to, sessionRow);
  }
}

function sessionRow({
  key: { key, window },
  value,
  timestamp,
}: Row<Windowed<unknown>, unknown>): SessionRow<unknown, unknown> {
  return { key, start: window.start, end: window.end, value, timestamp };
}

class ReadOnlyVersions
  extends ReadOnlyStore<VersionedView>
  implements ReadOnlyVersionedStore<unknown, unknown>
{
  readonly kind = 'versioned';

  get(key: unknown, asOf?: number): Promise<Version<unknown> | null> {
    return this.first((view) => view.get(key, asOf));
  }

  versions(key: unknown, from?: number, to?: number): Promise<Version<unknown>[]> {
    return this.collect((view) => view.versions(key, from, to));
  }

  backwardVersions(key: unknown, from?: number, to?: number): Promise<Version<unknown>[]> {
    return this.collect((view) => view.reverseVersions(key, from, to));
  }
}

const READ_ONLY = {
  'key-value': ReadOnlyKeyValues,
  window: ReadOnlyWindows,
  session: ReadOnlySessions,
  versioned: ReadOnlyVersions,
} as const satisfies Record<StoreKind, unknown>;
