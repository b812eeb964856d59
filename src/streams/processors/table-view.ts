import { ByteWriter } from '../../common/bytes.ts';
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TaskState,
  VersionedStore,
  WindowStore,
} from '../../state/store.ts';
import type { ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { windowedStoreKey } from '../topology/windowed-key.ts';

/**
 * How another operator reads a table by key: from its store, or, where the table has none, computed from the stores
 * of the tables it is made of.
 */
export interface TableView {
  /** The stores that a reader must be connected to. */
  readonly stores: readonly string[];
  open(context: ProcessorContext): TableReader;
}

export interface TableReader {
  /** The row of a key (and its window, for a windowed table) as it is now; null when there is none. */
  get(key: RecordKey): unknown;
  /** The time of the row that `get` or `getAsOf` returned last. */
  readonly timestamp: number;
  /** Reads the row as it was at a time. Only where the table knows its history: a versioned store, or a view of one. */
  getAsOf?(key: RecordKey, asOf: number): unknown;
  /** Asks for what `get` will read. */
  prefetch(key: RecordKey, timestamp: number, state: TaskState): void;
}

/** The rows of a store of any kind. */
export function storeView(store: string): TableView {
  return {
    stores: [store],
    open(context) {
      const opened = context.store(store);
      switch (opened.kind) {
        case 'key-value':
          return new KeyValueReader(opened);
        case 'window':
          return new WindowReader(opened);
        case 'session':
          return new SessionReader(opened);
        case 'versioned':
          return new VersionedReader(opened);
      }
    },
  };
}

/** A row changed or hidden (null) by a function of it. */
export type RowTransform = (value: unknown, key: RecordKey, timestamp: number) => unknown;

/** A transform of rows with a life of its own, one a task. */
export interface OpenedTransform {
  readonly transform: RowTransform;
  /** The same of a row that was transformed before, when it was new: what failed then is not told again. */
  readonly transformAgain?: RowTransform;
  /** Whether it is called for rows that are not there, with null. */
  readonly absentToo?: boolean;
  close?(): void;
}
export type OpenTransform = (context: ProcessorContext) => OpenedTransform;

/** A filter or a new value over another view. `stores`: what the transform uses. */
export function openedView(parent: TableView, open: OpenTransform, stores: readonly string[]): TableView {
  return {
    stores: [...new Set([...parent.stores, ...stores])],
    open(context) {
      const reader = parent.open(context);
      return reader.getAsOf === undefined
        ? new TransformedReader(reader, open(context))
        : new TransformedHistoryReader(reader as HistoryReader, open(context));
    },
  };
}

export type TableJoinKind = 'inner' | 'left' | 'right' | 'outer';

/** The join of two views, computed when it is read. */
export function joinedView(
  left: TableView,
  right: TableView,
  join: TableJoinKind,
  joiner: ValueJoiner,
): TableView {
  if (join === 'right') return joinedView(right, left, 'left', (own, other, key) => joiner(other, own, key));
  return {
    stores: [...new Set([...left.stores, ...right.stores])],
    open: (context) => new JoinedReader(left.open(context), right.open(context), join, joiner),
  };
}

class KeyValueReader implements TableReader {
  readonly #store: KeyValueStore;
  readonly #writer = new ByteWriter(64);
  timestamp = -1;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  get(key: RecordKey): unknown {
    const slot = key.windowed
      ? this.#store.find(this.#writer.buffer, 0, windowedStoreKey(key, this.#writer))
      : this.#store.find(key.buffer, key.start, key.end);
    if (slot < 0) return null;
    this.timestamp = this.#store.timestampAt(slot);
    return this.#store.valueAt(slot);
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    if (!key.windowed) state.want(this.#store as StateStore, key.buffer, key.start, key.end, 0, 0);
  }
}

class WindowReader implements TableReader {
  readonly #store: WindowStore;
  timestamp = -1;

  constructor(store: WindowStore) {
    this.#store = store;
  }

  get(key: RecordKey): unknown {
    const slot = this.#store.find(key.buffer, key.start, key.end, key.windowStart);
    if (slot < 0) return null;
    this.timestamp = this.#store.timestampAt(slot);
    return this.#store.valueAt(slot);
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    if (key.windowed)
      state.want(this.#store, key.buffer, key.start, key.end, key.windowStart, key.windowStart);
  }
}

class SessionReader implements TableReader {
  readonly #store: SessionStore;
  timestamp = -1;

  constructor(store: SessionStore) {
    this.#store = store;
  }

  get(key: RecordKey): unknown {
    let found: unknown = null;
    this.#store.fetch(
      key.buffer,
      key.start,
      key.end,
      key.windowEnd,
      key.windowStart,
      (start, end, value, timestamp) => {
        if (start !== key.windowStart || end !== key.windowEnd) return true;
        found = value;
        this.timestamp = timestamp;
        return false;
      },
    );
    return found;
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    if (key.windowed) state.want(this.#store, key.buffer, key.start, key.end, key.windowEnd, key.windowEnd);
  }
}

class VersionedReader implements TableReader {
  readonly #store: VersionedStore;
  readonly #writer = new ByteWriter(64);
  timestamp = -1;

  constructor(store: VersionedStore) {
    this.#store = store;
  }

  get(key: RecordKey): unknown {
    return this.getAsOf(key, Infinity);
  }

  getAsOf(key: RecordKey, asOf: number): unknown {
    const store = this.#store;
    const slot = key.windowed
      ? store.findAsOf(this.#writer.buffer, 0, windowedStoreKey(key, this.#writer), asOf)
      : store.findAsOf(key.buffer, key.start, key.end, asOf);
    if (slot < 0) return null;
    this.timestamp = store.timestampAt(slot);
    return store.valueAt(slot);
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    if (!key.windowed) state.want(this.#store, key.buffer, key.start, key.end, 0, 0);
  }
}

class TransformedReader implements TableReader {
  readonly #parent: TableReader;
  readonly #transform: RowTransform;
  readonly #absentToo: boolean;

  constructor(parent: TableReader, { transform, transformAgain, absentToo }: OpenedTransform) {
    this.#parent = parent;
    this.#transform = transformAgain ?? transform;
    this.#absentToo = absentToo ?? false;
  }

  get timestamp(): number {
    return this.#parent.timestamp;
  }

  get(key: RecordKey): unknown {
    return this.visible(this.#parent.get(key), key);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#parent.prefetch(key, timestamp, state);
  }

  protected visible(value: unknown, key: RecordKey): unknown {
    return value === null && !this.#absentToo ? null : this.#transform(value, key, this.#parent.timestamp);
  }
}

type HistoryReader = TableReader & Required<Pick<TableReader, 'getAsOf'>>;

class TransformedHistoryReader extends TransformedReader {
  readonly #history: HistoryReader;

  constructor(parent: HistoryReader, opened: OpenedTransform) {
    super(parent, opened);
    this.#history = parent;
  }

  getAsOf(key: RecordKey, asOf: number): unknown {
    return this.visible(this.#history.getAsOf(key, asOf), key);
  }
}

class JoinedReader implements TableReader {
  readonly #left: TableReader;
  readonly #right: TableReader;
  readonly #join: TableJoinKind;
  readonly #joiner: ValueJoiner;
  timestamp = -1;

  constructor(left: TableReader, right: TableReader, join: TableJoinKind, joiner: ValueJoiner) {
    this.#left = left;
    this.#right = right;
    this.#join = join;
    this.#joiner = joiner;
  }

  get(key: RecordKey): unknown {
    const left = this.#left.get(key);
    if (left === null && this.#join !== 'outer') return null;
    const leftTime = left === null ? -1 : this.#left.timestamp;
    const right = this.#right.get(key);
    if (right === null && (this.#join === 'inner' || left === null)) return null;
    this.timestamp = Math.max(leftTime, right === null ? -1 : this.#right.timestamp);
    return this.#joiner(left, right, key);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#left.prefetch(key, timestamp, state);
    this.#right.prefetch(key, timestamp, state);
  }
}
