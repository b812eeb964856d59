import type { DatabaseReads, RowVisitor } from './database.ts';
import type { KeyTable } from './key-table.ts';
import type { KeyValueRows } from './key-value-store.ts';
import type { Want, Wants } from './row-store.ts';
import { segmentBound, storeWriter } from './database-key.ts';
import type { TimesRows } from './database-key.ts';
import { writeSortable, writeTimedPrefix } from './timed-key.ts';

/** Keys of one batched read. */
const GET_BATCH = 512;
/** Ranges of single keys read at a time. */
const PARALLEL_SCANS = 32;
/** Rows of one key within a segment that are fetched in one trip. */
const KEY_SCAN_CAPACITY = 64;

/** The reads that bring wanted rows of a store from the database into memory. */
export function* rowsToLoad(store: KeyValueRows | TimesRows, wants: Wants): DatabaseReads {
  if (store.kind === 'key-value') yield* keyRangesToLoad(store, wants.ranges);
  else yield* timesToLoad(store, wants.ranges);
  yield* pointsToLoad(store, wants.points);
}

function* keyRangesToLoad(store: KeyValueRows, wants: readonly Want[]): DatabaseReads {
  const prefix = store.pointPrefix;
  const afterLast = Buffer.from(prefix);
  afterLast[2]!++;
  const visit: RowVisitor = (key, value) => store.install(key, 2, value);
  for (const want of wants) {
    const from = want.key === null ? prefix : Buffer.concat([prefix, want.key]);
    const to = want.keyTo === null ? afterLast : Buffer.concat([prefix, want.keyTo]);
    if (Buffer.compare(from, to) < 0) yield { kind: 'scan', ranges: [{ from, to }], visit };
    store.cover(want.key, want.keyTo);
  }
}

function* timesToLoad(store: TimesRows, wants: readonly Want[]): DatabaseReads {
  const visit: RowVisitor = (key, value) => store.install(key, 2, value);
  for (const want of wants) {
    if (want.key !== null) continue;
    for (const [from, to] of store.missingOfAll(want.from, want.to)) {
      const [low, high] = coldTimes(store, from, to);
      if (low > high) continue;
      const range = {
        from: segmentBound(store, store.segmentOf(low)),
        to: segmentBound(store, store.segmentOf(high) + 1),
      };
      yield { kind: 'scan', ranges: [range], visit };
    }
    store.coverAll(want.from, want.to);
  }
  for (const keys of slices(mergedByKey(wants), PARALLEL_SCANS)) {
    const ranges = keys.flatMap(({ key, from, to }) =>
      store.missingTimes(key, from, to).flatMap(([low, high]) => keyRanges(store, key, low, high)),
    );
    if (ranges.length > 0) yield { kind: 'scan', ranges, visit, capacity: KEY_SCAN_CAPACITY };
    for (const { key, from, to } of keys) store.coverTimes(key, from, to);
  }
}

function* pointsToLoad(store: KeyValueRows | TimesRows, points: KeyTable): DatabaseReads {
  for (let from = 0; from < points.slotEnd; from += GET_BATCH) {
    const keys = databaseKeys(store.pointPrefix, points, from, Math.min(from + GET_BATCH, points.slotEnd));
    const values = yield { kind: 'get', keys };
    for (let i = 0; i < keys.length; i++) store.install(keys[i]!, 2, values[i]!);
  }
}

/** The keys of slots [from, to) behind `prefix`, in one piece of memory. */
function databaseKeys(prefix: Buffer, points: KeyTable, from: number, to: number): Buffer[] {
  let size = 0;
  for (let slot = from; slot < to; slot++) size += prefix.length + points.endOf(slot) - points.startOf(slot);
  const bytes = Buffer.allocUnsafeSlow(size);
  const keys: Buffer[] = [];
  let end = 0;
  for (let slot = from; slot < to; slot++) {
    const start = end;
    end += prefix.copy(bytes, end);
    end += points.slabOf(slot).copy(bytes, end, points.startOf(slot), points.endOf(slot));
    keys.push(bytes.subarray(start, end));
  }
  return keys;
}

interface KeyTimes {
  readonly key: Buffer;
  from: number;
  to: number;
}

/** One range a key, over all that was wanted of it: what is covered must be one interval with no hole. */
function mergedByKey(wants: readonly Want[]): KeyTimes[] {
  const byKey = new Map<string, KeyTimes>();
  for (const { key, from, to } of wants) {
    if (key === null) continue;
    const name = key.toString('latin1');
    const range = byKey.get(name);
    if (range === undefined) byKey.set(name, { key, from, to });
    else {
      range.from = Math.min(range.from, from);
      range.to = Math.max(range.to, to);
    }
  }
  return [...byKey.values()];
}

/** The times of [from, to] of which rows may be on disk only, and that are still visible. */
function coldTimes(store: TimesRows, from: number, to: number): [low: number, high: number] {
  return [Math.max(from, store.visibleFrom, -(2 ** 52)), Math.min(to, store.coldTime)];
}

/** The ranges that hold a key's rows of [from, to]: one in each segment, of which a retention has about three. */
function keyRanges(store: TimesRows, key: Buffer, from: number, to: number): { from: Buffer; to: Buffer }[] {
  const [low, high] = coldTimes(store, from, to);
  const ranges: { from: Buffer; to: Buffer }[] = [];
  if (low > high) return ranges;
  for (let segment = store.segmentOf(low); segment <= store.segmentOf(high); segment++) {
    const bound = (time: number): Buffer => {
      const writer = storeWriter(store.id);
      writeTimedPrefix(writer, store.space, segment, key, 0, key.length);
      writeSortable(writer, time);
      return writer.toBytes();
    };
    ranges.push({ from: bound(low), to: bound(high + 1) });
  }
  return ranges;
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
