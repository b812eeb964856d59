import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock.ts';
import type { ValueCodec } from '../../src/state/store.ts';
import { openStateBackend } from '../../src/state/task-state.ts';

/** How fast state is: 100,000 keys, values of three numbers. `node scripts/run-ts.js bench/micro/state.ts` */

const KEYS = 100_000;
const values: ValueCodec = {
  encode(value, writer) {
    for (const part of value as number[]) writer.writeDouble(part);
  },
  decode(buffer, start) {
    const view = new DataView(buffer.buffer, buffer.byteOffset + start);
    return [view.getFloat64(0), view.getFloat64(8), view.getFloat64(16)];
  },
};

function report(what: string, count: number, run: () => void): void {
  const begin = systemClock.monotonic();
  run();
  print(what, count, systemClock.monotonic() - begin);
}

async function reportAsync(what: string, count: number, run: () => Promise<void>): Promise<void> {
  const begin = systemClock.monotonic();
  await run();
  print(what, count, systemClock.monotonic() - begin);
}

function print(what: string, count: number, ms: number): void {
  console.log(`${what.padEnd(60)} ${(count / ms / 1000).toFixed(3).padStart(9)} M/s   ${ms.toFixed(0)} ms`);
}

const keys = Buffer.alloc(KEYS * 12);
for (let i = 0; i < KEYS; i++) keys.write(`item_${String(i).padStart(7, '0')}`, i * 12, 'latin1');
const order = new Int32Array(1_000_000);
let state = 1;
for (let i = 0; i < order.length; i++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  order[i] = (state >>> 8) % KEYS;
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const common = { values, changelog: true, persistent: true } as const;
try {
  const task = await openStateBackend().openTaskState(directory);
  const kv = task.openStore({ ...common, kind: 'key-value', name: 'kv' });
  const windows = task.openStore({
    ...common,
    kind: 'window',
    name: 'windows',
    retentionMs: 3_600_000,
    duplicates: false,
  });
  const joins = task.openStore({
    ...common,
    kind: 'window',
    name: 'joins',
    retentionMs: 60_000,
    duplicates: true,
  });
  const row = [1, 2, 3];
  for (let round = 1; round <= 3; round++)
    report(`key-value find + put, round ${round}`, order.length, () => {
      for (let i = 0; i < order.length; i++) {
        const at = order[i]! * 12;
        const slot = kv.find(keys, at, at + 12);
        kv.put(keys, at, at + 12, slot < 0 ? row : kv.valueAt(slot), i);
      }
    });
  report('key-value find', order.length * 4, () => {
    for (let n = 0; n < 4; n++)
      for (let i = 0; i < order.length; i++) {
        const at = order[i]! * 12;
        kv.find(keys, at, at + 12);
      }
  });
  for (let round = 1; round <= 5; round++)
    report(`tumbling windows find + put, 2 windows a round, round ${round}`, order.length * 2, () => {
      for (let n = 0; n < 2; n++)
        for (let i = 0; i < order.length; i++) {
          const at = order[i]! * 12;
          const time = round * 120_000 + (i > order.length / 2 ? 60_000 : 0);
          const slot = windows.find(keys, at, at + 12, time);
          windows.put(keys, at, at + 12, time, slot < 0 ? row : windows.valueAt(slot), i);
        }
    });
  report('hopping windows find + put, 10 windows a record', order.length * 2, () => {
    for (let i = 0; i < order.length / 5; i++) {
      const at = order[i]! * 12;
      for (let w = 0; w < 10; w++) {
        const time = 600_000 + w * 6_000;
        const slot = windows.find(keys, at, at + 12, time);
        windows.put(keys, at, at + 12, time, slot < 0 ? row : windows.valueAt(slot), i);
      }
    }
  });
  report('join buffer put + fetch of a small range', order.length, () => {
    let seen = 0;
    for (let i = 0; i < order.length; i++) {
      const at = order[i]! * 12;
      joins.put(keys, at, at + 12, i, row, i);
      joins.fetch(keys, at, at + 12, i - 2_000, i + 2_000, false, () => {
        seen++;
      });
      if (i % 100_000 === 99_999) task.drainChangelog(joins, () => undefined);
    }
    if (seen < order.length) throw new Error('a row that was just put was not fetched');
  });
  const rows = 100_000 + (windows as unknown as { rows: number }).rows;
  report('drain to the changelog', rows, () => {
    task.drainChangelog(kv, () => undefined);
    task.drainChangelog(windows, () => undefined);
    task.drainChangelog(joins, () => undefined);
  });
  const unpersisted = (joins as unknown as { rows: number }).rows + rows;
  let encoded: Promise<void>;
  report('persist: the part that holds the thread', unpersisted, () => {
    encoded = task.persist('1');
  });
  await reportAsync('persist: the rest', unpersisted, () => encoded);
  for (let i = 0; i < KEYS; i++) kv.put(keys, i * 12, i * 12 + 12, row, 2);
  task.drainChangelog(kv, () => undefined);
  await reportAsync('persist 100,000 rows, all', KEYS, () => task.persist('2'));
  report('evict everything', unpersisted, () => task.evict(0));
  await reportAsync('cold prefetch of 100,000 keys by 2,000', KEYS, async () => {
    for (let from = 0; from < KEYS; from += 2000) {
      for (let i = from; i < from + 2000; i++) task.want(kv, keys, i * 12, i * 12 + 12, 0, 0);
      await task.load();
    }
  });
  await reportAsync('cold prefetch of 100,000 windows by 2,000', KEYS, async () => {
    for (let from = 0; from < KEYS; from += 2000) {
      for (let i = from; i < from + 2000; i++)
        task.want(windows, keys, i * 12, i * 12 + 12, 600_000, 600_000);
      await task.load();
    }
  });
  await reportAsync('cold prefetch of 10,000 keys, all their windows', 10_000, async () => {
    for (let from = 0; from < 10_000; from += 2000) {
      for (let i = from; i < from + 2000; i++) task.want(windows, keys, i * 12, i * 12 + 12, 0, 900_000);
      await task.load();
    }
  });
  await task.close();
  const begin = systemClock.monotonic();
  const again = await openStateBackend({ residentBytes: 1 << 30 }).openTaskState(directory);
  again.openStore({ ...common, kind: 'key-value', name: 'kv' });
  again.openStore({ ...common, kind: 'window', name: 'windows', retentionMs: 3_600_000, duplicates: false });
  print('open with everything read into memory', rows, systemClock.monotonic() - begin);
  await again.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
