import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RocksDatabase } from '../../../src/state/rocks-database.ts';
import { WriteBatch } from '../../../src/state/write-batch.ts';
import type { KeyValueStore, KeyValueStoreOptions, TaskState } from '../../../src/state/store.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { markSlot, missingMark } from '../../../src/state/write-marks.ts';
import { textValues } from '../../harness/text-values.ts';

/** Files of a task's database that are not what was written: seen, or harmless, never less state without a word. */

const KV: KeyValueStoreOptions = {
  kind: 'key-value',
  name: 'kv',
  values: textValues,
  changelog: true,
  persistent: true,
};
const KEYS = 1000;
const CHANGES = 50;
const WRITES = 64;
const PADDING = 'x'.repeat(60);

const backend = (residentBytes: number): ReturnType<typeof openStateBackend> =>
  openStateBackend({ residentBytes, writeBufferBytes: 1 << 16 });

let root: string;
/** A state that was closed, and one as a killed process leaves it, with several tables and logs. */
const states: Record<'closed' | 'killed', string> = { closed: '', killed: '' };
let copy: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'millrace-damage-'));
  copy = join(root, 'copy');
  states.closed = join(root, 'closed');
  states.killed = join(root, 'killed');
  const state = await backend(0).openTaskState(states.closed);
  const kv = state.openStore(KV);
  for (let write = 1; write <= WRITES; write++) {
    change(kv, write);
    state.drainChangelog(kv, () => undefined);
    await state.persist(String(write));
  }
  await copyOfLiving(states.closed, states.killed);
  await state.close();
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** RocksDB deletes files meanwhile: again until they stood still. */
async function copyOfLiving(from: string, to: string): Promise<void> {
  for (let before = ''; ;) {
    await new Promise((resolve) => setImmediate(resolve));
    const files = readdirSync(join(from, 'rocksdb')).join();
    try {
      rmSync(to, { recursive: true, force: true });
      cpSync(from, to, { recursive: true });
    } catch {
      continue;
    }
    if (files === before) return;
    before = files;
  }
}

function changed(write: number): string[] {
  return Array.from({ length: CHANGES }, (_, i) => `k${(write * 37 + i * 13) % KEYS}`);
}

function change(kv: KeyValueStore, write: number): void {
  for (const key of changed(write)) kv.put(Buffer.from(key), 0, key.length, `${write} ${PADDING}`, write);
}

/** What is there after that many writes. */
function expected(writes: number): Map<string, string> {
  const rows = new Map<string, string>();
  for (let write = 1; write <= writes; write++)
    for (const key of changed(write)) rows.set(key, `${write} ${PADDING}`);
  return rows;
}

/** The positions and rows of a state, all read from disk where they are not resident. */
async function contentOf(state: TaskState): Promise<{ meta: string | null; rows: Map<string, string> }> {
  const kv = state.openStore(KV);
  const rows = new Map<string, string>();
  for (let i = 0; i < KEYS; i++) {
    const key = Buffer.from(`k${i}`);
    state.want(kv, key, 0, key.length, 0, 0);
  }
  await state.load();
  for (let i = 0; i < KEYS; i++) {
    const key = Buffer.from(`k${i}`);
    const slot = kv.find(key, 0, key.length);
    if (slot >= 0) rows.set(`k${i}`, kv.valueAt(slot) as string);
  }
  return { meta: state.meta, rows };
}

/** Opens the copy: `damaged`, or how many writes it has, all of which must be there. */
async function look(residentBytes: number): Promise<'damaged' | number> {
  const state = await backend(residentBytes).openTaskState(copy);
  try {
    if (state.damage !== null) {
      await expect(state.persist('x')).rejects.toBe(state.damage);
      expect((await contentOf(state)).rows.size).toBe(0);
      return 'damaged';
    }
    const { meta, rows } = await contentOf(state).catch((error: unknown) => {
      expect(error).toMatchObject({ message: expect.stringContaining(`${copy}/rocksdb is damaged`) });
      return { meta: 'damaged', rows: null };
    });
    if (rows === null) return 'damaged';
    expect(rows, `rows after write ${meta}`).toEqual(expected(Number(meta)));
    return Number(meta);
  } finally {
    await state.close();
  }
}

/** What is found once stays found, however it was opened, until it is wiped; then the state works. */
async function lookAndMend(residentBytes: number): Promise<'damaged' | number> {
  const found = await look(residentBytes);
  if (found !== 'damaged') return found;
  expect(await look(1 << 30)).toBe('damaged');
  const state = await backend(residentBytes).openTaskState(copy);
  await state.wipe();
  expect([state.damage, state.meta, existsSync(join(copy, 'rocksdb'))]).toEqual([null, null, false]);
  const kv = state.openStore(KV);
  change(kv, 1);
  state.drainChangelog(kv, () => undefined);
  await state.persist('1');
  await state.close();
  expect(await look(residentBytes)).toBe(1);
  return found;
}

type Damage = 'removed' | 'emptied' | 'cut' | `flipped at ${'start' | 'middle' | 'end'}`;
const DAMAGES: readonly Damage[] = [
  'removed',
  'emptied',
  'cut',
  'flipped at start',
  'flipped at middle',
  'flipped at end',
];

function damage(file: string, how: Damage): void {
  if (how === 'removed') return rmSync(file);
  if (how === 'emptied') return truncateSync(file, 0);
  const bytes = readFileSync(file);
  if (how === 'cut') return truncateSync(file, bytes.length >> 1);
  if (bytes.length === 0) return;
  const at = how === 'flipped at start' ? 0 : how === 'flipped at end' ? bytes.length - 1 : bytes.length >> 1;
  bytes[at]! ^= 0x10;
  writeFileSync(file, bytes);
}

describe.each([
  { from: 'closed', residentBytes: 0 },
  { from: 'killed', residentBytes: 1 << 30 },
] as const)('a state that was $from, resident up to $residentBytes bytes', ({ from, residentBytes }) => {
  /** Which kinds of files may be damaged in which way with what to show for it. */
  const OUTCOMES: Readonly<Record<string, 'damaged' | 'whole' | 'older'>> = {
    CURRENT: 'damaged',
    MANIFEST: 'damaged',
    sst: 'damaged',
    log: 'older',
    OPTIONS: 'whole',
    IDENTITY: 'whole',
    LOCK: 'whole',
    LOG: 'whole',
    SESSION_ID: 'whole',
  };
  const kindOf = (name: string): string => /\.(sst|log)$/.exec(name)?.[1] ?? name.replace(/[-.].*$/, '');

  test('is damaged file by file', async () => {
    const seen = new Set<string>();
    for (const name of readdirSync(join(states[from], 'rocksdb')))
      for (const how of DAMAGES) {
        const kind = kindOf(name);
        const outcome = OUTCOMES[kind];
        if (outcome === 'whole' && how.startsWith('flipped') && how !== 'flipped at middle') continue;
        cpSync(states[from], copy, { recursive: true });
        damage(join(copy, 'rocksdb', name), how);
        const found = await (seen.has(`${kind} damaged`) ? look : lookAndMend)(residentBytes);
        seen.add(`${kind} ${found === 'damaged' ? 'damaged' : found === WRITES ? 'whole' : 'older'}`);
        if (outcome === 'damaged') expect(found, `${name} ${how}`).toBe('damaged');
        if (outcome === 'whole') expect(found, `${name} ${how}`).toBe(WRITES);
        rmSync(copy, { recursive: true });
      }
    expect([...seen]).toContain('sst damaged');
    expect([...seen]).toContain('log older');
  });

  test('a manifest that ends early gives no state with a hole', async () => {
    const name = readdirSync(join(states[from], 'rocksdb')).find((each) => each.startsWith('MANIFEST'))!;
    const size = readFileSync(join(states[from], 'rocksdb', name)).length;
    for (let length = 0; length < size; length += 17) {
      cpSync(states[from], copy, { recursive: true });
      truncateSync(join(copy, 'rocksdb', name), length);
      await look(1 << 30);
      rmSync(copy, { recursive: true });
    }
  });
});

test('a read that waits for a damaged file tells it, even to whoever caught it', async () => {
  cpSync(states.closed, copy, { recursive: true });
  const state = await backend(0).openTaskState(copy);
  try {
    const kv = state.openStore(KV);
    await state.allowWaiting();
    for (const name of readdirSync(join(copy, 'rocksdb')))
      if (name.endsWith('.sst')) damage(join(copy, 'rocksdb', name), 'emptied');
    state.waits = true;
    const read = (): unknown => kv.find(Buffer.from('k7'), 0, 2);
    expect(read).toThrow(/is damaged/);
    expect(state.readFailure).toBe(state.damage);
    expect(state.damage).not.toBeNull();
    await expect(state.persist('m')).rejects.toThrow(/is damaged/);
  } finally {
    await state.close();
  }
  const again = await backend(0).openTaskState(copy);
  expect(again.damage).not.toBeNull();
  await again.wipe();
  expect(again.damage).toBeNull();
  await again.close();
});

test('a write that is missing from the middle is damage', async () => {
  cpSync(states.closed, copy, { recursive: true });
  const database = await RocksDatabase.open(join(copy, 'rocksdb'), 1 << 16);
  const batch = new WriteBatch();
  // The mark before the last goes back to what it was, as if that write had never been.
  const mark = Buffer.from([0xff, 0xff, 2, ...markSlot(WRITES - 1)]);
  expect((await database.getMany([mark]))[0]?.toString()).toBe(String(WRITES - 1));
  batch.deletedRanges.push({ from: mark, to: Buffer.concat([mark, Buffer.from([0])]) });
  await database.write(batch);
  await database.close();
  expect(await look(0)).toBe('damaged');
});

test('any hole longer than an eighth of its distance from the newest write has lost a mark', () => {
  const slots = new Map<string, number>();
  const marksUpTo = (newest: number, lost: (n: number) => boolean): Set<number> => {
    slots.clear();
    for (let n = 1; n <= newest; n++) if (!lost(n)) slots.set(markSlot(n).join(), n);
    return new Set(slots.values());
  };
  for (const newest of [1, 2, 3, 31, 32, 33, 500, 4096, 5000]) {
    expect(
      missingMark(
        newest,
        marksUpTo(newest, () => false),
      ),
    ).toBeNull();
    for (let distance = 1; distance < newest; distance = Math.ceil(distance * 1.3)) {
      const length = Math.ceil(distance / 8);
      const to = newest - distance;
      const from = to - length;
      if (from < 1) continue;
      const marks = marksUpTo(newest, (n) => n >= from && n <= to);
      expect(missingMark(newest, marks), `${from} to ${to} of ${newest}`).not.toBeNull();
    }
  }
  expect(marksUpTo(5000, () => false).size).toBeLessThan(200);
});

test('what is no directory, and rows without CURRENT, are damage; what never held a row is none', async () => {
  mkdirSync(copy);
  writeFileSync(join(copy, 'rocksdb'), 'x');
  expect(await lookAndMend(0)).toBe('damaged');
  rmSync(copy, { recursive: true });
  mkdirSync(join(copy, 'rocksdb'), { recursive: true });
  for (const name of ['LOCK', 'LOG', 'IDENTITY', 'MANIFEST-000001', '000004.log'])
    writeFileSync(join(copy, 'rocksdb', name), name.endsWith('.log') ? '' : 'x');
  const state = await backend(0).openTaskState(copy);
  expect([state.damage, state.meta]).toEqual([null, null]);
  await state.persist('1');
  await state.close();
});

test('a process that ends while it deletes a state leaves none that is gone on from', async () => {
  for (const name of readdirSync(join(states.closed, 'rocksdb')).filter((_, i) => i % 3 === 0)) {
    cpSync(states.closed, copy, { recursive: true });
    writeFileSync(join(copy, 'damaged'), 'it was being deleted\n');
    rmSync(join(copy, 'rocksdb', name));
    expect(await lookAndMend(0)).toBe('damaged');
    rmSync(copy, { recursive: true });
  }
});
