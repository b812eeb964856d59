import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { aggregateStream } from '../../../../src/streams/processors/aggregate-stream.ts';
import { cleanStateDirectory, lockState } from '../../../../src/streams/runtime/state-directory.ts';
import { Streams } from '../../../../src/streams/runtime/streams.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce } from '../../../harness/log-records.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-state-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** State of an application with two tasks, last changed at `seconds`. */
function leave(applicationId: string, seconds: number): void {
  for (const task of ['0_0', '0_1']) {
    mkdirSync(join(directory, applicationId, task, 'rocksdb'), { recursive: true });
    writeFileSync(join(directory, applicationId, task, 'rocksdb', 'file'), 'x');
    utimesSync(join(directory, applicationId, task), seconds, seconds);
  }
  utimesSync(join(directory, applicationId), seconds, seconds);
}

const clean = (clock: ManualClock, keep: string[] = [], idleMs?: number): Promise<string[]> =>
  cleanStateDirectory(directory, {
    clock,
    logger: silentLogger,
    keep: new Set(keep),
    ...(idleMs !== undefined && { idleMs }),
  });

test('state of applications that are gone is deleted once it has been left alone for a while', async () => {
  leave('gone', 100);
  leave('kept', 100);
  leave('recent', 650);
  const clock = new ManualClock(699_999);
  expect(await clean(clock, ['kept'])).toEqual([]);
  clock.advance(1);
  expect(await clean(clock, ['kept'])).toEqual(['gone']);
  expect(readdirSync(directory)).toEqual(['kept', 'recent']);
  clock.advance(550_000);
  expect(await clean(clock, ['kept'])).toEqual(['recent']);
  expect(await clean(clock, ['kept'])).toEqual([]);
});

test('a directory that is not there has nothing to clean', async () => {
  rmSync(directory, { recursive: true });
  expect(await clean(new ManualClock(1e12))).toEqual([]);
});

test('state that is open in this process stays', async () => {
  leave('open', 100);
  const lock = await lockState(directory, 'open');
  expect(lock.tasks).toBe(2);
  expect(await clean(new ManualClock(systemClock.now() + 1e9), [], 0)).toEqual([]);
  await expect(lockState(directory, 'open')).rejects.toMatchObject({ name: 'StateError' });
  await lock.release();
  expect(await clean(new ManualClock(systemClock.now() + 1e9), [], 0)).toEqual(['open']);
});

test('state that another process has open stays, that of a dead one goes', async () => {
  leave('other', 100);
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(other, 'spawn');
  writeFileSync(join(directory, 'other', '0_1', 'lock'), `${other.pid}\n`);
  const later = new ManualClock(systemClock.now() + 1e9);
  expect(await clean(later)).toEqual([]);
  // What was locked on the way was given back.
  expect(existsSync(join(directory, 'other', '0_0', 'lock'))).toBe(false);
  other.kill();
  await once(other, 'exit');
  expect(await clean(later)).toEqual(['other']);
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
  const open = async (): Promise<Streams> => {
    const streams = new Streams(topology, {
      applicationId: 'app',
      log,
      state: openStateBackend(),
      stateDirectory: directory,
      clock: systemClock,
      logger: silentLogger,
    });
    await streams.open();
    return streams;
  };
  const first = await open();
  expect(existsSync(join(directory, 'app', 'lock'))).toBe(true);
  await expect(lockState(directory, 'app')).rejects.toMatchObject({ name: 'StateError' });
  await expect(open()).rejects.toMatchObject({ name: 'StateError' });
  await first.close();
  expect(existsSync(join(directory, 'app', 'lock'))).toBe(false);
  const second = await open();
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  while (!(await second.caughtUp())) {
    await second.step();
    await second.commit();
  }
  await second.close();
  expect(readdirSync(join(directory, 'app'))).toEqual(['0_0']);
  await second.cleanUp();
  expect(existsSync(join(directory, 'app'))).toBe(false);
  expect(await log.admin.listTopics()).toEqual(['in']);
  expect(await log.admin.committed('app')).toEqual([]);
  await log.close();
});
