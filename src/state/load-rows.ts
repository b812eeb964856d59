import { ByteWriter } from '../common/bytes.ts';
import type { DatabaseRead, DatabaseReads } from './database.ts';
import { KEY_VALUE_SPACE } from './key-value-store.ts';
import type { KeyValueRows } from './key-value-store.ts';
import type { Want } from './row-store.ts';
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
export function rowsToLoad(store: KeyValueRows | TimesRows, wants: readonly Want[]): DatabaseReads {
  return store.kind === 'key-value' ? keysToLoad(store, wants) : timesToLoad(store, wants);
}

function* keysToLoad(store: KeyValueRows, wants: readonly Want[]): DatabaseReads {
  const points: Buffer[] = [];
  const prefix = Buffer.from([store.id >>> 8, store.id & 0xff, KEY_VALUE_SPACE]);
  const afterLast = Buffer.from([store.id >>> 8, store.id & 0xff, KEY_VALUE_SPACE + 1]);
  const visit: Visit = (key, value) => store.install(key, 2, value);
  for (const want of wants) {
    if (want.kind === 'point') {
      points.push(want.key!);
      continue;
    }
    const from = want.key === null ? prefix : Buffer.concat([prefix, want.key]);
    const to = want.keyTo === null ? afterLast : Buffer.concat([prefix, want.keyTo]);
    if (Buffer.compare(from, to) < 0) yield { kind: 'scan', ranges: [{ from, to }], visit };
    store.cover(want.key, want.keyTo);
  }
  for (const keys of slices(points, GET_BATCH)) {
    const rows = keys.map((key) => Buffer.concat([prefix, key]));
    const values = yield { kind: 'get', keys: rows };
    values.forEach((value, i) => {
      if (value === null) store.installAbsent(keys[i]!);
      else store.install(rows[i]!, 2, value);
    });
  }
}

function* timesToLoad(store: TimesRows, wants: readonly Want[]): DatabaseReads {
  const visit: Visit = (key, value) => store.install(key, 2, value);
  for (const want of wants) {
    if (want.kind === 'point' || want.key !== null) continue;
    for (const [from, to] of store.missingOfAll(want.from, want.to)) {
      const [low, high] = storedTimes(store, from, to);
      if (low > high) continue;
      const range = {
        from: segmentBound(store, store.segmentOf(low)),
        to: segmentBound(store, store.segmentOf(high) + 1),
      };
      yield { kind: 'scan', ranges: [range], visit };
    }
    store.coverAll(want.from, want.to);
  }
  if (store.kind === 'window')
    for (const points of slices(
      wants.filter((want) => want.kind === 'point'),
      GET_BATCH,
    )) {
      const writer = new ByteWriter(64 * points.length);
      const keys = points.map((want) => {
        writer.length = 0;
        writer.writeByte(store.id >>> 8);
        writer.writeByte(store.id & 0xff);
        store.writePointKey(want.key!, want.from, writer);
        return writer.toBytes();
      });
      const values = yield { kind: 'get', keys };
      values.forEach((value, i) => {
        if (value === null) store.installAbsent(points[i]!.key!, points[i]!.from);
        else store.install(keys[i]!, 2, value);
      });
    }
  for (const keys of slices(mergedByKey(wants), PARALLEL_SCANS)) {
    const ranges = keys.flatMap(({ key, from, to }) =>
      store.missingTimes(key, from, to).flatMap(([low, high]) => keyRanges(store, key, low, high)),
    );
    if (ranges.length > 0) yield { kind: 'scan', ranges, visit, capacity: KEY_SCAN_CAPACITY };
    for (const { key, from, to } of keys) store.coverTimes(key, from, to);
  }
}

type Visit = Extract<DatabaseRead, { kind: 'scan' }>['visit'];

interface KeyTimes {
  readonly key: Buffer;
  from: number;
  to: number;
}

/** One range a key, over all that was wanted of it: what is covered must be one interval with no hole. */
function mergedByKey(wants: readonly Want[]): KeyTimes[] {
  const byKey = new Map<string, KeyTimes>();
  for (const { kind, key, from, to } of wants) {
    if (kind !== 'times' || key === null) continue;
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

/** The times of [from, to] that the database may hold and that are still visible. */
function storedTimes(store: TimesRows, from: number, to: number): [low: number, high: number] {
  return [Math.max(from, store.visibleFrom, -(2 ** 52)), Math.min(to, store.storedTime)];
}

/** The ranges that hold a key's rows of [from, to]: one in each segment, of which a retention has about three. */
function keyRanges(store: TimesRows, key: Buffer, from: number, to: number): { from: Buffer; to: Buffer }[] {
  const [low, high] = storedTimes(store, from, to);
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
