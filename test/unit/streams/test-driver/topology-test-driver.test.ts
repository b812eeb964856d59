import { expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { LogError } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { KeyValueStoreView } from '../../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { UserProcessor, UserProcessorContext } from '../../../../src/streams/dsl/user-processor.ts';
import { JoinWindows, TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { sendToDeadLetterTopic } from '../../../../src/streams/task/error-handlers.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };

function wordCount(): StreamsBuilder {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('lines')
    .flatMapValues((line) => line.split(' '))
    .groupBy((_key, word) => word)
    .count({ name: 'counts' })
    .toStream()
    .to('word-counts', { valueSerde: Serdes.long });
  return builder;
}

test('a record is processed to its end, through the repartition topic', async () => {
  const driver = await TopologyTestDriver.open(wordCount().build());
  const lines = driver.createInputTopic('lines', Serdes.string, Serdes.string);
  const counts = driver.createOutputTopic('word-counts', Serdes.string, Serdes.long);
  await lines.pipeInput('k', 'the quick the', 100);
  expect(await counts.readKeyValues()).toEqual([
    ['the', 1],
    ['quick', 1],
    ['the', 2],
  ]);
  expect(await counts.isEmpty()).toBe(true);
  await lines.pipeInput({ key: 'k', value: 'quick', timestamp: 50 });
  expect(await counts.readRecord()).toMatchObject({ key: 'quick', value: 2, timestamp: 100 });
  const store = driver.getKeyValueStore<string, number>('counts');
  expect(store.get('the')).toBe(2);
  expect(store.get('none')).toBeNull();
  expect(store.all().map(({ key, value }) => [key, value])).toEqual([
    ['quick', 2],
    ['the', 2],
  ]);
  expect(store.range('a', 'quick')).toHaveLength(1);
  expect(() => driver.getWindowStore('counts')).toThrow('counts is a key-value store, not a window store');
  await driver.close();
});

test('several partitions: equal keys meet in one, and each has its own store', async () => {
  const driver = await TopologyTestDriver.open(wordCount().build(), {
    topics: { lines: 3, 'word-counts': 2 },
  });
  const lines = driver.createInputTopic('lines', Serdes.string, Serdes.string);
  const words = ['one', 'two', 'three', 'four', 'five', 'six'];
  for (let i = 0; i < 30; i++)
    await lines.pipeInput({ key: `k${i}`, value: words[i % 6]!, timestamp: i, partition: i % 3 });
  const stores = [0, 1, 2].map((partition) => driver.getKeyValueStore<string, number>('counts', partition));
  const rows = stores.flatMap((store) => store.all());
  expect(new Map(rows.map(({ key, value }) => [key, value]))).toEqual(
    new Map(words.map((word) => [word, 5])),
  );
  expect(rows).toHaveLength(6);
  expect(stores.filter((store) => store.all().length > 0).length).toBeGreaterThan(1);
  await driver.close();
});

test('headers go through, in order, duplicates and null values kept', async () => {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('in')
    .mapValues((value) => value.toUpperCase())
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build());
  const headers = [
    { key: 'a', value: Buffer.from('1') },
    { key: 'a', value: null },
    { key: 'b', value: Buffer.alloc(0) },
  ];
  await driver
    .createInputTopic('in', Serdes.string, Serdes.string)
    .pipeInput({ key: 'k', value: 'v', headers });
  const record = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecord();
  expect(record).toMatchObject({ key: 'k', value: 'V', headers });
  await driver.close();
});

test('a processor of your own: store, punctuation by both clocks, metadata', async () => {
  class Counter implements UserProcessor<string, string, string, string> {
    #context!: UserProcessorContext<string, string>;
    #store!: KeyValueStoreView<string, number>;

    init(context: UserProcessorContext<string, string>): void {
      this.#context = context;
      this.#store = context.getStateStore<KeyValueStoreView<string, number>>('seen');
      context.schedule(100, 'wall-clock', (timestamp) => this.#report('wall', timestamp));
      context.schedule(10, 'stream-time', (timestamp) => this.#report('stream', timestamp));
    }

    process({ key, timestamp }: { key: string; timestamp: number }): void {
      this.#store.put(key, (this.#store.get(key) ?? 0) + 1, timestamp);
      const { topic, partition, offset } = this.#context.recordMetadata();
      this.#context.forward({ key, value: `${topic}-${partition}@${offset}`, timestamp });
    }

    #report(kind: string, timestamp: number): void {
      for (const { key, value } of this.#store.all())
        this.#context.forward({ key, value: `${kind} ${value}`, timestamp });
    }
  }
  const builder = new StreamsBuilder(texts);
  builder.addStateStore<string, number>({
    name: 'seen',
    kind: 'key-value',
    keySerde: Serdes.string,
    valueSerde: Serdes.long,
  });
  builder
    .stream<string, string>('in')
    .process(() => new Counter(), { stores: ['seen'] })
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build(), { startTimeMs: 1000 });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  const output = driver.createOutputTopic('out', Serdes.string, Serdes.string);
  await input.pipeInput('a', 'x', 5);
  expect(await output.readKeyValues()).toEqual([
    ['a', 'in-0@0'],
    ['a', 'stream 1'],
  ]);
  await input.pipeInput('a', 'x', 9);
  expect(await output.readKeyValues()).toEqual([['a', 'in-0@1']]);
  // A gap of several intervals fires once.
  await input.pipeInput('a', 'x', 35);
  expect(await output.readKeyValues()).toEqual([
    ['a', 'in-0@2'],
    ['a', 'stream 3'],
  ]);
  await driver.advanceWallClockTime(99);
  expect(await output.isEmpty()).toBe(true);
  await driver.advanceWallClockTime(1);
  expect(await output.readRecord()).toMatchObject({ key: 'a', value: 'wall 3', timestamp: 1100 });
  await driver.close();
});

test('a processor that keeps the key needs no repartition behind it', () => {
  const builder = new StreamsBuilder(texts);
  const stream = builder.stream<string, string>('in');
  stream
    .processValues<string>(() => ({ process() {} }))
    .groupByKey(texts)
    .count();
  expect(builder.build().repartitionTopics).toEqual([]);
  const changing = new StreamsBuilder(texts);
  changing
    .stream<string, string>('in')
    .process<string, string>(() => ({ process() {} }))
    .groupByKey(texts)
    .count();
  expect(changing.build().repartitionTopics).toHaveLength(1);
});

test('branches: each record goes to the first whose predicate holds', async () => {
  const builder = new StreamsBuilder(texts);
  const branches = builder
    .stream<string, string>('in')
    .split({ name: 'by-' })
    .branch((_key, value) => value.startsWith('a'), { name: 'a' })
    .branch((_key, value) => value.length > 1, { name: 'long' })
    .defaultBranch({ name: 'rest' });
  expect([...branches.keys()]).toEqual(['by-a', 'by-long', 'by-rest']);
  for (const [name, stream] of branches) stream.to(name);
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const value of ['ab', 'bb', 'b', 'a']) await input.pipeInput('k', value);
  const read = async (topic: string): Promise<string[]> =>
    (await driver.createOutputTopic(topic, Serdes.string, Serdes.string).readKeyValues()).map(
      ([, value]) => value,
    );
  expect(await read('by-a')).toEqual(['ab', 'a']);
  expect(await read('by-long')).toEqual(['bb']);
  expect(await read('by-rest')).toEqual(['b']);
  await driver.close();
});

test('the topic of each record, and the partition', async () => {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('in')
    .to((key) => `out-${key}`, { partitioner: (_key, value) => Number(value) });
  const driver = await TopologyTestDriver.open(builder.build(), { topics: { 'out-a': 3, 'out-b': 3 } });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInputs([
    { key: 'a', value: '2' },
    { key: 'b', value: '0' },
    { key: 'a', value: '1' },
  ]);
  const records = await driver.createOutputTopic('out-a', Serdes.string, Serdes.string).readRecords();
  expect(records.map(({ partition, value }) => `${partition}: ${value}`).sort()).toEqual(['1: 1', '2: 2']);
  await driver.close();
});

test('a record goes to several partitions, or to none, as the partitioner says', async () => {
  const builder = new StreamsBuilder(texts);
  builder.stream<string, string>('in').to('out', {
    partitioner: (_key, value) => (value === '' ? -1 : [0, 1, 2].filter((each) => value.includes(`${each}`))),
  });
  const driver = await TopologyTestDriver.open(builder.build(), { topics: { out: 3 } });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInputs([
    { key: 'a', value: '02' },
    { key: 'a', value: '-' },
    { key: 'a', value: '1' },
    { key: null, value: '012' },
    { key: 'a', value: '' },
  ]);
  const records = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
  const written = records.map(({ partition, key, value }) => `${partition}: ${key} ${value}`);
  expect(written.filter((each) => !each.endsWith('a ')).sort()).toEqual([
    '0: a 02',
    '0: null 012',
    '1: a 1',
    '1: null 012',
    '2: a 02',
    '2: null 012',
  ]);
  expect(written.filter((each) => each.endsWith('a '))).toHaveLength(1);
  await driver.close();
});

test('cogrouped streams share one state', async () => {
  const builder = new StreamsBuilder(texts);
  const left = builder.stream<string, string>('left').groupByKey();
  const right = builder.stream<string, string>('right').groupByKey();
  left
    .cogroup<string>((_key, value, state) => `${state}<${value}`)
    .cogroup(right, (_key, value, state) => `${state}>${value}`)
    .aggregate(() => '')
    .toStream()
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build());
  await driver.createInputTopic('left', Serdes.string, Serdes.string).pipeInput('k', 'a', 1);
  await driver.createInputTopic('right', Serdes.string, Serdes.string).pipeInput('k', 'b', 2);
  const rows = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readKeyValues();
  expect(rows).toEqual([
    ['k', '<a'],
    ['k', '<a>b'],
  ]);
  await driver.close();
});

test('windowed stores are read by key and time', async () => {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('in')
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 100))
    .count({ name: 'counts' });
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const [key, time] of [
    ['b', 5],
    ['a', 15],
    ['a', 7],
    ['a', 18],
  ] as const)
    await input.pipeInput(key, 'x', time);
  const store = driver.getWindowStore<string, number>('counts');
  expect(store.fetch('a', 0, 100).map(({ key, value }) => [key.window.start, value])).toEqual([
    [0, 1],
    [10, 2],
  ]);
  expect(store.fetchAll(0, 100).map(({ key }) => `${key.key}@${key.window.start}`)).toEqual([
    'a@0',
    'b@0',
    'a@10',
  ]);
  expect(store.get('a', 10)).toBe(2);
  await driver.close();
});

test('a window is kept until its size and grace have passed since it began, and not a moment longer', async () => {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('in')
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 0))
    .count({ name: 'counts' });
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  const starts = () =>
    driver
      .getWindowStore<string, number>('counts')
      .fetch('a', 0, 100)
      .map(({ key }) => key.window.start);
  await input.pipeInput('a', 'x', 0);
  await input.pipeInput('a', 'x', 9);
  expect(starts()).toEqual([0]);
  await input.pipeInput('a', 'x', 10);
  expect(starts()).toEqual([10]);
  await driver.close();
});

test('windowed results are written with their windows, and read back', async () => {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('in')
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 100))
    .count()
    .toStream()
    .to('windows', { keySerde: Serdes.string, valueSerde: Serdes.long });
  const windowed = { kind: 'time', sizeMs: 10 } as const;
  builder
    .stream('windows', { keySerde: Serdes.string, valueSerde: Serdes.long, windowed })
    .map(({ key, window }, count) => [key, `${window.start}-${window.end}: ${count}`] as const)
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build(), { topics: { windows: 3 } });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const time of [5, 15, 7]) await input.pipeInput('k', 'x', time);
  const rows = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readKeyValues();
  expect(rows).toEqual([
    ['k', '0-10: 1'],
    ['k', '10-20: 1'],
    ['k', '0-10: 2'],
  ]);
  await driver.close();
});

test('topics of different partition counts cannot be joined, and the error names them', async () => {
  const builder = new StreamsBuilder(texts);
  const left = builder.stream<string, string>('left');
  const right = builder.stream<string, string>('right');
  left.join(right, (a, b) => a + b, JoinWindows.ofTimeDifferenceWithNoGrace(5)).to('out');
  const opened = TopologyTestDriver.open(builder.build(), { topics: { left: 2, right: 3 } });
  await expect(opened).rejects.toThrow(LogError);
  await expect(opened).rejects.toThrow(/left has 2 and right has 3/);
});

test('a repartition topic gets the partition count of what it is joined with', async () => {
  const builder = new StreamsBuilder(texts);
  const left = builder.stream<string, string>('left').selectKey((_key, value) => value);
  left.join(builder.table<string, string>('right'), (a, b) => `${a}${b}`).to('out');
  const driver = await TopologyTestDriver.open(builder.build(), { topics: { left: 2, right: 3, out: 1 } });
  const right = driver.createInputTopic('right', Serdes.string, Serdes.string);
  const input = driver.createInputTopic('left', Serdes.string, Serdes.string);
  for (let i = 0; i < 9; i++) await right.pipeInput(`k${i}`, '!', 1);
  for (let i = 0; i < 9; i++) await input.pipeInput('x', `k${i}`, 2);
  const rows = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readKeyValues();
  expect(rows).toHaveLength(9);
  await driver.close();
});

test('records that operators drop are told, with the reason', async () => {
  const builder = new StreamsBuilder(texts);
  builder.stream<string, string>('in').groupByKey().count();
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInput(null, 'x', 1);
  await input.pipeInput('k', null, 2);
  expect(driver.skipped.map(({ reason, offset }) => [reason, offset])).toEqual([
    ['null-key', 0],
    ['null-value', 1],
  ]);
  await driver.close();
});

test('a timestamp of the record’s own', async () => {
  const builder = new StreamsBuilder();
  builder
    .stream<string, { at: number }>('in', {
      keySerde: Serdes.string,
      valueSerde: Serdes.json<{ at: number }>(),
      timestampExtractor: ({ value }) => value.at,
    })
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('in', Serdes.string, Serdes.json<{ at: number }>());
  await input.pipeInput('k', { at: 77 }, 5);
  await input.pipeInput('k', { at: -1 }, 6);
  const records = await driver.createOutputTopic('out', Serdes.string, Serdes.json()).readRecords();
  expect(records.map(({ timestamp }) => timestamp)).toEqual([77]);
  expect(driver.skipped).toMatchObject([{ reason: 'timestamp' }]);
  await driver.close();
});

test('handlers decide about records that fail, and dead letters can be read', async () => {
  const builder = new StreamsBuilder(texts);
  builder
    .stream<string, string>('in')
    .mapValues((value) => {
      if (value === 'bad') throw new DataError('bad value');
      return value;
    })
    .to('out');
  const driver = await TopologyTestDriver.open(builder.build(), {
    handlers: { processing: sendToDeadLetterTopic },
    deadLetterTopic: 'dead',
  });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInput('k', 'bad', 1);
  await input.pipeInput('k', 'good', 2);
  const read = (topic: string): Promise<unknown> =>
    driver.createOutputTopic(topic, Serdes.string, Serdes.string).readKeyValues();
  expect(await read('out')).toEqual([['k', 'good']]);
  expect(await read('dead')).toEqual([['k', 'bad']]);
  expect(driver.skipped).toHaveLength(1);
  await driver.close();
});
