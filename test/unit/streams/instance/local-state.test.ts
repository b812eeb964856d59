import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ByteWriter } from '../../../../src/common/bytes.ts';
import { systemClock } from '../../../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { addCount } from '../../../harness/add-count.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, drain, openStreams } from '../../../harness/open-streams.ts';

/** What a task does with state on disk that is not, or not quite, its own. */

let log: Log;
let directory: string;
let told: string[];
const logger: Logger = {
  ...silentLogger,
  warn: (fields, message) => told.push(`${message}: ${(fields as { reason?: string }).reason ?? ''}`),
};

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  directory = mkdtempSync(join(tmpdir(), 'millrace-local-state-'));
  told = [];
  await log.admin.createTopic({ name: 'in', partitions: 2 });
  await log.admin.createTopic({ name: 'out', partitions: 2 });
});
afterEach(async () => {
  await closeStreams();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Kept {
  readonly changelog?: boolean;
  readonly persistent?: boolean;
}

/** Counts the records of each key. */
function counting({ changelog = true, persistent = true }: Kept = {}): Topology {
  return addCount(
    new Topology().addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde }),
    { changelog, persistent },
  ).addSink({
    name: 'write',
    topic: 'out',
    parents: ['count'],
    key: stringSerde,
    value: {
      ...stringSerde,
      serialize: (value: unknown, writer: ByteWriter) => writer.writeText(String(value)),
    },
  });
}

/** Counts `keys`, each a record; returns the last count of each key so far. */
async function count(
  keys: readonly string[],
  kept: Kept = {},
  applicationId = 'app',
): Promise<Record<string, string>> {
  const streams = await openStreams(counting(kept), {
    log,
    stateDirectory: directory,
    logger,
    applicationId,
  });
  await produce(
    log,
    'in',
    keys.map((key) => ({ key, value: 'x' })),
  );
  await drain(streams);
  await streams.close();
  return Object.fromEntries((await readAll(log, 'out')).map(({ key, value }) => [key, value]));
}

const task = (partition: number): string => join(directory, 'app', `0_${partition}`);

test('damaged state is rebuilt from its changelog, and the log says which and why', async () => {
  expect(await count(['a', 'a', 'b'])).toEqual({ a: '2', b: '1' });
  const which = existsSync(join(task(0), 'rocksdb')) ? 0 : 1;
  writeFileSync(join(task(which), 'rocksdb', 'CURRENT'), 'nothing\n');
  expect(await count(['a', 'b'])).toEqual({ a: '3', b: '2' });
  expect(told).toEqual([
    expect.stringMatching(
      /^the local state cannot be used: it is deleted and rebuilt from its changelogs: the state database at .*rocksdb is damaged: /,
    ),
  ]);
  expect(await count(['a'])).toEqual({ a: '4', b: '2' });
  expect(told).toHaveLength(1);
});

test('damaged state that has no changelog is an error and stays where it is', async () => {
  expect(await count(['a', 'a'], { changelog: false })).toEqual({ a: '2' });
  const which = [0, 1].find((partition) => existsSync(join(task(partition), 'rocksdb', 'CURRENT')))!;
  const file = join(task(which), 'rocksdb', 'CURRENT');
  const copy = join(directory, 'copy');
  cpSync(file, copy);
  writeFileSync(file, 'nothing\n');
  for (let start = 0; start < 2; start++)
    await expect(count([], { changelog: false })).rejects.toMatchObject({
      name: 'StateError',
      message: expect.stringMatching(
        new RegExp(
          `the state of task 0_${which} in ${task(which)} cannot be used .*no changelog to rebuild counts from`,
        ),
      ),
    });
  // Restored from a backup, as the hint says.
  cpSync(copy, file);
  rmSync(join(task(which), 'damaged'));
  expect(await count(['a'], { changelog: false })).toEqual({ a: '3' });
});

test('state without a changelog that is gone begins empty, and the log says so', async () => {
  await count(['a', 'a'], { changelog: false });
  rmSync(join(directory, 'app'), { recursive: true });
  expect(await count(['a'], { changelog: false })).toEqual({ a: '1' });
  expect(told).toEqual(['stores without a changelog have no state here and begin empty: ']);
});

test('the state of another task or application is not taken for one’s own', async () => {
  expect(await count(['a', 'a', 'b', 'c', 'd'])).toEqual({ a: '2', b: '1', c: '1', d: '1' });
  rmSync(task(0), { recursive: true });
  cpSync(task(1), task(0), { recursive: true });
  expect(await count(['a', 'b', 'c', 'd'])).toEqual({ a: '3', b: '2', c: '2', d: '2' });
  expect(told).toEqual([expect.stringContaining('it is of app/0_1')]);
  cpSync(join(directory, 'app'), join(directory, 'other'), { recursive: true });
  expect(await count(['a'], {}, 'other')).toMatchObject({ a: '4' });
  expect(told.slice(1)).toEqual([
    expect.stringContaining('it is of app/0_0'),
    expect.stringContaining('it is of app/0_1'),
  ]);
});

test('state that is ahead of a changelog that lost its end is kept, and the log says so', async () => {
  expect(await count(['a', 'a', 'a', 'b', 'b'])).toEqual({ a: '3', b: '2' });
  await log.admin.deleteTopic('app-counts-changelog');
  expect(await count(['a'])).toEqual({ a: '4', b: '2' });
  expect(told.length).toBeGreaterThan(0);
  for (const line of told) expect(line).toMatch(/^a changelog has lost its end/);
});

test('what is kept in memory only comes back from its changelog beside a state directory', async () => {
  expect(await count(['a', 'a', 'b'], { persistent: false })).toEqual({ a: '2', b: '1' });
  expect(await count(['a', 'b'], { persistent: false })).toEqual({ a: '3', b: '2' });
  expect(told).toEqual([]);
});

test('tasks without records keep nothing, and say nothing when they start again', async () => {
  for (let start = 0; start < 3; start++) await count([]);
  expect(told).toEqual([]);
  expect([existsSync(task(0)), existsSync(task(1))]).toEqual([false, false]);
  await count(['a']);
  expect(await count(['a'])).toEqual({ a: '2' });
  expect(told).toEqual([]);
});
