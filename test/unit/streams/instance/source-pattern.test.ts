import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import type { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, drain, openStreams } from '../../../harness/open-streams.ts';

let log: Log;
let clock: ManualClock;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  clock = new ManualClock(1_000_000);
  await log.admin.createTopic({ name: 'out', partitions: 1 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
});

const build = (describe: (builder: StreamsBuilder) => void): Topology => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  describe(builder);
  return builder.build();
};

const copying = (pattern: RegExp): Topology => build((builder) => builder.stream(pattern).to('out'));

const open = (topology: Topology, overrides: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(topology, { log, clock, topicRefreshMs: 5000, ...overrides });

const values = async (): Promise<string[]> =>
  (await readAll(log, 'out')).map(({ value }) => value?.toString() ?? 'none').toSorted();

test('a source by pattern reads every topic whose whole name matches, in as many tasks as the greatest has partitions', async () => {
  await log.admin.createTopic({ name: 'clicks-de', partitions: 1 });
  await log.admin.createTopic({ name: 'clicks-fr', partitions: 2 });
  await log.admin.createTopic({ name: 'old-clicks-de', partitions: 5 });
  const topology = copying(/clicks-[a-z]+/g);
  expect(topology.describe()).toContain('(topics: clicks-[a-z]+)');
  const streams = await open(topology);
  expect(streams.tasks.map((task) => [task.id, task.inputs.map(({ topic }) => topic)])).toEqual([
    ['0_0', ['clicks-de', 'clicks-fr']],
    ['0_1', ['clicks-fr']],
  ]);
  await produce(log, 'clicks-de', [{ key: 'a', value: 'de' }]);
  await produce(log, 'clicks-fr', [{ key: 'a', value: 'fr' }]);
  await produce(log, 'old-clicks-de', [{ key: 'a', value: 'old' }]);
  await drain(streams);
  expect(await values()).toEqual(['de', 'fr']);
});

test('a topic that appears while the application runs is read from its beginning, by tasks that are there and by new ones', async () => {
  await log.admin.createTopic({ name: 'clicks-de', partitions: 1 });
  const streams = await open(copying(/clicks-.*/), { offsetReset: 'latest' });
  await streams.step();
  await log.admin.createTopic({ name: 'clicks-fr', partitions: 3 });
  const keys = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: `v${i}` }));
  await produce(log, 'clicks-fr', keys);
  clock.advance(4999);
  await streams.step();
  expect(streams.tasks).toHaveLength(1);
  clock.advance(1);
  await streams.step();
  expect(streams.tasks.map((task) => task.id)).toEqual(['0_0', '0_1', '0_2']);
  await drain(streams);
  expect(await values()).toEqual(keys.map(({ value }) => value).toSorted());
  // A restart finds the topic, and what was committed of it.
  await streams.close();
  const again = await open(copying(/clicks-.*/));
  await drain(again);
  expect(again.processedRecords).toBe(0);
});

test('state stays when a topic is added', async () => {
  await log.admin.createTopic({ name: 'clicks-de', partitions: 1 });
  const topology = build((builder) =>
    builder
      .stream(/clicks-.*/)
      .groupByKey()
      .count({ name: 'counts' }),
  );
  const streams = await open(topology, { changelogs: false });
  await produce(log, 'clicks-de', [{ key: 'a', value: 'x' }]);
  await drain(streams);
  await log.admin.createTopic({ name: 'clicks-fr', partitions: 1 });
  await produce(log, 'clicks-fr', [{ key: 'a', value: 'x' }]);
  clock.advance(5000);
  await streams.step();
  await drain(streams);
  expect(await new StoreQueries(streams).keyValueStore('counts', { keySerde: Serdes.string }).get('a')).toBe(
    2,
  );
  expect(new StoreQueries(streams).keyMetadata('counts', 'a', Serdes.string)).toMatchObject({
    partition: 0,
    local: true,
  });
});

test('a pattern that takes all leaves out topics that the application makes', async () => {
  await log.admin.createTopic({ name: 'clicks', partitions: 1 });
  const topology = build((builder) =>
    builder
      .stream<string, string>(/clicks|app.*/)
      .groupBy((_key, value) => value)
      .count({ name: 'counts' }),
  );
  await (await open(topology)).close();
  const streams = await open(topology);
  expect(streams.tasks.flatMap((task) => task.inputs.map(({ topic }) => topic)).toSorted()).toEqual([
    'app-counts-repartition',
    'clicks',
  ]);
});

test('a pattern without topics yet waits for them', async () => {
  const streams = await open(copying(/clicks-.*/));
  expect(streams.tasks).toEqual([]);
  await log.admin.createTopic({ name: 'clicks-de', partitions: 1 });
  await produce(log, 'clicks-de', [{ key: 'a', value: 'x' }]);
  clock.advance(5000);
  await streams.step();
  await drain(streams);
  expect(await values()).toEqual(['x']);
});

test('a topic that two sources would read is refused, at the start and later, with the names of both', async () => {
  await log.admin.createTopic({ name: 'clicks-de', partitions: 1 });
  const topology = build((builder) => {
    builder.stream(/clicks-.*/, { name: 'all' }).to('out');
    builder.stream(/.*-fr/, { name: 'french' }).to('out');
  });
  const streams = await open(topology);
  await log.admin.createTopic({ name: 'clicks-fr', partitions: 1 });
  clock.advance(5000);
  const message = 'topic clicks-fr would be read by source all and by source french';
  await expect(streams.step()).rejects.toThrow(message);
  await expect(open(topology, { applicationId: 'other' })).rejects.toThrow(message);
});

test('streams of the same pattern share a source', async () => {
  await log.admin.createTopic({ name: 'clicks-de', partitions: 1 });
  const topology = build((builder) => {
    builder.stream(/clicks-.*/).to('out');
    builder.stream(/clicks-.*/).to('out');
  });
  const streams = await open(topology);
  await produce(log, 'clicks-de', [{ key: 'a', value: 'x' }]);
  await drain(streams);
  expect(await values()).toEqual(['x', 'x']);
});
