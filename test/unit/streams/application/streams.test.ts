import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { type Log, LogError } from '../../../../src/log/log.ts';
import { mapStream } from '../../../../src/streams/processors/map-values.ts';
import type { Processor, ProcessorContext } from '../../../../src/streams/topology/processor.ts';
import { skipOnInvalidTimestamp } from '../../../../src/streams/task/timestamp-extractors.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { addCount } from '../../../harness/add-count.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, drain, openStreams } from '../../../harness/open-streams.ts';

let log: Log;
let clock: ManualClock;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  clock = new ManualClock(1_000_000);
  for (const name of ['in', 'other', 'out']) await log.admin.createTopic({ name, partitions: 1 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
});

const open = (topology: Topology, overrides: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(topology, { log, clock, ...overrides });

const copying = (...topics: string[]): Topology =>
  new Topology()
    .addSource({ name: 'read', topics, key: stringSerde, value: stringSerde })
    .addProcessor({ name: 'map', parents: ['read'], open: mapStream((value) => value) })
    .addSink({ name: 'write', topic: 'out', parents: ['map'], key: null, value: stringSerde });

const committed = async (): Promise<number | undefined> =>
  (await log.admin.committed('app')).find(({ topic }) => topic === 'in')?.offset;

test('input that gave no output is committed when the interval has passed, and not before', async () => {
  const silent = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({ name: 'drop', parents: ['read'], open: () => ({ process: () => undefined }) });
  const streams = await open(silent, { commitIntervalMs: 250 });
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  while (streams.processedRecords < 1) await streams.step();
  clock.advance(249);
  await streams.step();
  expect(await committed()).toBe(0);
  clock.advance(1);
  await streams.step();
  expect(await committed()).toBe(1);
  // Nothing new, nothing committed: the offset could be moved by hand and would stay.
  await log.admin.alterCommitted('app', [{ topic: 'in', partition: 0, offset: 0 }]);
  clock.advance(1000);
  await streams.step();
  expect(await committed()).toBe(0);
});

test('output leaves in one step with the offset of its input, as soon as there is nothing else to do', async () => {
  const streams = await open(copying('in'), { commitIntervalMs: 10_000 });
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  while ((await readAll(log, 'out')).length === 0) {
    expect(await committed()).toBe(0);
    await streams.step();
  }
  expect(await committed()).toBe(1);
});

test('after a commit that failed nothing is written any more, and nothing comes twice', async () => {
  let failing = false;
  const failingOnce: Log = {
    admin: log.admin,
    openReader: (options) => log.openReader(options),
    close: () => log.close(),
    async openWriter(options) {
      const writer = await log.openWriter(options);
      return {
        appender: (at) => writer.appender(at),
        get pendingBytes() {
          return writer.pendingBytes;
        },
        get unsentBytes() {
          return writer.unsentBytes;
        },
        atomicCommit: writer.atomicCommit,
        flushStaysHidden: writer.flushStaysHidden,
        lingerMs: writer.lingerMs,
        readable: () => writer.readable(),
        flush: () => writer.flush(),
        async commit(offsets) {
          if (failing) throw new LogError('unavailable', 'the disk is away');
          await writer.commit(offsets);
        },
        endOffset: (at) => writer.endOffset(at),
        isPending: (at) => writer.isPending(at),
        close: () => writer.close(),
      };
    },
  };
  const streams = await open(copying('in'), { log: failingOnce, commitIntervalMs: 10_000 });
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  await streams.fetch();
  await streams.processOne(streams.tasks[0]!, streams.tasks[0]!.inputs[0]!);
  failing = true;
  await expect(streams.commit()).rejects.toThrow('the disk is away');
  failing = false;
  // The output is still pending, but its input's offset is not: it must not go out alone.
  await expect(streams.step()).rejects.toThrow('the disk is away');
  await streams.close();
  expect(await readAll(log, 'out')).toEqual([]);
  const again = await open(copying('in'));
  await drain(again);
  expect(await readAll(log, 'out')).toHaveLength(1);
});

test('an operator that asks for a commit gets it at once', async () => {
  const asking = (): Processor => {
    let context: ProcessorContext;
    return {
      init: (each) => void (context = each),
      process: (_key, value) => void (value === 'now' && context.requestCommit()),
    };
  };
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({ name: 'ask', parents: ['read'], open: asking });
  const streams = await open(topology, { commitIntervalMs: 10_000 });
  await produce(log, 'in', [{ key: 'a', value: 'later' }]);
  while (streams.processedRecords < 1) await streams.step();
  expect(await committed()).toBe(0);
  await produce(log, 'in', [{ key: 'a', value: 'now' }]);
  while (streams.processedRecords < 2) await streams.step();
  expect(await committed()).toBe(2);
});

test('an input that is not processed stops being read at its share of the bytes, and goes on when there is room', async () => {
  const value = 'x'.repeat(100);
  for (let i = 0; i < 60; i++)
    await produce(
      log,
      'in',
      Array.from({ length: 20 }, () => ({ key: 'k', value, timestamp: 5 })),
    );
  // The other input is waited for, so nothing of this one is processed.
  const streams = await open(copying('in', 'other'), { bufferBytesMax: 20_000, maxIdleMs: 1000 });
  const input = streams.tasks[0]!.inputs.find(({ topic }) => topic === 'in')!;
  for (let turn = 0; turn < 100; turn++) await streams.step();
  expect(streams.processedRecords).toBe(0);
  expect(input.paused).toBe(true);
  expect(input.bufferedBytes).toBeGreaterThan(10_000);
  // A share each of two, what one poll gives on top of it at most.
  expect(input.bufferedBytes).toBeLessThan(10_000 + 20_000 + 3000);
  clock.advance(1000);
  let resumed = false;
  for (let turn = 0; turn < 500 && streams.processedRecords < 1200; turn++) {
    await streams.step();
    resumed ||= !input.paused;
    if (input.isEmpty) clock.advance(1000);
  }
  expect(resumed).toBe(true);
  expect(streams.processedRecords).toBe(1200);
});

test('instances that share the tasks of one application process everything once, and each knows what is elsewhere', async () => {
  await log.admin.createTopic({ name: 'words', partitions: 4 });
  const counting = (): Topology =>
    addCount(
      new Topology()
        .addSource({ name: 'read', topics: ['words'], key: stringSerde, value: stringSerde })
        .addProcessor({ name: 'rekey', parents: ['read'], open: mapStream((value) => value) })
        .addRepartitionTopic({ name: 'again-repartition', partitions: 3 })
        .addSink({
          name: 'send',
          topic: 'again-repartition',
          parents: ['rekey'],
          key: null,
          value: stringSerde,
        })
        .addSource({ name: 'receive', topics: ['again-repartition'], key: stringSerde, value: stringSerde }),
      { parent: 'receive', keys: stringSerde },
    );
  const share = (index: number, count: number): Promise<SteppedStreams> =>
    open(counting(), { ownsTask: (sub, partition) => (sub * 4 + partition) % count === index });
  const keys = Array.from({ length: 50 }, (_, i) => `key${i}`);
  const words = keys.map((key) => ({ key, value: 'x' }));
  await produce(log, 'words', words);
  const drainAll = async (instances: readonly SteppedStreams[]): Promise<void> => {
    for (let quiet = 0; quiet < 3;)
      for (const each of instances) {
        const busy = await each.step();
        await each.commit();
        quiet = busy ? 0 : quiet + 1;
      }
  };
  const both = [await share(0, 2), await share(1, 2)];
  expect(both.flatMap((each) => each.tasks.map((task) => task.id)).toSorted()).toEqual([
    '0_0',
    '0_1',
    '0_2',
    '0_3',
    '1_0',
    '1_1',
    '1_2',
  ]);
  await drainAll(both);
  expect(both.reduce((sum, each) => sum + each.processedRecords, 0)).toBe(100);
  for (const key of keys) {
    const places = both.map((each) => new StoreQueries(each).keyMetadata('counts', key));
    expect(places.filter(({ local }) => local)).toHaveLength(1);
    const owner = both[places.findIndex(({ local }) => local)]!;
    expect(await new StoreQueries(owner).keyValueStore<string, number>('counts').get(key)).toBe(1);
  }
  for (const each of both) await each.close();

  // Another spread: state moves with the tasks, by way of the changelogs.
  const three = [await share(0, 3), await share(1, 3), await share(2, 3)];
  await produce(log, 'words', words);
  await drainAll(three);
  const counts = (
    await Promise.all(
      three.map((each) => new StoreQueries(each).keyValueStore<string, number>('counts').all()),
    )
  ).flat();
  expect(counts.map(({ value }) => value)).toEqual(keys.map(() => 2));
});

test('sources without an extractor use the application’s', async () => {
  const writer = await log.openWriter();
  const bytes = Buffer.from('x');
  for (const timestamp of [1, -1, 2])
    writer.appender({ topic: 'in', partition: 0 }).append(timestamp, bytes, 0, 1, bytes, 0, 1, null);
  await writer.flush();
  await writer.close();
  const strict = await open(copying('in'));
  await expect(
    (async () => {
      for (;;) await strict.step();
    })(),
  ).rejects.toThrow('offset 1: its timestamp is -1');
  const lenient = await open(copying('in'), {
    applicationId: 'lenient',
    timestampExtractor: skipOnInvalidTimestamp,
  });
  await drain(lenient);
  expect(lenient.skippedRecords).toBe(1);
});

test.each([
  ['opens', false, false],
  ['opens, and would be started again', false, true],
  ['cannot be opened', true, false],
  ['cannot be opened, and would be started again', true, true],
])('an application that is closed while it is started stays closed: it %s', async (_, fails, retries) => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let writers = 0;
  const slow: Log = {
    admin: log.admin,
    openReader: (options) => log.openReader(options),
    close: () => log.close(),
    async openWriter(options) {
      await released;
      if (fails) throw new LogError('unavailable', 'the disk is away');
      const writer = await log.openWriter(options);
      writers++;
      const close = writer.close.bind(writer);
      writer.close = () => {
        writers--;
        return close();
      };
      return writer;
    },
  };
  const states: string[] = [];
  const streams = createStreams(copying('in'), { log: slow, onStateChange: (state) => states.push(state) });
  const started = streams.start(retries).then(
    () => 'started',
    (error: Error) => error.message,
  );
  const closed = streams.close();
  release();
  await closed;
  expect(await started).toBe(fails && !retries ? 'the disk is away' : 'started');
  expect({ states, writers }).toEqual({ states: ['restoring', 'stopping', 'stopped'], writers: 0 });
});
