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
import type { Windowed } from '../topology/windowed.ts';
import type {
  KeyValueStoreView,
  RangeBounds,
  Row,
  SessionStoreView,
  StateStoreView,
  Version,
  VersionedStoreView,
  WindowStoreView,
} from './state-store-view.ts';

export interface StoreViewOptions {
  /** How long the windows of a window store are. Without it asking for the end of one throws. */
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
  switch (store.kind) {
    case 'key-value':
      return new KeyValueView(store, keys, options);
    case 'window':
      return new WindowView(store, keys, options);
    case 'session':
      return new SessionView(store, keys, options);
    case 'versioned':
      return new VersionedView(store, keys, options);
  }
}

/** The base of all views: a store of one partition, under a serde of its keys. */
abstract class StoreView<S extends StateStore> {
  protected readonly store: S;
  protected readonly timeToPut: TimeToPut;
  readonly #keys: Serde;
  readonly #writer = new ByteWriter(64);

  constructor(store: S, keys: Serde, options: StoreViewOptions = {}) {
    this.store = store;
    this.#keys = keys;
    this.timeToPut = options.timeToPut ?? ((given) => timeOf(given, `store ${store.name} is given`));
  }

  get name(): string {
    return this.store.name;
  }

  /** The key's bytes; valid until the next call. */
  protected bytesOf(key: unknown, serde: Serde = this.#keys): Buffer {
    this.#writer.length = 0;
    serde.serialize(key, this.#writer);
    return this.#writer.buffer.subarray(0, this.#writer.length);
  }

  protected keyOf(buffer: Uint8Array, start: number, end: number): unknown {
    return this.#keys.deserialize(buffer, start, end);
  }

  /** Only null deletes a row: a value that was forgotten, undefined, is refused. */
  protected valueToPut(value: unknown): unknown {
    if (value === undefined)
      throw new TypeError(`store ${this.name} is given undefined for a value: null deletes`);
    return value;
  }
}

/** A range of keys' bytes: from <= key < to. */
export interface KeyRange {
  readonly from: Buffer | null;
  readonly to: Buffer | null;
  readonly reverse: boolean;
}

export interface KeyPage {
  readonly rows: Row<unknown, unknown>[];
  /** The part of the range that was not read; null when all was. */
  readonly rest: KeyRange | null;
}

/** Rows that an iterator takes at a time. */
const ITERATED_ROWS = 64;

export class KeyValueView extends StoreView<KeyValueStore> implements KeyValueStoreView<unknown, unknown> {
  readonly kind = 'key-value';

  get approximateCount(): number {
    return this.store.approximateCount;
  }

  get(key: unknown): unknown {
    return this.getRow(key)?.value ?? null;
  }

  getRow(key: unknown): Row<unknown, unknown> | null {
    const bytes = this.bytesOf(key);
    const slot = this.store.find(bytes, 0, bytes.length);
    if (slot < 0) return null;
    return { key, value: this.store.valueAt(slot), timestamp: this.store.timestampAt(slot) };
  }

  put(key: unknown, value: unknown, timestamp?: number): void {
    const time = this.timeToPut(timestamp);
    const bytes = this.bytesOf(key);
    this.store.put(bytes, 0, bytes.length, this.valueToPut(value), time);
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
    const bytes = this.bytesOf(key);
    this.store.put(bytes, 0, bytes.length, null, 0);
    return found;
  }

  all(): Row<unknown, unknown>[] {
    return this.#rows({});
  }

  reverseAll(): Row<unknown, unknown>[] {
    return this.#rows({ reverse: true });
  }

  range(from: unknown, to: unknown): Row<unknown, unknown>[] {
    return this.#rows({ from, to });
  }

  reverseRange(from: unknown, to: unknown): Row<unknown, unknown>[] {
    return this.#rows({ from, to, reverse: true });
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): Row<unknown, unknown>[] {
    const from = Buffer.from(this.bytesOf(prefix, serde));
    return this.page({ from, to: afterPrefix(from), reverse: false }, Infinity).rows;
  }

  *iterate(bounds: RangeBounds<unknown> = {}): IterableIterator<Row<unknown, unknown>> {
    for (let rest: KeyRange | null = this.rangeOf(bounds); rest !== null;) {
      const page: KeyPage = this.page(rest, ITERATED_ROWS);
      yield* page.rows;
      rest = page.rest;
    }
  }

  rangeOf({ from = null, to = null, reverse = false }: RangeBounds<unknown>): KeyRange {
    return { from: this.#bound(from), to: above(this.#bound(to)), reverse };
  }

  /** The first rows of a range, at most so many. */
  page(range: KeyRange, rowsMax: number): KeyPage {
    const rows: Row<unknown, unknown>[] = [];
    let rest: KeyRange | null = null;
    this.store.range(range.from, range.to, range.reverse, (buffer, start, end, value, timestamp) => {
      rows.push({ key: this.keyOf(buffer, start, end), value, timestamp });
      if (rows.length < rowsMax) return true;
      const last = Buffer.from(buffer.subarray(start, end));
      rest = range.reverse ? { ...range, to: last } : { ...range, from: above(last) };
      return false;
    });
    return { rows, rest };
  }

  #rows(bounds: RangeBounds<unknown>): Row<unknown, unknown>[] {
    return this.page(this.rangeOf(bounds), Infinity).rows;
  }

  #bound(key: unknown): Buffer | null {
    return key === null ? null : Buffer.from(this.bytesOf(key));
  }
}

/** Stretches of [from, to], in order and without a gap. */
export type Stretches = readonly (readonly [from: number, to: number])[];

/** The stretches that hold `rowsMax` rows each, or one moment with more; `visitTimes` tells the rows' times in order. */
function stretches(
  from: number,
  to: number,
  rowsMax: number,
  visitTimes: (visit: (time: number) => void) => void,
): Stretches {
  const found: [number, number][] = [];
  let first = from;
  let last = from;
  let count = 0;
  visitTimes((time) => {
    if (++count > rowsMax && time !== last) {
      found.push([first, last]);
      first = last + 1;
      count = 1;
    }
    last = time;
  });
  found.push([first, to]);
  return found;
}

export class WindowView extends StoreView<WindowStore> implements WindowStoreView<unknown, unknown> {
  readonly kind = 'window';
  readonly #sizeMs: WindowLength | undefined;

  constructor(store: WindowStore, keys: Serde, options: StoreViewOptions) {
    super(store, keys, options);
    this.#sizeMs = options.windowSizeMs;
  }

  get(key: unknown, windowStart: number): unknown {
    const bytes = this.bytesOf(key);
    const slot = this.store.find(bytes, 0, bytes.length, windowStart);
    return slot < 0 ? null : this.store.valueAt(slot);
  }

  put(key: unknown, value: unknown, windowStart: number): void {
    const time = this.timeToPut(windowStart ?? null);
    const bytes = this.bytesOf(key);
    this.store.put(bytes, 0, bytes.length, time, this.valueToPut(value), time);
  }

  fetch(key: unknown, from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.#rowsOf(key, from, to, false);
  }

  reverseFetch(key: unknown, from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.#rowsOf(key, from, to, true);
  }

  fetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    this.store.fetchAll(from, to, (buffer, keyStart, keyEnd, start, value, timestamp) => {
      rows.push({ key: this.#windowed(this.keyOf(buffer, keyStart, keyEnd), start), value, timestamp });
    });
    return rows;
  }

  reverseFetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.fetchAll(from, to).reverse();
  }

  /** [from, to] in stretches that `fetchAll` reads so many rows of, or one moment with more. */
  stretches(from: number, to: number, rowsMax: number): Stretches {
    return stretches(from, to, rowsMax, (visit) =>
      this.store.fetchAll(from, to, (_buffer, _keyStart, _keyEnd, start) => visit(start)),
    );
  }

  #rowsOf(key: unknown, from: number, to: number, reverse: boolean): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    const bytes = this.bytesOf(key);
    this.store.fetch(bytes, 0, bytes.length, from, to, reverse, (start, value, timestamp) => {
      rows.push({ key: this.#windowed(key, start), value, timestamp });
    });
    return rows;
  }

  #windowed(key: unknown, start: number): Windowed<unknown> {
    const sizeMs = must(this.#sizeMs, `it is not known how long the windows of store ${this.name} are`);
    return { key, window: { start, end: start + (typeof sizeMs === 'number' ? sizeMs : sizeMs(start)) } };
  }
}

export class SessionView extends StoreView<SessionStore> implements SessionStoreView<unknown, unknown> {
  readonly kind = 'session';

  fetch(key: unknown, from = 0, to = Number.MAX_SAFE_INTEGER): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    const bytes = this.bytesOf(key);
    this.store.fetch(bytes, 0, bytes.length, from, to, (start, end, value, timestamp) => {
      rows.push({ key: { key, window: { start, end } }, value, timestamp });
    });
    return rows;
  }

  reverseFetch(key: unknown, from?: number, to?: number): Row<Windowed<unknown>, unknown>[] {
    return this.fetch(key, from, to).reverse();
  }

  fetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    const rows: Row<Windowed<unknown>, unknown>[] = [];
    this.store.fetchAll(from, to, (buffer, keyStart, keyEnd, start, end, value, timestamp) => {
      const key = this.keyOf(buffer, keyStart, keyEnd);
      rows.push({ key: { key, window: { start, end } }, value, timestamp });
    });
    return rows;
  }

  reverseFetchAll(from: number, to: number): Row<Windowed<unknown>, unknown>[] {
    return this.fetchAll(from, to).reverse();
  }

  /** [from, to] in stretches that `fetchAll` reads so many rows of, or one moment with more. */
  stretches(from: number, to: number, rowsMax: number): Stretches {
    return stretches(from, to, rowsMax, (visit) =>
      this.store.fetchAll(from, to, (_buffer, _keyStart, _keyEnd, _start, end) => visit(end)),
    );
  }

  get(key: unknown, start: number, end: number): unknown {
    const found = this.fetch(key, end, start);
    return found.find(({ key: { window } }) => window.start === start && window.end === end)?.value ?? null;
  }

  put(key: unknown, start: number, end: number, value: unknown): void {
    const from = this.timeToPut(start ?? null);
    const to = this.timeToPut(end ?? null);
    const bytes = this.bytesOf(key);
    this.store.put(bytes, 0, bytes.length, from, to, this.valueToPut(value), to);
  }
}

export class VersionedView extends StoreView<VersionedStore> implements VersionedStoreView<unknown, unknown> {
  readonly kind = 'versioned';

  get(key: unknown, asOf = Infinity): Version<unknown> | null {
    const bytes = this.bytesOf(key);
    const slot = this.store.findAsOf(bytes, 0, bytes.length, asOf);
    if (slot < 0) return null;
    return version(this.store.valueAt(slot), this.store.timestampAt(slot), this.store.validToAt(slot));
  }

  put(key: unknown, value: unknown, timestamp: number): boolean {
    const time = this.timeToPut(timestamp ?? null);
    const bytes = this.bytesOf(key);
    return this.store.put(bytes, 0, bytes.length, this.valueToPut(value), time) !== NOT_PUT;
  }

  delete(key: unknown, timestamp: number): Version<unknown> | null {
    const found = this.get(key, timestamp);
    return this.put(key, null, timestamp) ? found : null;
  }

  versions(key: unknown, from = 0, to = Infinity): Version<unknown>[] {
    const bytes = this.bytesOf(key);
    const found: Version<unknown>[] = [];
    this.store.versions(bytes, 0, bytes.length, from, to, false, (value, timestamp, validTo) => {
      found.push(version(value, timestamp, validTo));
    });
    return found;
  }

  reverseVersions(key: unknown, from?: number, to?: number): Version<unknown>[] {
    return this.versions(key, from, to).reverse();
  }
}

function version(value: unknown, timestamp: number, validTo: number): Version<unknown> {
  return { value, timestamp, validTo: validTo === Infinity ? null : validTo };
}
