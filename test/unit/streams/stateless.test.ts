import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { filterStream } from '../../../src/streams/processors/filter.ts';
import { mapStream } from '../../../src/streams/processors/map-values.ts';
import { selectKey } from '../../../src/streams/processors/select-key.ts';
import { continueOnDataError } from '../../../src/streams/task/error-handlers.ts';
import type { SteppedStreams } from '../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../../src/streams/instance/streams-options.ts';
import type { SkippedRecord } from '../../../src/streams/task/skipped-record.ts';
import { stringSerde } from '../../../src/streams/topology/serde.ts';
import { Topology } from '../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../harness/log-records.ts';
import { memoryState } from '../../harness/memory-state.ts';
import { createStreams, drain } from '../../harness/open-streams.ts';

let log: Log;
let skipped: SkippedRecord[];

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  skipped = [];
});

afterEach(() => log.close());

const create = (topology: Topology, overrides: Partial<StreamsOptions> = {}): SteppedStreams =>
  createStreams(topology, {
    log,
    state: memoryState(),
    onSkip: (record) => skipped.push(record),
    ...overrides,
  });

function filterAndMap(): Topology {
  return new Topology()
    .addSource({ name: 'in', topics: ['lines'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'long',
      open: filterStream((value) => (value as string).length > 5),
      parents: ['in'],
    })
    .addProcessor({
      name: 'upper',
      open: mapStream((value) => (value as string).toUpperCase()),
      parents: ['long'],
    })
    .addSink({ name: 'out', topic: 'long-lines', parents: ['upper'], key: null, value: stringSerde });
}

test('records are filtered and mapped in order, keys and timestamps pass through', async () => {
  await log.admin.createTopic({ name: 'lines', partitions: 1 });
  await log.admin.createTopic({ name: 'long-lines', partitions: 1 });
  await produce(log, 'lines', [
    { key: 'a', value: 'short', timestamp: 10 },
    { key: null, value: 'longer', timestamp: 5 },
    { key: 'b', value: 'even longer', timestamp: 20 },
  ]);
  const streams = create(filterAndMap());
  await streams.open();
  await drain(streams);
  expect(await readAll(log, 'long-lines')).toEqual([
    { partition: 0, key: null, value: 'LONGER', timestamp: 5 },
    { partition: 0, key: 'b', value: 'EVEN LONGER', timestamp: 20 },
  ]);
  await streams.close();
});

test('a restarted application goes on where it committed', async () => {
  await log.admin.createTopic({ name: 'lines', partitions: 2 });
  await log.admin.createTopic({ name: 'long-lines', partitions: 2 });
  await produce(log, 'lines', [{ key: 'a', value: 'before the restart' }]);
  const first = create(filterAndMap());
  await first.start();
  await first.catchUp();
  await first.close();
  await produce(log, 'lines', [{ key: 'a', value: 'after the restart' }]);
  const second = create(filterAndMap());
  await second.open();
  await drain(second);
  expect((await readAll(log, 'long-lines')).map((record) => record.value)).toEqual([
    'BEFORE THE RESTART',
    'AFTER THE RESTART',
  ]);
  await second.close();
});

test('a repartition topic brings equal keys to one partition, through a second sub-topology', async () => {
  await log.admin.createTopic({ name: 'lines', partitions: 3 });
  await log.admin.createTopic({ name: 'words', partitions: 3 });
  const topology = new Topology()
    .addRepartitionTopic({ name: 'by-length-repartition', partitions: null })
    .addSource({ name: 'in', topics: ['lines'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'rekey',
      open: selectKey((value) => String((value as string).length), stringSerde),
      parents: ['in'],
    })
    .addSink({
      name: 'write',
      topic: 'by-length-repartition',
      parents: ['rekey'],
      key: stringSerde,
      value: stringSerde,
    })
    .addSource({ name: 'read', topics: ['by-length-repartition'], key: stringSerde, value: stringSerde })
    .addSink({ name: 'out', topic: 'words', parents: ['read'], key: null, value: stringSerde });
  expect(topology.subTopologies().map((sub) => sub.nodes.map((node) => node.name))).toEqual([
    ['in', 'rekey', 'write'],
    ['read', 'out'],
  ]);
  await produce(
    log,
    'lines',
    ['one', 'two', 'three', 'four', 'six', 'seven'].map((value) => ({ key: value, value })),
  );
  const streams = create(topology);
  await streams.open();
  await drain(streams);
  expect((await log.admin.describeTopic('app-by-length-repartition'))?.partitions).toBe(3);
  const rows = await readAll(log, 'words');
  expect(rows.map((row) => `${row.key} ${row.value}`).sort()).toEqual(
    ['3 one', '3 six', '3 two', '4 four', '5 seven', '5 three'].sort(),
  );
  for (const length of ['3', '5'])
    expect(new Set(rows.filter((row) => row.key === length).map((row) => row.partition)).size).toBe(1);
  await streams.close();
});

test('a record that an operator refuses is dropped where the application goes on, with its place', async () => {
  await log.admin.createTopic({ name: 'lines', partitions: 1 });
  await log.admin.createTopic({ name: 'long-lines', partitions: 1 });
  await produce(log, 'lines', [
    { key: 'a', value: 'good line' },
    { key: 'b', value: 'bad line' },
    { key: 'c', value: 'last line' },
  ]);
  const { DataError } = await import('../../../src/common/error.ts');
  const topology = new Topology()
    .addSource({ name: 'in', topics: ['lines'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'check',
      open: mapStream((value) => {
        if (value === 'bad line') throw new DataError('that is a bad line');
        return value;
      }),
      parents: ['in'],
    })
    .addSink({ name: 'out', topic: 'long-lines', parents: ['check'], key: null, value: stringSerde });
  const streams = create(topology, { handlers: { processing: continueOnDataError } });
  await streams.open();
  await drain(streams);
  expect((await readAll(log, 'long-lines')).map((record) => record.value)).toEqual([
    'good line',
    'last line',
  ]);
  expect(skipped).toMatchObject([
    {
      reason: 'evaluation',
      unreadable: null,
      detail: 'that is a bad line',
      topic: 'lines',
      partition: 0,
      offset: 1,
    },
  ]);
  expect(skipped[0]!.value!.toString()).toBe('bad line');
  await streams.close();
});

test('an error that is not the data’s stops the application and is kept', async () => {
  await log.admin.createTopic({ name: 'lines', partitions: 1 });
  await log.admin.createTopic({ name: 'long-lines', partitions: 1 });
  await produce(log, 'lines', [{ key: 'a', value: 'boom' }]);
  const topology = new Topology()
    .addSource({ name: 'in', topics: ['lines'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'fail',
      open: mapStream(() => {
        throw new TypeError('a bug');
      }),
      parents: ['in'],
    })
    .addSink({ name: 'out', topic: 'long-lines', parents: ['fail'], key: null, value: stringSerde });
  const failed = new Promise((resolve) => {
    const streams = create(topology, { onError: (error) => resolve([streams, error]) });
    void streams.start();
  });
  const [streams, error] = (await failed) as [SteppedStreams, unknown];
  expect(error).toMatchObject({
    message: 'fail of task 0_0 failed on the record at lines-0, offset 0: a bug',
    cause: new TypeError('a bug'),
  });
  expect(streams.state).toBe('error');
  await streams.close();
});

test('a missing source topic is a clear error at the start', async () => {
  const streams = create(filterAndMap());
  await expect(streams.start()).rejects.toMatchObject({
    kind: 'unknown-topic',
    message: 'topic lines does not exist',
  });
});
