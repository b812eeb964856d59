import { describe, expect, onTestFinished, test } from 'vitest';
import { SlabAppender } from '../../../../src/log/slab-appender.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { KeyValueStoreView, WindowStoreView } from '../../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { UserContext, UserProcessorContext } from '../../../../src/streams/dsl/user-processor.ts';
import { TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { continueOnError } from '../../../../src/streams/task/error-handlers.ts';
import {
  TopologyTestDriver,
  type TopologyTestDriverOptions,
} from '../../../../src/streams/test-driver/topology-test-driver.ts';

/** What has no time, or none that is one, must not reach a store or the log. */

type Texts = KeyValueStoreView<string, string>;

async function open(
  build: (builder: StreamsBuilder) => void,
  options: TopologyTestDriverOptions = {},
): Promise<TopologyTestDriver> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  build(builder);
  const driver = await TopologyTestDriver.open(builder.build(), options);
  onTestFinished(() => driver.close().catch(() => undefined));
  return driver;
}

const pipe = (driver: TopologyTestDriver, value: string | null, timestamp = 5): Promise<void> =>
  driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', value, timestamp);

const output = async (driver: TopologyTestDriver): Promise<(readonly [unknown, unknown, number])[]> => {
  const records = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
  return records.map(({ key, value, timestamp }) => [key, value, timestamp] as const);
};

/** A processor that does something with each record, as a program without types would. */
const doing =
  (act: (context: UserProcessorContext<string, string>, value: string) => void) =>
  (builder: StreamsBuilder): void => {
    builder.addStateStore({ name: 'rows', kind: 'key-value' });
    builder
      .stream<string, string>('in')
      .process<string, string>(
        () => {
          let context: UserProcessorContext<string, string>;
          return {
            init: (each) => void (context = each),
            process: ({ value }) => act(context, value),
          };
        },
        { stores: ['rows'], name: 'mine' },
      )
      .to('out');
  };

const NO_TIMES: readonly unknown[] = [undefined, null, '7', new Date(7), Number.NaN, 7.5, Infinity, 2n];

describe('an extractor that gives no time', () => {
  test.each(NO_TIMES)('%s: the deserialization handler decides', async (time) => {
    const build = (builder: StreamsBuilder): void =>
      builder
        .stream<string, string>('in', {
          timestampExtractor: ({ value, timestamp }) => (value === 'bad' ? (time as number) : timestamp),
        })
        .to('out');
    const strict = await open(build);
    await pipe(strict, 'good');
    await expect(pipe(strict, 'bad')).rejects.toThrow(
      /KSTREAM-SOURCE-0000000000 .*in-0, offset 1: the timestamp extractor gave /,
    );
    const lax = await open(build, { handlers: { deserialization: continueOnError } });
    for (const [i, value] of ['one', 'bad', 'two'].entries()) await pipe(lax, value, i);
    expect(await output(lax)).toEqual([
      ['k', 'one', 0],
      ['k', 'two', 2],
    ]);
    expect(lax.skipped).toMatchObject([{ topic: 'in', offset: 1, reason: 'timestamp' }]);
  });

  test('of the application', async () => {
    const driver = await open((builder) => builder.stream('in').to('out'), {
      timestampExtractor: () => undefined as never,
    });
    await expect(pipe(driver, 'a')).rejects.toThrow(/the timestamp extractor gave undefined/);
  });
});

describe('forward', () => {
  test('has the time of the record unless it is given another', async () => {
    const driver = await open(
      doing((context, value) => {
        context.forward({ key: 'own', value });
        context.forward({ key: 'given', value, timestamp: 3 });
      }),
    );
    await pipe(driver, 'a', 5);
    await pipe(driver, 'b', 4);
    expect(await output(driver)).toEqual([
      ['own', 'a', 5],
      ['given', 'a', 3],
      ['own', 'b', 4],
      ['given', 'b', 3],
    ]);
  });

  test('of a punctuation has its time', async () => {
    const driver = await open((builder) =>
      builder
        .stream<string, string>('in')
        .process<string, string>(() => ({
          init(context) {
            context.schedule(10, 'stream-time', () => context.forward({ key: 's', value: '' }));
            context.schedule(10, 'wall-clock', () => context.forward({ key: 'w', value: '' }));
          },
          process: () => undefined,
        }))
        .to('out'),
    );
    await pipe(driver, 'a', 15);
    await driver.advanceWallClockTime(100);
    expect(await output(driver)).toEqual([
      ['s', '', 15],
      ['w', '', 100],
    ]);
  });

  test.each([...NO_TIMES.slice(1), -1])('with %s for a time fails, naming the node', async (timestamp) => {
    const act = (context: UserProcessorContext<string, string>, value: string): void =>
      context.forward({ key: 'k', value, timestamp: timestamp as number });
    const driver = await open(doing(act));
    await expect(pipe(driver, 'a')).rejects.toThrow(
      /mine of task 0_0 .*mine forwards a record with .* for a time/,
    );
    const lax = await open(doing(act), { handlers: { processing: continueOnError } });
    await pipe(lax, 'a');
    expect(await output(lax)).toEqual([]);
    expect(lax.skipped).toMatchObject([{ node: 'mine', reason: 'evaluation' }]);
  });

  test('of undefined fails', async () => {
    const driver = await open(doing((context) => context.forward({ key: 'k' } as never)));
    await expect(pipe(driver, 'a')).rejects.toThrow(/mine forwards undefined/);
  });

  test('out of turn fails', async () => {
    let later: () => void = () => undefined;
    const driver = await open(doing((context) => (later = () => context.forward({ key: 'k', value: 'x' }))));
    await pipe(driver, 'a');
    expect(later).toThrow(/mine forwards outside of process\(\)/);
  });

  test('in a punctuation of processValues has no key', async () => {
    const driver = await open((builder) =>
      builder
        .stream<string, string>('in')
        .processValues<string>(
          () => ({
            init(context) {
              context.schedule(10, 'wall-clock', () => context.forward({ value: 'tick' }));
            },
            process: () => undefined,
          }),
          { name: 'mine' },
        )
        .to('out'),
    );
    await pipe(driver, 'a');
    await expect(driver.advanceWallClockTime(10)).rejects.toThrow(/mine forwards in a punctuation/);
  });
});

describe('a row that is put', () => {
  test('has the time of the record unless it is given another', async () => {
    const driver = await open(
      doing((context, value) => {
        const rows = context.getStateStore<Texts>('rows');
        rows.put('own', value);
        rows.put('given', value, 3);
      }),
    );
    await pipe(driver, 'a', 5);
    const rows = driver.getKeyValueStore<string, string>('rows');
    expect(rows.all()).toEqual([
      { key: 'given', value: 'a', timestamp: 3 },
      { key: 'own', value: 'a', timestamp: 5 },
    ]);
    await driver.advanceWallClockTime(8);
    rows.put('test', 'b');
    expect(rows.getRow('test')).toEqual({ key: 'test', value: 'b', timestamp: 8 });
    expect(() => rows.put('test', 'b', Number.NaN)).toThrow(/store rows is given NaN for a time/);
  });

  test.each(NO_TIMES.slice(1))('with %s for a time fails, naming node and store', async (timestamp) => {
    const act = (context: UserContext): void =>
      context.getStateStore<Texts>('rows').put('k', 'v', timestamp as number);
    const driver = await open(doing(act));
    await expect(pipe(driver, 'a')).rejects.toThrow(/mine puts a row into store rows with .* for a time/);
  });

  test('into windows, sessions and versions needs its times', async () => {
    const driver = await open((builder) => {
      builder.addStateStore({ name: 'windows', kind: 'window', windowSizeMs: 10 });
      builder.addStateStore({ name: 'sessions', kind: 'session' });
      builder.addStateStore({ name: 'versions', kind: 'versioned', versioned: { historyRetentionMs: 10 } });
      builder.stream('in').process(() => ({ process: () => undefined }), {
        stores: ['windows', 'sessions', 'versions'],
      });
    });
    const none = undefined as never;
    const failure = /for a time/;
    expect(() => driver.getWindowStore('windows').put('k', 'v', none)).toThrow(failure);
    expect(() => driver.getSessionStore('sessions').put('k', 1, none, 'v')).toThrow(failure);
    expect(() => driver.getSessionStore('sessions').put('k', none, 1, 'v')).toThrow(failure);
    expect(() => driver.getVersionedStore('versions').put('k', 'v', none)).toThrow(failure);
  });
});

test('windows end where they should, in processors and in the driver', async () => {
  const seen: unknown[] = [];
  const driver = await open((builder) => {
    const windows = TimeWindows.ofSizeWithNoGrace(10);
    const input = builder.stream<string, string>('in');
    input.groupByKey().windowedBy(windows).count({ name: 'counts' });
    builder.addStateStore({ name: 'own', kind: 'window', windowSizeMs: 30, valueSerde: Serdes.string });
    input.process(
      () => {
        let context: UserContext;
        return {
          init: (each) => void (context = each),
          process({ key, value, timestamp }) {
            const own = context.getStateStore<WindowStoreView<string, string>>('own');
            own.put(key, value, timestamp);
            const counts = context.getStateStore<WindowStoreView<string, number>>('counts');
            seen.push(counts.fetch('k', 0, 99)[0]!.key.window, own.fetchAll(0, 99)[0]!.key.window);
          },
        };
      },
      { stores: ['counts', 'own'] },
    );
  });
  await pipe(driver, 'a', 12);
  expect(seen).toEqual([
    { start: 10, end: 20 },
    { start: 12, end: 42 },
  ]);
  expect(driver.getWindowStore('counts').fetch('k', 0, 99)).toEqual([
    { key: { key: 'k', window: { start: 10, end: 20 } }, value: 1, timestamp: 12 },
  ]);
  const endless = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  expect(() => endless.addStateStore({ name: 'own', kind: 'window' })).toThrow(/without a windowSizeMs/);
});

test('a result of a call has the time of its record, or one that is a time', async () => {
  const build =
    (timestamp: number | undefined) =>
    (builder: StreamsBuilder): void =>
      builder
        .stream<string, string>('in')
        .processAsync(
          ({ key, value }) => Promise.resolve({ key, value, ...(timestamp !== undefined && { timestamp }) }),
          { name: 'mine' },
        )
        .to('out');
  const driver = await open(build(undefined));
  await pipe(driver, 'a', 5);
  expect(await output(driver)).toEqual([['k', 'a', 5]]);
  await expect(pipe(await open(build(Number.NaN)), 'a')).rejects.toThrow(/mine gives a record with NaN/);
});

test('what the driver pipes in has a time', async () => {
  const driver = await open((builder) => builder.stream('in').to('out'));
  for (const time of [...NO_TIMES.slice(1), -1])
    await expect(pipe(driver, 'a', time as number)).rejects.toThrow(/piped into topic in with .* for a time/);
  await expect(driver.advanceWallClockTime(Number.NaN)).rejects.toThrow(/advanced by NaN/);
  await pipe(driver, 'b');
  expect(await output(driver)).toEqual([['k', 'b', 5]]);
});

test.each([0, -5, 1.5, Number.NaN, Infinity, '10'])('a schedule each %s ms is refused', async (interval) => {
  const build = (builder: StreamsBuilder): void =>
    void builder.stream('in').process(
      () => ({
        init: (context) => void context.schedule(interval as number, 'wall-clock', () => undefined),
        process: () => undefined,
      }),
      { name: 'mine' },
    );
  await expect(open(build)).rejects.toThrow(/mine schedules each .* ms: it takes whole ones, 1 or more/);
});

test('a schedule by an unknown clock, or of nothing, is refused', async () => {
  const build = (schedule: (context: UserContext) => void) => (builder: StreamsBuilder) =>
    void builder.stream('in').process(() => ({ init: schedule, process: () => undefined }), { name: 'mine' });
  const by = (kind: string, callback: unknown) => (context: UserContext) =>
    void context.schedule(10, kind as 'wall-clock', callback as () => void);
  await expect(open(build(by('WALL_CLOCK_TIME', () => undefined)))).rejects.toThrow(
    /mine schedules by "WALL_CLOCK_TIME": it is 'stream-time' or 'wall-clock'/,
  );
  await expect(open(build(by('wall-clock', undefined)))).rejects.toThrow(
    /a schedule of mine takes a function, not undefined/,
  );
});

test('the log takes no record whose time is none', () => {
  const appender = new SlabAppender({ topic: 't', partition: 0 });
  const none = Buffer.alloc(0);
  for (const time of NO_TIMES.filter((each) => typeof each !== 'bigint'))
    expect(() => appender.append(time as number, none, -1, -1, none, -1, -1, null)).toThrow(
      'a record for topic t must have a time in whole milliseconds',
    );
  expect(appender.pendingRecords).toBe(0);
});
