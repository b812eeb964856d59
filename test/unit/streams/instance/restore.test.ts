import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../../../src/common/logger.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { addCount } from '../../../harness/add-count.ts';
import { type HeldLog, openHeldLog } from '../../../harness/held-log.ts';
import { produce } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, drain, openStreams } from '../../../harness/open-streams.ts';
import { until } from '../../../harness/until.ts';

let held: HeldLog;
const KEYS = 3000;

const counting = (): Topology =>
  addCount(new Topology().addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde }), {
    keys: stringSerde,
  });

/** An application that has counted `KEYS` keys over two partitions, and whose state is in the changelog only. */
beforeEach(async () => {
  held = await openHeldLog();
  const { log } = held;
  await log.admin.createTopic({ name: 'in', partitions: 2 });
  await produce(
    log,
    'in',
    Array.from({ length: KEYS }, (_, i) => ({ key: `k${i}`, value: 'v' })),
  );
  const streams = await openStreams(counting(), { log });
  await drain(streams);
  await streams.close();
});

afterEach(async () => {
  held.held = false;
  await closeStreams();
  await held.close();
});

test('the state of all tasks is restored side by side', async () => {
  const heard: string[] = [];
  const streams = await openStreams(counting(), {
    log: held.log,
    onRestore: {
      started: ({ partition }) => heard.push(`started ${partition}`),
      ended: ({ partition }) => heard.push(`ended ${partition}`),
    },
  });
  expect(heard.slice(0, 2)).toEqual(['started 0', 'started 1']);
  expect(heard.slice(2).toSorted()).toEqual(['ended 0', 'ended 1']);
  expect(
    new StoreQueries(streams).store('counts', { kind: 'key-value', stale: true }).approximateCount(),
  ).toBe(KEYS);
});

test('restoring gives sockets and timers their turn', async () => {
  let turns = 0;
  let ready = false;
  const turn = (): void => {
    if (ready) return;
    turns++;
    setImmediate(turn);
  };
  // Each look at the clock finds the turn too long.
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => (nowMs += 100) };
  const streams = createStreams(counting(), {
    log: held.log,
    clock,
    onRestore: { started: () => setImmediate(turn), ended: () => (ready = true) },
  });
  await streams.open();
  expect(turns).toBeGreaterThan(8);
});

test('the log says when it begins, every few seconds and when it is done, with what is left of each partition', async () => {
  const lines: [string, Record<string, unknown>][] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (fields, message) => lines.push([message, fields as Record<string, unknown>]),
  };
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => (nowMs += 1000) };
  const streams = createStreams(counting(), { log: held.log, logger, clock });
  await streams.open();
  const said = lines.filter(([message]) => message.includes('restored') && message !== 'state restored');
  expect(said[0]).toEqual([
    'state is being restored',
    expect.objectContaining({
      applicationId: 'app',
      partitions: 2,
      offsets: KEYS,
      records: 0,
      lacking: {
        'app-counts-changelog-0': expect.any(Number) as number,
        'app-counts-changelog-1': expect.any(Number) as number,
      },
    }),
  ]);
  expect(said.length).toBeGreaterThan(2);
  const [message, fields] = said.at(-1)!;
  expect(message).toBe('all state is restored');
  expect(fields).toMatchObject({ partitionsDone: 2, offsetsDone: KEYS, records: KEYS, lacking: {} });
  expect(fields['bytesPerSecond']).toBeGreaterThan(0);
  expect(streams.restoration).toBeNull();
});

test('an application is released while it restores, and goes on from the beginning of that', async () => {
  held.held = true;
  const streams = createStreams(counting(), { log: held.log });
  const started = streams.start(true);
  await until(() => streams.restoration !== null && held.restoring === 1);
  expect(streams.restoration).toMatchObject({ offsets: KEYS, offsetsDone: 0, partitions: 2 });
  await streams.release();
  expect([streams.state, streams.tasks.length, held.restoring]).toEqual(['waiting', 0, 0]);
  await started;
  expect(streams.state).toBe('waiting');
  held.held = false;
  streams.acquire();
  await until(() => streams.state === 'running');
  expect(new StoreQueries(streams).store('counts', { kind: 'key-value' }).approximateCount()).toBe(KEYS);
});

test('one that is closed while it restores ends at once', async () => {
  held.held = true;
  const streams = createStreams(counting(), { log: held.log });
  const started = streams.start();
  await until(() => held.restoring === 1);
  await streams.close();
  await started;
  expect([streams.state, held.restoring, streams.error]).toEqual(['stopped', 0, null]);
});
