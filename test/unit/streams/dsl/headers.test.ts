import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { readHeaders } from '../../../../src/log/record-batch-codec.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { Suppressed, TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { produce } from '../../../harness/log-records.ts';
import { openStreams } from '../../../harness/open-streams.ts';

/**
 * What comes of a record has its headers, wherever it went and however long it waited: they may say whose it is. Each
 * record here has one, `of`, with its number.
 */

type Build = (builder: StreamsBuilder) => void;
type Record = readonly [topic: string, key: string, value: string | null, timestamp?: number];

const count = { valueSerde: Serdes.json<number>() };

/** Each result as `key value of`. */
async function headersOf(build: Build, records: readonly Record[]): Promise<string[]> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  build(builder);
  const driver = await TopologyTestDriver.open(builder.build());
  try {
    for (const [i, [topic, key, value, timestamp = i]] of records.entries())
      await driver.createInputTopic(topic, Serdes.string, Serdes.string).pipeInput({
        key,
        value,
        timestamp,
        headers: [{ key: 'of', value: Buffer.from(String(i)) }],
      });
    const results = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
    return results.map(
      ({ key, value, headers }) =>
        `${key} ${value} ${headers.map((header) => Buffer.from(header.value!).toString()).join()}`,
    );
  } finally {
    await driver.close();
  }
}

test.each<[string, Build, readonly Record[], readonly string[]]>([
  [
    'groupBy',
    (b) =>
      b
        .stream<string, string>('in')
        .groupBy((_key, value) => value)
        .count()
        .toStream()
        .to('out', count),
    [
      ['in', 'a', 'x'],
      ['in', 'b', 'x'],
    ],
    ['x 1 0', 'x 2 1'],
  ],
  [
    'repartition',
    (b) => b.stream('in').repartition().to('out'),
    [
      ['in', 'a', 'x'],
      ['in', 'b', 'y'],
    ],
    ['a x 0', 'b y 1'],
  ],
  [
    'a join behind a new key',
    (b) => {
      const names = b.table<string, string>('names');
      b.stream<string, string>('in')
        .selectKey((_key, value) => value)
        .join(names, (value, name) => `${value}-${name}`)
        .to('out');
    },
    [
      ['names', 'x', 'Ann'],
      ['in', 'a', 'x'],
    ],
    ['x x-Ann 1'],
  ],
  [
    'a foreign-key join',
    (b) => {
      const names = b.table<string, string>('names');
      b.table<string, string>('in')
        .leftJoin(
          names,
          (value) => value,
          (value, name) => `${value}-${name}`,
        )
        .toStream()
        .to('out');
    },
    [
      ['in', 'a', 'x'],
      ['names', 'x', 'Ann'],
      ['in', 'b', 'x'],
    ],
    ['a x-null 0', 'a x-Ann 1', 'b x-Ann 2'],
  ],
  [
    'a grouped table',
    (b) =>
      b
        .table<string, string>('in')
        .groupBy((key, value) => [value, key])
        .count()
        .toStream()
        .to('out', count),
    [
      ['in', 'a', 'x'],
      ['in', 'b', 'x'],
    ],
    ['x 1 0', 'x 2 1'],
  ],
  [
    'a suppressed row, until its time is over',
    (b) => b.table<string, string>('in').suppress(Suppressed.untilTimeLimit(10)).toStream().to('out'),
    [
      ['in', 'a', 'x', 0],
      ['in', 'a', 'y', 5],
      ['in', 'b', 'z', 20],
    ],
    ['a y 1'],
  ],
  [
    'a suppressed row, until its window closes',
    (b) =>
      b
        .stream<string, string>('in')
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
        .count()
        .suppress(Suppressed.untilWindowCloses())
        .toStream((windowed) => windowed.key)
        .to('out', count),
    [
      ['in', 'a', 'x', 0],
      ['in', 'b', 'x', 1],
      ['in', 'a', 'x', 2],
      ['in', 'c', 'x', 30],
    ],
    ['a 2 2', 'b 1 1'],
  ],
  [
    'a change that was held back until the commit',
    (b) =>
      b
        .stream<string, string>('in')
        .groupByKey()
        .count({ name: 'counts', coalesce: true })
        .toStream()
        .to('out', count),
    [
      ['in', 'a', 'x'],
      ['in', 'b', 'x'],
    ],
    ['a 1 0', 'b 1 1'],
  ],
  [
    'a call',
    (b) =>
      b
        .stream<string, string>('in')
        .mapValuesAsync((value) => Promise.resolve(value))
        .to('out'),
    [
      ['in', 'a', 'x'],
      ['in', 'b', 'y'],
    ],
    ['a x 0', 'b y 1'],
  ],
])('%s', async (_, build, records, expected) => {
  expect(await headersOf(build, records)).toEqual(expected);
});

test('a suppressed row, over a restart', async () => {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  const directory = mkdtempSync(join(tmpdir(), 'millrace-headers-'));
  onTestFinished(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
  const run = async (key: string, timestamp: number, stateDirectory: string | null): Promise<void> => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder.table<string, string>('in').suppress(Suppressed.untilTimeLimit(10)).toStream().to('out');
    const streams = await openStreams(builder.build(), {
      log,
      state: openStateBackend({ residentBytes: 0 }),
      stateDirectory,
    });
    const headers = [
      { key: 'of', value: Buffer.from(key) },
      { key: 'none', value: null },
    ];
    await produce(log, 'in', [{ key, value: 'x', timestamp, headers }]);
    const before = streams.processedRecords;
    while (streams.processedRecords === before) await streams.step();
    await streams.close();
  };
  await run('a', 0, directory);
  await run('b', 20, directory);
  // From the changelog.
  await run('c', 40, null);
  const reader = log.openReader();
  const seen: string[] = [];
  reader.assign({ topic: 'out', partition: 0, offset: 0 });
  while (seen.length < 2)
    for (const batch of await reader.poll(1000))
      for (let i = batch.first; i < batch.count; i++)
        seen.push(
          readHeaders(batch, i)
            .map(({ key, value }) => `${key}=${value === null ? null : Buffer.from(value).toString()}`)
            .join(' '),
        );
  await reader.close();
  expect(seen).toEqual(['of=a none=null', 'of=b none=null']);
});

test('nobody adds headers to a record that others have too', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  const pushed: unknown[] = [];
  const source = builder.stream<string, string>('in');
  source.process(() => ({
    process({ headers }) {
      try {
        (headers as unknown[]).push({ key: 'of', value: Buffer.from('somebody else') });
      } catch (error) {
        pushed.push(error);
      }
    },
  }));
  source.to('out');
  const driver = await TopologyTestDriver.open(builder.build());
  onTestFinished(() => driver.close());
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  const own = [{ key: 'of', value: Buffer.from('me') }];
  await input.pipeInputs([{ value: 'none' }, { value: 'one', headers: own }, { value: 'none' }]);
  const results = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
  expect(results.map(({ headers }) => headers)).toEqual([[], own, []]);
  expect(pushed).toHaveLength(3);
});

test.each([
  ['an object', { of: 'me' }],
  ['a map', new Map([['of', 'me']])],
  ['a text', 'of'],
  ['a header of text', [{ key: 'of', value: 'me' }]],
  ['a header without a value', [{ key: 'of' }]],
  ['a header without a key', [{ value: Buffer.from('me') }]],
  ['no header', [null]],
])('%s in the place of headers is refused', async (_, given) => {
  const headers = given as never;
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder
    .stream<string, string>('in')
    .process(() => {
      let forward: (value: string) => void;
      return {
        init: (context) => void (forward = (value) => context.forward({ key: 'k', value, headers })),
        process: ({ value }) => forward(value),
      };
    })
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build());
  onTestFinished(() => driver.close().catch(() => undefined));
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await expect(input.pipeInput({ value: 'v', headers })).rejects.toThrow(/topic in with .* for headers/);
  await expect(input.pipeInput({ value: 'v' })).rejects.toThrow(
    /KSTREAM-PROCESSOR-0000000001 forwards .* for headers: they are a list of/,
  );
});
