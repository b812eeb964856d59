import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { takeLockFile } from '../../../../src/common/lock-file.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { aggregateStream } from '../../../../src/streams/processors/aggregate-stream.ts';
import { cleanTasks, lockState } from '../../../../src/streams/instance/state-directory.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce } from '../../../harness/log-records.ts';
import { drain, openStreams } from '../../../harness/open-streams.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-state-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** State of a task, last changed at `seconds`. */
function leave(task: string, seconds: number): void {
  const folder = join(directory, 'app', task);
  mkdirSync(join(folder, 'rocksdb'), { recursive: true });
  writeFileSync(join(folder, 'rocksdb', 'file'), 'x');
  for (const each of [join(folder, 'rocksdb'), folder]) utimesSync(each, seconds, seconds);
}

const clean = (clock: ManualClock, keep: string[] = [], idleMs = 600_000): Promise<string[]> =>
  cleanTasks(directory, 'app', { clock, logger: silentLogger, keep: new Set(keep), idleMs });

test('state of tasks that are gone is deleted once it has been left alone for a while', async () => {
  leave('0_0', 100);
  leave('1_0', 100);
  leave('1_1', 650);
  mkdirSync(join(directory, 'app', 'notes'));
  const clock = new ManualClock(699_999);
  expect(await clean(clock, ['0_0'])).toEqual([]);
  clock.advance(1);
  expect(await clean(clock, ['0_0'])).toEqual(['1_0']);
  expect(readdirSync(join(directory, 'app'))).toEqual(['0_0', '1_1', 'notes']);
  clock.advance(550_000);
  expect(await clean(clock, ['0_0'])).toEqual(['1_1']);
  expect(await clean(clock, ['0_0'])).toEqual([]);
});

test('a directory that is not there has nothing to clean', async () => {
  rmSync(directory, { recursive: true });
  expect(await clean(new ManualClock(1e12))).toEqual([]);
});

test('state that is open in this process stays', async () => {
  leave('0_0', 100);
  const later = new ManualClock(systemClock.now() + 1e9);
  const lock = await lockState(directory, 'app');
  expect(lock.tasks).toBe(1);
  expect(await clean(later, [], 0)).toEqual([]);
  await expect(lockState(directory, 'app')).rejects.toMatchObject({ name: 'StateError' });
  lock.release();
  expect(await clean(later, [], 0)).toEqual(['0_0']);
});

test('state that another opener has stays, whatever its lock file says that of nobody goes', async () => {
  leave('0_0', 100);
  const lock = join(directory, 'app', '0_0', 'lock');
  const taken = await takeLockFile(lock);
  if ('owner' in taken) throw new Error(taken.owner);
  const later = new ManualClock(systemClock.now() + 1e9);
  expect(await clean(later)).toEqual([]);
  taken.release();
  writeFileSync(lock, `${process.ppid}\n`);
  expect(await clean(later)).toEqual(['0_0']);
});

test('a running application holds its state before it has written any, and gives it back', async () => {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await log.admin.createTopic({ name: 'in', partitions: 1 });
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'count',
      parents: ['read'],
      open: aggregateStream({
        store: 'counts',
        initial: () => 0,
        add: (n) => n,
        sendOldValues: false,
        coalesce: false,
      }),
    })
    .addStore({
      options: {
        kind: 'key-value',
        name: 'counts',
        values: { encode: (n, writer) => writer.writeByte(n as number), decode: () => 0 },
        changelog: true,
        persistent: true,
      },
      processors: ['count'],
    });
  const clock = new ManualClock(systemClock.now());
  const open = (): Promise<SteppedStreams> =>
    openStreams(topology, { log, stateDirectory: directory, clock });
  const first = await open();
  expect(existsSync(join(directory, 'app', 'lock'))).toBe(true);
  await expect(lockState(directory, 'app')).rejects.toMatchObject({ name: 'StateError' });
  await expect(open()).rejects.toMatchObject({ name: 'StateError' });
  await first.close();
  const second = await open();
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  await drain(second);
  // A sub-topology of an earlier release left this.
  leave('7_0', 100);
  clock.advance(599_999);
  await second.step();
  expect(existsSync(join(directory, 'app', '7_0'))).toBe(true);
  clock.advance(1);
  await second.step();
  await second.close();
  expect(readdirSync(join(directory, 'app'))).toEqual(['0_0', 'lock']);
  await second.cleanUp();
  expect(existsSync(join(directory, 'app'))).toBe(false);
  expect(await log.admin.listTopics()).toEqual(['in']);
  expect(await log.admin.committed('app')).toEqual([]);
  await log.close();
});
