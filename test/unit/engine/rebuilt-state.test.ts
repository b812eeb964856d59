import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { must } from '../../../src/common/assert.ts';
import { type Logger, silentLogger } from '../../../src/common/logger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** The counts of a query, with the files of its state damaged between two runs. */

const KEYS = 200;
const ROUNDS = 3;

let root: string;
let written: string;
let running: string;
let warnings: string[];
const logger: Logger = { ...silentLogger, warn: (_fields, message) => warnings.push(message) };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'millrace-rebuilt-'));
  written = join(root, 'written');
  running = join(root, 'running');
  for (let round = 1; round <= ROUNDS; round++) {
    const engine = await open(written, 0);
    if (round === 1)
      await execute(
        engine,
        `CREATE STREAM S (K STRING, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
         CREATE TABLE C AS SELECT K, COUNT(*) AS N, LATEST_BY_OFFSET(V) AS V FROM S GROUP BY K;`,
      );
    await insert(engine, KEYS);
    await engine.close();
  }
});
afterEach(() => rmSync(running, { recursive: true, force: true }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The write buffer is small, so that there are tables, and a log beside them. */
function open(directory: string, residentBytes: number): Promise<Engine> {
  warnings = [];
  return openEngine(join(directory, 'log'), {
    stateDirectory: join(directory, 'state'),
    state: openStateBackend({ residentBytes, writeBufferBytes: 1 << 16 }),
    logger,
  });
}

async function insert(engine: Engine, keys: number): Promise<void> {
  const padding = 'x'.repeat(500);
  for (let k = 0; k < keys; k++) await execute(engine, `INSERT INTO S VALUES ('k${k}', '${padding}');`);
  await engine.drain();
}

async function counts(engine: Engine): Promise<Map<string, number>> {
  const { rows } = await execute(engine, 'SELECT K, N FROM C;');
  return new Map(rows.map(([key, n]) => [key as string, Number(n)]));
}

/** The same, where damage may yet be found: rows come into memory behind what is processed. */
async function countsOnceRebuilt(engine: Engine): Promise<Map<string, number>> {
  try {
    return await counts(engine);
  } catch (error) {
    expect((error as Error).message).toContain('is damaged: ');
  }
  const [query] = engine.queries.values();
  while (query!.errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await untilRunning(engine);
  await engine.drain();
  return counts(engine);
}

function expected(more: number): Map<string, number> {
  return new Map(Array.from({ length: KEYS }, (_, k) => [`k${k}`, ROUNDS + (k < more ? 1 : 0)]));
}

function databaseIn(directory: string): string {
  const state = join(directory, 'state');
  const task = readdirSync(state, { recursive: true, encoding: 'utf8' }).find((each) =>
    each.endsWith('rocksdb'),
  );
  return join(state, task!);
}

const REBUILT = 'the local state cannot be used: it is deleted and rebuilt from its changelogs';

function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
}

async function untilRunning(engine: Engine): Promise<void> {
  const [query] = engine.queries.values();
  while (query!.state !== 'RUNNING') await new Promise((resolve) => setImmediate(resolve));
}

/** The newest file of each kind. */
function fileOf(kind: string): string {
  const names = readdirSync(databaseIn(written)).toSorted();
  const name = names.findLast(
    (each) => each === kind || each.startsWith(`${kind}-`) || each.endsWith(`.${kind}`),
  );
  return must(name, `there is no ${kind}`);
}

test.each([
  { kind: 'CURRENT', rebuilt: true },
  { kind: 'MANIFEST', rebuilt: true },
  { kind: 'sst', rebuilt: true },
  { kind: 'log', rebuilt: false },
  { kind: 'IDENTITY', rebuilt: false },
])('$kind flipped, removed or cut: the counts are right', async ({ kind, rebuilt }) => {
  for (const harm of [flip, rmSync, (file: string) => truncateSync(file, 7)]) {
    cpSync(written, running, { recursive: true });
    harm(join(databaseIn(running), fileOf(kind)));
    const engine = await open(running, 1 << 30);
    await insert(engine, 10);
    expect(await countsOnceRebuilt(engine), `${kind} ${harm.name}`).toEqual(expected(10));
    await engine.close();
    expect(warnings.includes(REBUILT), `${kind} ${harm.name}: ${warnings.join()}`).toBe(rebuilt);
    rmSync(running, { recursive: true });
  }
});

test('damage that is found when a row is read starts the query again, rebuilt', async () => {
  cpSync(written, running, { recursive: true });
  flip(join(databaseIn(running), fileOf('sst')));
  const engine = await open(running, 0);
  await expect(counts(engine)).rejects.toThrow('is damaged: block checksum mismatch');
  const [query] = engine.queries.values();
  while (query!.errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await untilRunning(engine);
  await insert(engine, 10);
  expect(await counts(engine)).toEqual(expected(10));
  expect(warnings).toContain(REBUILT);
  await engine.close();
});

test('state that is removed under a running query is built again', async () => {
  cpSync(written, running, { recursive: true });
  const engine = await open(running, 1 << 30);
  rmSync(join(running, 'state'), { recursive: true });
  const [query] = engine.queries.values();
  // State goes to disk with a commit, every two seconds at most.
  let more = 0;
  for (; query!.errors.length === 0; more++) await insert(engine, 1);
  expect(query!.errors[0]!.message).toContain('was removed or replaced while it was open');
  await untilRunning(engine);
  await insert(engine, 20);
  const right = expected(20).set('k0', ROUNDS + more + 1);
  expect(await counts(engine)).toEqual(right);
  await engine.close();
  const again = await open(running, 1 << 30);
  expect(await counts(again)).toEqual(right);
  expect(warnings).toEqual([]);
  await again.close();
});
