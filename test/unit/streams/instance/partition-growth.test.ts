import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { LogError } from '../../../../src/log/log.ts';
import { ALL_OPTIMIZATIONS } from '../../../../src/streams/dsl/graph.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import type { Topology } from '../../../../src/streams/topology/topology.ts';
import { GrowingLog } from '../../../harness/growing-log.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, drain, openStreams } from '../../../harness/open-streams.ts';

let log: GrowingLog;
let clock: ManualClock;

beforeEach(async () => {
  log = new GrowingLog(await openEmbeddedLog({ clock: systemClock, logger: silentLogger }));
  clock = new ManualClock(1_000_000);
  for (const [name, partitions] of [
    ['in', 4],
    ['other', 4],
    ['out', 4],
  ] as const) {
    await log.admin.createTopic({ name, partitions });
    log.show(name, 2);
  }
});

afterEach(async () => {
  await closeStreams();
  await log.close();
});

const build = (describe: (builder: StreamsBuilder) => void): Topology => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  describe(builder);
  return builder.build(ALL_OPTIMIZATIONS);
};

const copying = (): Topology => build((builder) => builder.stream('in').to('out'));

const counting = (): Topology =>
  build((builder) => builder.stream<string, string>('in').groupByKey().count({ name: 'counts' }));

const regrouping = (): Topology =>
  build((builder) =>
    builder
      .stream<string, string>('in')
      .groupBy((_key, value) => value)
      .count({ name: 'counts' }),
  );

const joining = (): Topology =>
  build((builder) => {
    const table = builder.table<string, string>('other');
    builder
      .stream<string, string>('in')
      .join(table, (left, right) => `${left}+${right}`)
      .to('out');
  });

const open = (topology: Topology, overrides: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(topology, { log, clock, ...overrides });

/** Records that are found nowhere but in one partition. */
const put = (topic: string, partition: number, ...values: readonly string[]): Promise<void> =>
  produce(
    log,
    topic,
    values.map((value) => ({ key: `key of ${partition}`, value, partition })),
  );

const values = async (topic = 'out'): Promise<string[]> =>
  (await readAll(log, topic)).map(({ value }) => value ?? 'none').toSorted();

/** The topic has four partitions from now on, and a minute goes by. */
const grow = (topic: string): void => {
  log.show(topic, 4);
  clock.advance(60_000);
};

const tasks = (streams: SteppedStreams): string[] => streams.tasks.map((task) => task.id);

test('partitions that come while it runs are read from their beginning, by tasks that are there and by new ones', async () => {
  const topology = build((builder) =>
    builder.stream<string, string>('in').merge(builder.stream<string, string>('other')).to('out'),
  );
  log.show('other', 3);
  const streams = await open(topology, { offsetReset: 'latest' });
  expect(tasks(streams)).toEqual(['0_0', '0_1', '0_2']);
  await put('in', 2, 'third');
  await put('in', 3, 'fourth');
  log.show('in', 4);
  clock.advance(59_999);
  await streams.step();
  expect(tasks(streams)).toHaveLength(3);
  clock.advance(1);
  await streams.step();
  expect(tasks(streams)).toEqual(['0_0', '0_1', '0_2', '0_3']);
  await put('in', 0, 'first');
  await drain(streams);
  expect(await values()).toEqual(['first', 'fourth', 'third']);
  await streams.close();
  const again = await open(topology, { offsetReset: 'latest' });
  await drain(again);
  expect(again.processedRecords).toBe(0);
});

test('partitions that came while it was away are read from their beginning', async () => {
  await (await open(copying(), { offsetReset: 'latest' })).close();
  await put('in', 2, 'third');
  log.show('in', 4);
  const streams = await open(copying(), { offsetReset: 'latest' });
  await drain(streams);
  expect(await values()).toEqual(['third']);
});

test('where nothing was ever committed the policy holds for all partitions', async () => {
  await put('in', 0, 'early');
  log.show('in', 4);
  const streams = await open(copying(), { offsetReset: 'latest' });
  await put('in', 3, 'late');
  await drain(streams);
  expect(await values()).toEqual(['late']);
});

test.each([
  ['a changelog', counting, 'in'],
  ['the topic itself as its changelog', joining, 'other'],
  ['a join', joining, 'in'],
])(
  'state with %s stops with what to do, while it runs and when it is started again',
  async (_, topology, topic) => {
    const onUncaughtError = 'replace';
    const streams = await open(topology(), { onUncaughtError });
    await put(topic, 0, 'a');
    await drain(streams);
    grow(topic);
    while (streams.state === 'running') await streams.turn(0);
    expect(streams).toMatchObject({ state: 'error', error: { kind: 'partition-count' } });
    const message = `topic ${topic} has 4 partitions now and had 2`;
    expect(String(streams.error)).toContain(message);
    expect(String(streams.error)).toContain('copy it into a new topic');
    await streams.close();
    await expect(open(topology())).rejects.toMatchObject({ kind: 'partition-count' });
    await expect(open(topology())).rejects.toThrow(
      /copy it into a new topic|must have the same number of partitions/,
    );
  },
);

test('one that cannot go on is not started again and again', async () => {
  await (await open(counting())).close();
  log.show('in', 4);
  const errors: unknown[] = [];
  const streams = createStreams(counting(), {
    log,
    clock,
    onUncaughtError: 'replace',
    onError: (error) => errors.push(error),
  });
  await streams.start(true);
  expect(streams).toMatchObject({ state: 'error', waitsToRestart: false });
  expect(errors).toEqual([streams.error]);
});

test('what is repartitioned is counted on, in as many partitions as before', async () => {
  const streams = await open(regrouping());
  await put('in', 0, 'a', 'b');
  await drain(streams);
  grow('in');
  await put('in', 3, 'a', 'b', 'c');
  await streams.step();
  expect(tasks(streams)).toEqual(['0_0', '0_1', '1_0', '1_1', '0_2', '0_3']);
  await drain(streams);
  const count = async (key: string, of: SteppedStreams): Promise<unknown> =>
    new StoreQueries(of).keyValueStore<string, number>('counts').get(key);
  expect([await count('a', streams), await count('b', streams), await count('c', streams)]).toEqual([
    2, 2, 1,
  ]);
  await streams.close();
  const again = await open(regrouping());
  await put('in', 2, 'a');
  await drain(again);
  expect(tasks(again)).toEqual(['0_0', '0_1', '0_2', '0_3', '1_0', '1_1']);
  expect([await count('a', again), await count('b', again), await count('c', again)]).toEqual([3, 2, 1]);
});

test('a table that every instance holds whole reads the new partitions too', async () => {
  const topology = build((builder) => {
    const table = builder.globalTable<string, string>('other', { name: 'all' });
    builder
      .stream<string, string>('in')
      .join(
        table,
        (key) => key,
        (left, right) => `${left}+${right}`,
      )
      .to('out');
  });
  const streams = await open(topology);
  grow('other');
  await put('other', 3, 'row');
  await streams.step();
  await drain(streams);
  await produce(log, 'in', [{ key: 'key of 3', value: 'x', partition: 0 }]);
  await drain(streams);
  expect(await values()).toEqual(['x+row']);
});

test('a topic that is written is written by its new number of partitions, as any producer does', async () => {
  const streams = await open(copying());
  const keys = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: 'before' }));
  await produce(log, 'in', keys);
  await drain(streams);
  grow('out');
  await streams.step();
  await produce(
    log,
    'in',
    keys.map(({ key }) => ({ key, value: 'after' })),
  );
  await drain(streams);
  const written = await readAll(log, 'out');
  const used = (value: string): Set<number> =>
    new Set(written.flatMap((each) => (each.value === value ? [each.partition] : [])));
  expect(used('before')).toEqual(new Set([0, 1]));
  expect(used('after')).toEqual(new Set([0, 1, 2, 3]));
});

test.each([
  ['without state', copying],
  ['with state', counting],
])('a topic that was made anew with fewer partitions is an error, %s', async (_, topology) => {
  log.show('in', 4);
  const streams = await open(topology());
  log.show('in', 2);
  clock.advance(60_000);
  await expect(streams.step()).rejects.toThrow(
    'topic in has 2 partitions and had 4: it was deleted and made anew',
  );
  await streams.close();
  await expect(open(topology())).rejects.toMatchObject({ kind: 'partition-count' });
});

test('a topic that is made anew while it is read is an error, and read from its beginning then', async () => {
  log.ids.set('in', 'first');
  const streams = await open(copying());
  await put('in', 0, 'a', 'b');
  await drain(streams);
  log.ids.set('in', 'second');
  clock.advance(60_000);
  await expect(streams.step()).rejects.toMatchObject({
    kind: 'topic-recreated',
    message: expect.stringContaining('topic in was deleted and made anew while it was read') as string,
  });
  await streams.close();
  const again = await open(copying());
  await drain(again);
  expect(await values()).toEqual(['a', 'a', 'b', 'b']);
});

test('it goes on when the log is away while it is asked, and asks again', async () => {
  const streams = await open(copying());
  log.answers = () => Promise.reject(new LogError('unavailable', 'the broker is away'));
  grow('in');
  await streams.step();
  log.answers = () => Promise.resolve();
  await streams.step();
  expect(tasks(streams)).toHaveLength(2);
  clock.advance(60_000);
  await streams.step();
  expect(tasks(streams)).toHaveLength(4);
});

test('nothing waits for a log that takes its time to answer', async () => {
  const streams = await open(copying());
  await put('in', 0, 'a');
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  log.answers = () => answered;
  grow('in');
  await streams.step();
  expect(streams.processedRecords).toBe(1);
  expect(tasks(streams)).toHaveLength(2);
  answer();
  while (tasks(streams).length < 4) await streams.step();
});
