import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LockFile, takeLockFile } from '../../../src/common/lock-file.ts';
import { MISS } from '../../../src/state/store.ts';
import type {
  KeyValueStore,
  KeyValueStoreOptions,
  TaskState,
  WindowStoreOptions,
} from '../../../src/state/store.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { textValues } from '../../harness/text-values.ts';

const KV: KeyValueStoreOptions = {
  kind: 'key-value',
  name: 'kv',
  values: textValues,
  changelog: true,
  persistent: true,
};
const WINDOWS: WindowStoreOptions = {
  kind: 'window',
  name: 'windows',
  values: textValues,
  changelog: true,
  persistent: true,
  retentionMs: 100,
  duplicates: false,
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-state-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const bytes = (text: string): Buffer => Buffer.from(text);

function put(store: KeyValueStore, key: string, value: string | null, timestamp = 1): void {
  store.put(bytes(key), 0, key.length, value, timestamp);
}

function get(store: KeyValueStore, key: string): unknown {
  const slot = store.find(bytes(key), 0, key.length);
  return slot < 0 ? null : store.valueAt(slot);
}

/** Has keys in memory, whatever else of the state is. */
async function load(state: TaskState, store: KeyValueStore, ...keys: string[]): Promise<void> {
  for (const key of keys) state.want(store, bytes(key), 0, key.length, 0, 0);
  await state.load();
}

async function untilResident(state: TaskState): Promise<void> {
  while (!state.resident) await new Promise((resolve) => setImmediate(resolve));
}

function missed(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (signal) {
    return signal === MISS;
  }
}

function drain(state: TaskState, store: KeyValueStore): string[] {
  const records: string[] = [];
  state.drainChangelog(store, (key, keyStart, keyEnd, value, valueStart, valueEnd, timestamp) => {
    const text = valueStart < 0 ? '-' : Buffer.from(value.subarray(valueStart, valueEnd)).toString();
    records.push(`${Buffer.from(key.subarray(keyStart, keyEnd)).toString()}=${text}@${timestamp}`);
  });
  return records;
}

test('a task opens no database and makes no directory until it persists', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  put(kv, 'a', '1');
  drain(state, kv);
  expect(existsSync(directory)).toBe(false);
  await state.persist('m');
  expect(existsSync(join(directory, 'rocksdb', 'CURRENT'))).toBe(true);
  await state.close();
});

test('the changelog has one record a changed key, in the order of first change, and only once', async () => {
  const state = await openStateBackend().openTaskState(null);
  const kv = state.openStore(KV);
  put(kv, 'b', '1', 1);
  put(kv, 'a', '1', 2);
  put(kv, 'b', '2', 3);
  put(kv, 'c', '1', 4);
  put(kv, 'c', null, 5);
  expect(drain(state, kv)).toEqual(['b=2@3', 'a=1@2', 'c=-@5']);
  expect(drain(state, kv)).toEqual([]);
  put(kv, 'a', null, 6);
  expect(drain(state, kv)).toEqual(['a=-@6']);
});

test('window changelog keys are those of Kafka Streams', async () => {
  const state = await openStateBackend().openTaskState(null);
  const windows = state.openStore(WINDOWS);
  windows.put(bytes('k'), 0, 1, 0x0102030405, 'v', 7);
  const keys: string[] = [];
  state.drainChangelog(windows, (key, start, end) =>
    keys.push(Buffer.from(key.subarray(start, end)).toString('hex')),
  );
  expect(keys).toEqual(['6b000000010203040500000000']);
});

test('session changelog keys are those of Kafka Streams: the end first', async () => {
  const state = await openStateBackend().openTaskState(null);
  const sessions = state.openStore({ ...WINDOWS, kind: 'session', name: 'sessions' });
  sessions.put(bytes('k'), 0, 1, 3, 0x0102030405, 'v', 7);
  const keys: string[] = [];
  state.drainChangelog(sessions, (key, start, end) =>
    keys.push(Buffer.from(key.subarray(start, end)).toString('hex')),
  );
  expect(keys).toEqual(['6b00000001020304050000000000000003']);
});

test('persist writes what was drained, not what came after', async () => {
  const backend = openStateBackend();
  const directory = join(root, 'task');
  const state = await backend.openTaskState(directory);
  const kv = state.openStore(KV);
  put(kv, 'a', 'drained');
  put(kv, 'gone', 'x');
  drain(state, kv);
  put(kv, 'a', 'later');
  put(kv, 'b', 'later');
  put(kv, 'gone', null);
  await state.persist('meta');
  expect(get(kv, 'a')).toBe('later');
  await state.close();
  const again = await backend.openTaskState(directory);
  const reopened = again.openStore(KV);
  expect(again.meta).toBe('meta');
  await load(again, reopened, 'a', 'b', 'gone');
  expect([get(reopened, 'a'), get(reopened, 'b'), get(reopened, 'gone')]).toEqual(['drained', null, 'x']);
  await again.close();
});

test('dirty rows stay in memory when everything else is evicted', async () => {
  const state = await openStateBackend().openTaskState(join(root, 'task'));
  const kv = state.openStore(KV);
  put(kv, 'clean', '1');
  put(kv, 'changed', '1');
  drain(state, kv);
  await state.persist('m');
  put(kv, 'changed', '2');
  put(kv, 'new', '1');
  expect(state.resident).toBe(true);
  state.evict(0);
  expect(state.resident).toBe(false);
  expect([get(kv, 'changed'), get(kv, 'new')]).toEqual(['2', '1']);
  let thrown: unknown;
  try {
    get(kv, 'clean');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBe(MISS);
  await state.load();
  expect(get(kv, 'clean')).toBe('1');
  await state.close();
});

test('a database that is opened often leaves no more files than one that is opened once', async () => {
  const directory = join(root, 'task');
  let files = 0;
  for (let open = 0; open < 5; open++) {
    const state = await openStateBackend().openTaskState(directory);
    await state.persist(`${open}`);
    await state.close();
    const names = readdirSync(join(directory, 'rocksdb')).filter((name) => !/\.(sst|log)$/.test(name));
    if (open === 1) files = names.length;
    else if (open > 1) expect(names.length).toBeLessThanOrEqual(files);
  }
});

test('want spares the miss', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  put(kv, 'a', '1');
  drain(state, kv);
  await state.persist('m');
  state.evict(0);
  state.want(kv, bytes('a'), 0, 1, 0, 0);
  state.want(kv, bytes('absent'), 0, 6, 0, 0);
  await state.load();
  expect([get(kv, 'a'), get(kv, 'absent')]).toEqual(['1', null]);
  await state.close();
});

test('rows expire exactly below observed time minus retention', async () => {
  const state = await openStateBackend().openTaskState(null);
  const windows = state.openStore(WINDOWS);
  const key = bytes('k');
  windows.put(key, 0, 1, -50, 'negative', 1);
  windows.put(key, 0, 1, 0, 'zero', 1);
  windows.put(key, 0, 1, 100, 'hundred', 1);
  expect(windows.find(key, 0, 1, 0)).toBeGreaterThanOrEqual(0);
  expect(windows.find(key, 0, 1, -50)).toBe(-1);
  windows.put(key, 0, 1, 101, 'next', 1);
  expect(windows.find(key, 0, 1, 0)).toBe(-1);
  windows.put(key, 0, 1, 0, 'too late', 1);
  const seen: number[] = [];
  windows.fetch(key, 0, 1, -1000, 1000, false, (time) => {
    seen.push(time);
  });
  windows.fetchAll(-1000, 1000, (_key, _start, _end, time) => {
    seen.push(time);
  });
  expect(seen).toEqual([100, 101, 100, 101]);
});

test('expired rows leave memory and the database', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  const windows = state.openStore(WINDOWS);
  for (let i = 0; i < 500; i++) windows.put(bytes(`k${i}`), 0, String(i).length + 1, 1000, 'old', 1);
  state.drainChangelog(windows, () => undefined);
  await state.persist('1');
  const before = state.memoryBytes;
  windows.put(bytes('k'), 0, 1, 1_000_000, 'new', 1);
  state.drainChangelog(windows, () => undefined);
  expect(state.memoryBytes).toBeLessThan(before / 50);
  await state.persist('2');
  await state.close();
  const { RocksDatabase } = await import('../../../src/state/rocks-database.ts');
  const database = await RocksDatabase.open(join(directory, 'rocksdb'), 1 << 20);
  let rows = 0;
  await database.scan(Buffer.from([0]), Buffer.from([0xff]), () => void rows++);
  await database.close();
  expect(rows).toBe(1);
});

test('an undone record leaves no trace in the changelog', async () => {
  const state = await openStateBackend().openTaskState(join(root, 'task'));
  const kv = state.openStore(KV);
  put(kv, 'a', '1');
  put(kv, 'b', '1');
  drain(state, kv);
  await state.persist('m');
  state.evict(0);
  state.beginRecord();
  put(kv, 'a', 'kept', 5);
  state.beginRecord();
  put(kv, 'a', 'ghost', 6);
  put(kv, 'z', 'ghost', 6);
  put(kv, 'a', null, 7);
  state.undoRecord();
  expect(get(kv, 'a')).toBe('kept');
  expect(drain(state, kv)).toEqual(['a=kept@5']);
  await state.close();
});

test('wipe forgets memory and disk, and the state goes on', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  put(kv, 'a', '1');
  drain(state, kv);
  await state.persist('m');
  state.evict(0);
  await state.wipe();
  expect([state.meta, state.resident, get(kv, 'a')]).toEqual([null, true, null]);
  expect(existsSync(join(directory, 'rocksdb'))).toBe(false);
  put(kv, 'b', '2');
  drain(state, kv);
  await state.persist('n');
  await state.close();
  const again = await openStateBackend().openTaskState(directory);
  const reopened = again.openStore(KV);
  await load(again, reopened, 'a', 'b');
  expect([again.meta, get(reopened, 'a'), get(reopened, 'b')]).toEqual(['n', null, '2']);
  await again.close();
});

test('a directory has one opener, whatever path leads to it; what lies in its lock file does not matter', async () => {
  const directory = join(root, 'task');
  const link = join(root, 'link');
  mkdirSync(directory);
  symlinkSync(directory, link);
  writeFileSync(join(directory, 'lock'), `${process.ppid} \n`);
  const state = await openStateBackend().openTaskState(directory);
  await expect(openStateBackend().openTaskState(directory)).rejects.toThrow('already open');
  await state.persist('m');
  await expect(openStateBackend().openTaskState(link)).rejects.toThrow(
    `the state in ${link} is in use by process ${process.pid}`,
  );
  await state.close();
  const again = await openStateBackend().openTaskState(link);
  expect(again.meta).toBe('m');
  await again.close();
});

test('nothing is written to a directory that was removed, or is another one by now', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  await state.persist('m');
  rmSync(directory, { recursive: true });
  const other = await openStateBackend().openTaskState(join(root, 'other'));
  await other.persist('other');
  await other.close();
  renameSync(join(root, 'other'), directory);
  await expect(state.persist('n')).rejects.toThrow('was removed or replaced while it was open');
  await state.close();
  const again = await openStateBackend().openTaskState(directory);
  expect(again.meta).toBe('other');
  await again.close();
});

/** A state on disk of 20,000 rows, `key 0=old` and so on. */
async function written(directory: string): Promise<void> {
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  for (let i = 0; i < 20_000; i++) put(kv, `key ${i}`, 'old');
  drain(state, kv);
  await state.persist('m');
  await state.close();
}

test('rows come into memory behind what is done with the state, and then it is all there', async () => {
  const directory = join(root, 'task');
  await written(directory);
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  expect([state.meta, state.resident, missed(() => get(kv, 'key 7'))]).toEqual(['m', false, true]);
  await load(state, kv, 'key 19999');
  put(kv, 'key 19999', 'new');
  put(kv, 'key 19998', null);
  put(kv, 'another', 'new');
  await untilResident(state);
  const at = ['key 0', 'key 19997', 'key 19998', 'key 19999', 'another', 'nothing'].map((key) =>
    get(kv, key),
  );
  expect(at).toEqual(['old', 'old', null, 'new', 'new', null]);
  expect(kv.approximateCount).toBe(20_000);
  await state.close();
});

test('a row that has left memory meanwhile is not brought in as it was before', async () => {
  const directory = join(root, 'task');
  await written(directory);
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  const before = state.memoryBytes;
  while (state.memoryBytes === before) await new Promise((resolve) => setImmediate(resolve));
  put(kv, 'key 9999', 'new');
  put(kv, 'key 9998', null);
  drain(state, kv);
  await state.persist('n');
  state.evict(0);
  // It waits until no more rows come.
  await state.allowWaiting();
  expect(state.resident).toBe(false);
  await load(state, kv, 'key 9998', 'key 9999');
  expect([get(kv, 'key 9998'), get(kv, 'key 9999')]).toEqual([null, 'new']);
  await state.close();
});

test('a state that is closed or wiped while rows come in is closed, and empty', async () => {
  const directory = join(root, 'task');
  await written(directory);
  const closed = await openStateBackend().openTaskState(directory);
  closed.openStore(KV);
  await closed.close();
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  await state.wipe();
  expect([state.meta, state.resident, get(kv, 'key 1')]).toEqual([null, true, null]);
  await state.close();
});

test('what cannot be waited for row by row is waited for as a whole', async () => {
  const directory = join(root, 'task');
  await written(directory);
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  await state.allowWaiting();
  expect([state.resident, get(kv, 'key 7')]).toEqual([true, 'old']);
  await state.close();
});

test('state without a directory leaves memory for a folder that goes with it', async () => {
  const backend = openStateBackend({ scratchDirectory: root, memoryBytes: 1 << 16 });
  const state = await backend.openTaskState(null);
  const kv = state.openStore(KV);
  put(kv, 'gone', 'x');
  drain(state, kv);
  put(kv, 'gone', null);
  for (let i = 0; i < 5000; i++) put(kv, `key ${i}`, `${i}`);
  drain(state, kv);
  expect(readdirSync(root)).toEqual([]);
  const kept = state.claim();
  expect(kept).toBeLessThanOrEqual(1 << 16);
  await state.spill();
  await state.persist('');
  state.evict(kept);
  expect(state.memoryBytes).toBeLessThanOrEqual(1 << 16);
  expect([state.claim(), state.resident, state.isOnDisk(kv)]).toEqual([Infinity, false, false]);
  const keys = Array.from({ length: 5000 }, (_, i) => `key ${i}`);
  await load(state, kv, ...keys, 'gone');
  expect(keys.map((key) => get(kv, key))).toEqual(keys.map((key) => key.slice(4)));
  expect(get(kv, 'gone')).toBe(null);
  expect(readdirSync(root)).toHaveLength(2);
  await state.close();
  expect(readdirSync(root)).toEqual([]);
});

test('states of one backend share its memory', async () => {
  const backend = openStateBackend({ scratchDirectory: null, memoryBytes: 1 << 20 });
  const [large, small] = [await backend.openTaskState(null), await backend.openTaskState(null)];
  const [many, few] = [large.openStore(KV), small.openStore(KV)];
  for (let i = 0; i < 6000; i++) put(many, `key ${i}`, 'v');
  for (let i = 0; i < 2000; i++) put(few, `key ${i}`, 'v');
  expect([large.claim(), large.canShrink]).toEqual([Infinity, false]);
  const kept = small.claim();
  expect(kept).toBeLessThan(1 << 18);
  expect(large.claim() / kept).toBeCloseTo(large.memoryBytes / small.memoryBytes);
  await large.close();
  expect(small.claim()).toBe(Infinity);
  await small.close();
});

test('what a process that was killed left behind is removed by the next, and what another has is left alone', async () => {
  const leave = (name: string): string => {
    const path = join(root, `millrace-scratch-${name}`);
    mkdirSync(join(path, '0', 'rocksdb'), { recursive: true });
    writeFileSync(`${path}.lock`, '');
    return path;
  };
  const [dead, alive] = [leave('dead'), leave('alive')];
  const lock = (await takeLockFile(`${alive}.lock`)) as LockFile;
  const state = await openStateBackend({ scratchDirectory: root }).openTaskState(null);
  await state.spill();
  expect([dead, `${dead}.lock`, alive, `${alive}.lock`].map((path) => existsSync(path))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  await state.close();
  lock.release();
});

test('a store of another kind under the same name is refused', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  state.openStore(KV);
  await state.persist('m');
  await state.close();
  const again = await openStateBackend().openTaskState(directory);
  expect(() => again.openStore({ ...WINDOWS, name: 'kv' })).toThrow('another shape');
  await again.close();
});

test('a store that is kept for a millisecond less than what is on disk finds its rows', async () => {
  const directory = join(root, 'task');
  const day = { ...WINDOWS, retentionMs: 86_400_000 };
  const time = 5 * 43_199_999;
  const state = await openStateBackend().openTaskState(directory);
  const before = state.openStore(day);
  before.put(bytes('k'), 0, 1, time, 'v', time);
  state.drainChangelog(before, () => undefined);
  await state.persist('m');
  await state.close();
  const again = await openStateBackend({ residentBytes: 0 }).openTaskState(directory);
  const after = again.openStore({ ...day, retentionMs: day.retentionMs - 1 });
  again.want(after, bytes('k'), 0, 1, time, time);
  await again.load();
  expect(after.valueAt(after.find(bytes('k'), 0, 1, time))).toBe('v');
  await again.close();
});

test.each([1 << 30, 0])(
  'duplicates keep adding rows after a restart (resident up to %i bytes)',
  async (residentBytes) => {
    const directory = join(root, 'task');
    const options: WindowStoreOptions = { ...WINDOWS, duplicates: true };
    for (let round = 1; round <= 3; round++) {
      const state = await openStateBackend({ residentBytes }).openTaskState(directory);
      const buffer = state.openStore(options);
      buffer.put(bytes('k'), 0, 1, 5, `round ${round}`, round);
      state.want(buffer, bytes('k'), 0, 1, 5, 5);
      await state.load();
      const seen: unknown[] = [];
      buffer.fetch(bytes('k'), 0, 1, 5, 5, false, (_time, value) => {
        seen.push(value);
      });
      expect(seen).toEqual(Array.from({ length: round }, (_, i) => `round ${i + 1}`));
      state.drainChangelog(buffer, () => undefined);
      await state.persist(`${round}`);
      await state.close();
    }
  },
);

test('ranges of one key that were wanted together leave no hole that counts as read', async () => {
  const state = await openStateBackend().openTaskState(join(root, 'task'));
  const windows = state.openStore({ ...WINDOWS, retentionMs: 1_000_000 });
  for (let time = 0; time < 100; time++) windows.put(bytes('k'), 0, 1, time, `${time}`, 1);
  state.drainChangelog(windows, () => undefined);
  await state.persist('m');
  state.evict(0);
  state.want(windows, bytes('k'), 0, 1, 0, 10);
  state.want(windows, bytes('k'), 0, 1, 80, 90);
  await state.load();
  let rows = 0;
  for (;;) {
    rows = 0;
    try {
      windows.fetch(bytes('k'), 0, 1, 0, 90, false, () => {
        rows++;
      });
      break;
    } catch (signal) {
      expect(signal).toBe(MISS);
      await state.load();
    }
  }
  expect(rows).toBe(91);
  await state.close();
});

test('the oldest windows leave memory first, and a window that is newer than those is not looked for on disk', async () => {
  const state = await openStateBackend().openTaskState(join(root, 'task'));
  const windows = state.openStore({ ...WINDOWS, retentionMs: 1_000_000 });
  for (let i = 0; i < 4000; i++) {
    const key = bytes(`key ${i % 1000}`);
    windows.put(key, 0, key.length, Math.floor(i / 1000) * 100, `${i}`, i);
  }
  state.drainChangelog(windows, () => undefined);
  await state.persist('m');
  state.evict(state.memoryBytes * 0.6);
  const find = (key: string, time: number): number => windows.find(bytes(key), 0, key.length, time);
  expect(windows.valueAt(find('key 7', 300))).toBe('3007');
  expect(find('another key', 300)).toBe(-1);
  expect(missed(() => find('key 7', 0))).toBe(true);
  state.want(windows, bytes('key 7'), 0, 5, 0, 0);
  await state.load();
  expect(windows.valueAt(find('key 7', 0))).toBe('7');
  await state.close();
});

test('a store with a bound tells the changelog what went, and keeps it when it is restored', async () => {
  const options = { ...KV, name: 'bounded', rowsMax: 2 };
  const changes: [key: string, value: string | null][] = [];
  const state = await openStateBackend().openTaskState(null);
  const rows = state.openStore(options);
  const drain = (from: typeof state, store: typeof rows): void => {
    changes.length = 0;
    from.drainChangelog(store, (key, start, end, value, valueStart, valueEnd) => {
      const text = valueStart < 0 ? null : Buffer.from(value.subarray(valueStart, valueEnd)).toString();
      changes.push([Buffer.from(key.subarray(start, end)).toString(), text]);
    });
  };
  for (const key of ['a', 'b', 'c']) rows.put(bytes(key), 0, 1, key, 1);
  drain(state, rows);
  expect(changes).toEqual([
    ['a', null],
    ['b', 'b'],
    ['c', 'c'],
  ]);
  expect(rows.find(bytes('a'), 0, 1)).toBe(-1);
  rows.find(bytes('b'), 0, 1);
  rows.put(bytes('d'), 0, 1, 'd', 1);
  drain(state, rows);
  expect(changes).toEqual([
    ['d', 'd'],
    ['c', null],
  ]);

  // A smaller bound than that of the application that wrote the changelog.
  const later = await openStateBackend().openTaskState(null);
  const fewer = later.openStore({ ...options, rowsMax: 1 });
  for (const key of ['b', 'd']) later.restore(fewer, bytes(key), 0, 1, bytes(key), 0, 1, 1);
  expect(fewer.approximateCount).toBe(1);
  drain(later, fewer);
  expect(changes).toEqual([['b', null]]);
});

test('a record may read any number of ranges: each is loaded once, and stays known while others are', async () => {
  const directory = join(root, 'task');
  const state = await openStateBackend().openTaskState(directory);
  const kv = state.openStore(KV);
  const keys = Array.from({ length: 200 }, (_, i) => `key ${1000 + i}`);
  for (const key of keys) put(kv, key, 'v');
  drain(state, kv);
  await state.persist('m');
  await state.close();

  const again = await openStateBackend({ residentBytes: 0 }).openTaskState(directory);
  const cold = again.openStore(KV);
  const readAll = (): number => {
    let rows = 0;
    for (const key of keys) cold.range(bytes(key), bytes(`${key}\0`), false, () => void rows++);
    return rows;
  };
  let loads = 0;
  for (let rows = 0; rows < keys.length;)
    try {
      rows = readAll();
    } catch (error) {
      expect(error).toBe(MISS);
      expect(++loads).toBeLessThanOrEqual(keys.length);
      await again.load();
    }
  expect(loads).toBe(keys.length);
  await again.close();
});
