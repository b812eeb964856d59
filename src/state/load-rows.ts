import { ByteWriter } from '../common/bytes.ts';
import { KEY_VALUE_SPACE } from './key-value-store.ts';
import type { KeyValueRows } from './key-value-store.ts';
import type { RocksDatabase } from './rocks-database.ts';
import type { Want } from './row-store.ts';
import { segmentBound, storeWriter } from './segment-bound.ts';
import type { TimesRows } from './segment-bound.ts';
import { writeSortable, writeTimedPrefix } from './timed-key.ts';

/** Keys of one batched read. */
const GET_BATCH = 512;
/** Ranges of single keys read at a time. */
const PARALLEL_SCANS = 32;
/** Rows of one key within a segment that are fetched in one trip. */
const KEY_SCAN_CAPACITY = 64;

/** Reads what was wanted of a key-value store from the database into memory. */
export async function loadKeys(
  database: RocksDatabase,
  store: KeyValueRows,
  wants: readonly Want[],
): Promise<void> {
  const points: Buffer[] = [];
  const prefix = Buffer.from([store.id >>> 8, store.id & 0xff, KEY_VALUE_SPACE]);
  const afterLast = Buffer.from([store.id >>> 8, store.id & 0xff, KEY_VALUE_SPACE + 1]);
  for (const want of wants) {
    if (want.kind === 'point') {
      points.push(want.key!);
      continue;
    }
    const from = want.key === null ? prefix : Buffer.concat([prefix, want.key]);
    const to = want.keyTo === null ? afterLast : Buffer.concat([prefix, want.keyTo]);
    if (Buffer.compare(from, to) < 0)
      await database.scan(from, to, (key, value) => store.install(key, 2, value));
    store.cover(want.key, want.keyTo);
  }
  await inSlices(points, GET_BATCH, async (keys) => {
    const rows = keys.map((key) => Buffer.concat([prefix, key]));
    const values = await database.getMany(rows);
    values.forEach((value, i) => {
      if (value === null) store.installAbsent(keys[i]!);
      else store.install(rows[i]!, 2, value);
    });
  });
}

/** The same for a store of rows with times. */
export async function loadTimes(
  database: RocksDatabase,
  store: TimesRows,
  wants: readonly Want[],
): Promise<void> {
  const points = wants.filter((want) => want.kind === 'point');
  const ranges = mergedByKey(wants);
  for (const want of wants) {
    if (want.kind === 'point' || want.key !== null) continue;
    for (const [from, to] of store.missingOfAll(want.from, want.to)) {
      const [low, high] = storedTimes(store, from, to);
      if (low <= high)
        await database.scan(
          segmentBound(store, store.segmentOf(low)),
          segmentBound(store, store.segmentOf(high) + 1),
          (key, value) => store.install(key, 2, value),
        );
    }
    store.coverAll(want.from, want.to);
  }
  if (store.kind === 'window')
    await inSlices(points, GET_BATCH, async (slice) => {
      const writer = new ByteWriter(64 * slice.length);
      const keys = slice.map((want) => {
        writer.length = 0;
        writer.writeByte(store.id >>> 8);
        writer.writeByte(store.id & 0xff);
        store.writePointKey(want.key!, want.from, writer);
        return writer.toBytes();
      });
      const values = await database.getMany(keys);
      values.forEach((value, i) => {
        if (value === null) store.installAbsent(slice[i]!.key!, slice[i]!.from);
        else store.install(keys[i]!, 2, value);
      });
    });
  await inSlices(ranges, PARALLEL_SCANS, async (slice) => {
    await Promise.all(
      slice.map(async (range) => {
        for (const [from, to] of store.missingTimes(range.key, range.from, range.to))
          await loadKeyTimes(database, store, range.key, from, to);
        store.coverTimes(range.key, range.from, range.to);
      }),
    );
  });
}

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

/** Installs a key's rows of [from, to]: a scan a segment, of which a retention has three or so. */
async function loadKeyTimes(
  database: RocksDatabase,
  store: TimesRows,
  key: Buffer,
  from: number,
  to: number,
): Promise<void> {
  const [low, high] = storedTimes(store, from, to);
  if (low > high) return;
  for (let segment = store.segmentOf(low); segment <= store.segmentOf(high); segment++) {
    const bound = (time: number): Buffer => {
      const writer = storeWriter(store.id);
      writeTimedPrefix(writer, store.space, segment, key, 0, key.length);
      writeSortable(writer, time);
      return writer.toBytes();
    };
    await database.scan(
      bound(low),
      bound(high + 1),
      (row, value) => store.install(row, 2, value),
      KEY_SCAN_CAPACITY,
    );
  }
}

async function inSlices<T>(
  items: readonly T[],
  size: number,
  run: (slice: readonly T[]) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) await run(items.slice(from, from + size));
}
