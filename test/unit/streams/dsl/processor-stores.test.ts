import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StateStoreDeclaration } from '../../../../src/streams/dsl/declared-stores.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type {
  KeyValueStoreView,
  SessionStoreView,
  VersionedStoreView,
  WindowStoreView,
} from '../../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type {
  ProcessorSupplier,
  StreamRecord,
  UserContext,
  UserProcessorContext,
} from '../../../../src/streams/dsl/user-processor.ts';
import type { Processor } from '../../../../src/streams/topology/processor.ts';
import type { RecordKey } from '../../../../src/streams/topology/record-key.ts';
import {
  TopologyTestDriver,
  type TopologyTestDriverOptions,
} from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';

type Texts = KeyValueStoreView<string, string>;

const builderOfTexts = (): StreamsBuilder =>
  new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });

async function open(
  builder: StreamsBuilder,
  options: TopologyTestDriverOptions = {},
): Promise<TopologyTestDriver> {
  const driver = await TopologyTestDriver.open(builder.build(), options);
  onTestFinished(() => driver.close().catch(() => undefined));
  return driver;
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-stores-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe.each(['in memory', 'on disk'])('stores of processors, %s', (where) => {
  const stateOf = (): TopologyTestDriverOptions =>
    where === 'on disk' ? { stateOnDisk: newDirectory() } : {};

  /** Fills stores with one record and asks with the next, when all of it may be on disk. */
  async function ask<T>(
    declaration: StateStoreDeclaration<string, string>,
    fill: (store: never) => void,
    question: (store: never) => T,
  ): Promise<T> {
    const builder = builderOfTexts();
    let answer: T | undefined;
    builder.stream<string, string>('in').process(
      () => {
        let context: UserContext;
        return {
          init: (each) => void (context = each),
          process({ value }) {
            const store = context.getStateStore(declaration.name) as never;
            if (value === 'fill') fill(store);
            else answer = question(store);
          },
        };
      },
      { stores: [declaration] },
    );
    const driver = await open(builder, stateOf());
    const input = driver.createInputTopic('in', Serdes.string, Serdes.string, { advanceMs: 1 });
    await input.pipeInput('k', 'fill');
    await input.pipeInput('k', 'ask');
    // The driver's own view sees the same.
    const seen = question(driver.getStateStore(declaration.name) as never);
    if (JSON.stringify(seen) !== JSON.stringify(answer)) expect(seen).toEqual(answer);
    return answer!;
  }

  test('rows', async () => {
    const answer = await ask(
      { name: 'rows', kind: 'key-value' },
      (rows: Texts) =>
        rows.putAll([
          ['a', '1'],
          ['ab', '2'],
          ['b', '3'],
          ['c', '4'],
        ]),
      (rows: Texts) => {
        const keys = (found: Iterable<{ key: string }>): string => [...found].map(({ key }) => key).join();
        return [
          keys(rows.all()),
          keys(rows.reverseAll()),
          keys(rows.range('ab', 'b')),
          keys(rows.range(null, 'a')),
          keys(rows.reverseRange('ab', null)),
          keys(rows.prefixScan('a', Serdes.string)),
          keys(rows.iterate()),
          keys(rows.iterate({ from: 'ab', reverse: true })),
          keys(rows.iterate({ to: 'ab' })),
        ];
      },
    );
    expect(answer).toEqual([
      'a,ab,b,c',
      'c,b,ab,a',
      'ab,b',
      'a',
      'c,b,ab',
      'a,ab',
      'a,ab,b,c',
      'c,b,ab',
      'a,ab',
    ]);
  });

  test('windows and sessions of before the retention, and of its very end, are not seen', async () => {
    const windows = await ask(
      { name: 'rows', kind: 'window', windowSizeMs: 5, retentionMs: 10 },
      (rows: WindowStoreView<string, string>) => [5, 6, 15].forEach((start) => rows.put('k', 'v', start)),
      (rows: WindowStoreView<string, string>) => [
        rows.fetch('k', 0, 20).map(({ key }) => key.window.start),
        rows.fetchAll(0, 20).map(({ key }) => key.window.start),
        rows.get('k', 5),
      ],
    );
    expect(windows).toEqual([[6, 15], [6, 15], null]);
    const sessions = await ask(
      { name: 'rows', kind: 'session', retentionMs: 10 },
      (rows: SessionStoreView<string, string>) => [5, 6, 15].forEach((end) => rows.put('k', 1, end, 'v')),
      (rows: SessionStoreView<string, string>) => [
        rows.fetch('k').map(({ key }) => key.window.end),
        rows.fetchAll(0, 20).map(({ key }) => key.window.end),
        rows.get('k', 1, 5),
      ],
    );
    expect(sessions).toEqual([[6, 15], [6, 15], null]);
  });

  test('a session is found by both its ends', async () => {
    const found = await ask(
      { name: 'rows', kind: 'session' },
      (rows: SessionStoreView<string, string>) => {
        for (const start of [1, 2, 3]) rows.put('k', start, 5, `from ${start}`);
      },
      (rows: SessionStoreView<string, string>) => [rows.get('k', 2, 5), rows.get('k', 2, 4)],
    );
    expect(found).toEqual(['from 2', null]);
  });

  test('what puts and removes says what was there', async () => {
    const builder = builderOfTexts();
    const said: unknown[] = [];
    builder.stream<string, string>('in').process(
      () => {
        let rows: Texts;
        return {
          init: (context) => void (rows = context.getStateStore('rows')),
          process: ({ key, value }) =>
            void said.push(value === 'delete' ? rows.delete(key) : rows.putIfAbsent(key, value)),
        };
      },
      { stores: [{ name: 'rows', kind: 'key-value' }] },
    );
    const driver = await open(builder, stateOf());
    const input = driver.createInputTopic('in', Serdes.string, Serdes.string, { advanceMs: 1 });
    await input.pipeKeyValues(['1', '2', 'delete', 'delete', '3'].map((value) => ['k', value] as const));
    expect(said).toEqual([null, '1', '1', null, null]);
    expect(driver.getKeyValueStore('rows').get('k')).toBe('3');
  });

  test('an iterator takes a few at a time, and meets what is put ahead of it', async () => {
    const answer = await ask(
      { name: 'rows', kind: 'key-value' },
      (rows: Texts) => {
        for (let i = 100; i < 400; i++) rows.put(String(i), 'x');
      },
      (rows: Texts) => {
        let walked = 0;
        for (const { key } of rows.iterate({ from: '150' })) {
          walked++;
          if (key === '350') break;
        }
        return [
          walked,
          [...rows.iterate({ reverse: true })].length,
          [...rows.iterate({ from: '500' })].length,
        ];
      },
    );
    expect(answer).toEqual([201, 300, 0]);
  });

  test('windows, sessions and versions, the other way round', async () => {
    const windows = await ask(
      { name: 'w', kind: 'window', windowSizeMs: 10 },
      (store: WindowStoreView<string, string>) => {
        for (const start of [0, 10, 20]) store.put('k', String(start), start);
      },
      (store: WindowStoreView<string, string>) => [
        store.reverseFetch('k', 5, 25).map(({ value }) => value),
        store.reverseFetchAll(0, 15).map(({ key }) => key.window),
      ],
    );
    expect(windows).toEqual([
      ['20', '10'],
      [
        { start: 10, end: 20 },
        { start: 0, end: 10 },
      ],
    ]);
    const sessions = await ask(
      { name: 's', kind: 'session' },
      (store: SessionStoreView<string, string>) => {
        store.put('k', 0, 5, 'one');
        store.put('k', 10, 15, 'two');
      },
      (store: SessionStoreView<string, string>) => [
        store.reverseFetch('k').map(({ value }) => value),
        store.reverseFetchAll(0, 99).map(({ value }) => value),
        store.get('k', 10, 15),
        store.get('k', 10, 14),
      ],
    );
    expect(sessions).toEqual([['two', 'one'], ['two', 'one'], 'two', null]);
    const versions = await ask(
      { name: 'v', kind: 'versioned', versioned: { historyRetentionMs: 100 } },
      (store: VersionedStoreView<string, string>) => {
        store.put('k', 'one', 1);
        store.put('k', 'two', 2);
      },
      (store: VersionedStoreView<string, string>) => store.reverseVersions('k').map(({ value }) => value),
    );
    expect(versions).toEqual(['two', 'one']);
  });
});

test('a supplier brings its stores, and two that bring the same share it', async () => {
  const declaration: StateStoreDeclaration<string, number> = {
    name: 'seen',
    kind: 'key-value',
    valueSerde: Serdes.long,
  };
  const counts: number[] = [];
  const supplier = Object.assign(
    () => {
      let seen: KeyValueStoreView<string, number>;
      return {
        init: (context: UserContext) => void (seen = context.getStateStore('seen')),
        process({ key }: { key: string }) {
          const count = (seen.get(key) ?? 0) + 1;
          seen.put(key, count);
          counts.push(count);
        },
      };
    },
    { stores: () => [declaration] },
  );
  const builder = builderOfTexts();
  builder.stream<string, string>('in').process(supplier);
  builder.stream<string, string>('in').processValues(supplier);
  builder
    .table<string, string>('t')
    .transformValues(
      Object.assign(() => ({ transform: (value: string | null) => value }), { stores: () => [declaration] }),
    );
  const topology = builder.build();
  expect(topology.stores.find(({ options }) => options.name === 'seen')?.processors).toHaveLength(3);
  const driver = await TopologyTestDriver.open(topology);
  await driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', 'v', 1);
  expect(counts).toEqual([1, 2]);
  await driver.close();
});

describe('a global store', () => {
  const build = (builder: StreamsBuilder): StreamsBuilder => {
    builder.addGlobalStore<string, string, string, number>(
      { name: 'lengths', kind: 'key-value', valueSerde: Serdes.long },
      'names',
      () => {
        let lengths: KeyValueStoreView<string, number>;
        return {
          init: (context) => void (lengths = context.getStateStore('lengths')),
          process: ({ key, value }) => lengths.put(key.toUpperCase(), value === null ? null : value.length),
        };
      },
    );
    builder
      .stream<string, string>('in')
      .process<string, string>(() => {
        let lengths: KeyValueStoreView<string, number>;
        let forward: (value: string) => void;
        return {
          init(context) {
            lengths = context.getStateStore('lengths');
            forward = (value) => context.forward({ key: value, value });
          },
          process: ({ key }) => forward(`${key} ${lengths.get(key)}`),
        };
      })
      .to('out');
    return builder;
  };

  test('is kept by a processor from all partitions, and read by all', async () => {
    const driver = await open(build(builderOfTexts()), { topics: { names: 3, in: 2 } });
    const names = driver.createInputTopic('names', Serdes.string, Serdes.string);
    const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
    for (const name of ['ann', 'bert', 'christine']) await names.pipeInput(name, name, 1);
    for (const key of ['ANN', 'BERT', 'CHRISTINE', 'ann']) await input.pipeInput(key, 'x', 2);
    await names.pipeInput('ann', null, 3);
    await input.pipeInput('ANN', 'x', 4);
    const output = driver.createOutputTopic('out', Serdes.string, Serdes.string);
    expect(await output.readValues()).toEqual(['ANN 3', 'BERT 4', 'CHRISTINE 9', 'ann null', 'ANN null']);
    expect(driver.getKeyValueStore('lengths').all()).toMatchObject([{ key: 'BERT' }, { key: 'CHRISTINE' }]);
  });

  test('has its place in the description, and its name to itself', () => {
    expect(build(builderOfTexts()).build().describe()).toContain('Global store: lengths');
    const twice = build(build(builderOfTexts()));
    expect(() => twice.build()).toThrow(/store lengths exists already|names is read/);
  });
});

test('what a test driver says and takes', async () => {
  const builder = builderOfTexts();
  builder.stream('in').to('out');
  const driver = await open(builder, { startTimeMs: 7 });
  const output = driver.createOutputTopic('out', Serdes.string, Serdes.string);
  const timed = driver.createInputTopic('in', Serdes.string, Serdes.string, { startMs: 100, advanceMs: 10 });
  await timed.pipeValues(['a', 'b']);
  timed.advanceTime(1000);
  await timed.pipeKeyValues([
    ['k', 'c'],
    ['k', null],
  ]);
  await timed.pipeInput('k', 'd', 5);
  await driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput({ value: 'e' });
  expect(await output.size()).toBe(6);
  expect((await output.readRecords()).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    [null, 'a', 100],
    [null, 'b', 110],
    ['k', 'c', 1120],
    ['k', null, 1130],
    ['k', 'd', 5],
    [null, 'e', 7],
  ]);
  await timed.pipeKeyValues([
    ['x', '1'],
    ['y', '1'],
    ['x', '2'],
    ['y', null],
  ]);
  expect(await output.readValue()).toBe('1');
  expect(await output.readKeyValue()).toEqual(['y', '1']);
  expect(await output.readLatest()).toEqual(new Map([['x', '2']]));
  expect([await output.readValue(), await output.readKeyValue(), await output.size()]).toEqual([
    undefined,
    undefined,
    0,
  ]);
  expect(() => driver.createInputTopic('in', Serdes.string, Serdes.string, { advanceMs: -1 })).toThrow(
    /advances by -1/,
  );
});

test('the programs of docs/streams.md', async () => {
  const deduplicate: ProcessorSupplier<string, string, string, string> = Object.assign(
    () => {
      let seen: KeyValueStoreView<string, number>;
      let forward: (key: string, value: string) => void;
      return {
        init(context: UserProcessorContext<string, string>) {
          seen = context.getStateStore('seen');
          forward = (key, value) => context.forward({ key, value });
          context.schedule(60_000, 'stream-time', (now) => {
            for (const { key, timestamp } of seen.iterate())
              if (timestamp < now - 86_400_000) seen.delete(key);
          });
        },
        process({ key, value }: StreamRecord<string, string>) {
          if (seen.putIfAbsent(key, 1) === null) forward(key, value);
        },
      };
    },
    { stores: () => [{ name: 'seen', kind: 'key-value', valueSerde: Serdes.long } as const] },
  );
  const builder = builderOfTexts();
  builder
    .stream<string, string>('orders')
    .process(deduplicate)
    .to('unique-orders', { keySerde: Serdes.string });
  const driver = await open(builder);
  const orders = driver.createInputTopic('orders', Serdes.string, Serdes.string);
  for (const [key, time] of [
    ['a', 1],
    ['a', 2],
    ['b', 100_000_000],
    ['a', 100_000_001],
    ['b', 100_000_002],
  ] as const)
    await orders.pipeInput(key, `${key}${time}`, time);
  const unique = driver.createOutputTopic('unique-orders', Serdes.string, Serdes.string);
  expect(await unique.readValues()).toEqual(['a1', 'b100000000', 'a100000001']);

  const shout = (): Processor => {
    let forward: (key: RecordKey, value: unknown, timestamp: number) => void;
    return {
      init: (context) =>
        void (forward = (key, value, timestamp) => context.forward(key, value, undefined, timestamp)),
      process: (key, value, _old, timestamp) => forward(key, `${String(value)}!`, timestamp),
    };
  };
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['lines'], key: Serdes.string, value: Serdes.string })
    .addProcessor({ name: 'shout', parents: ['read'], open: shout })
    .addSink({
      name: 'write',
      topic: 'loud-lines',
      parents: ['shout'],
      key: null,
      value: Serdes.string,
      headers: true,
    });
  const byHand = await TopologyTestDriver.open(topology);
  await byHand.createInputTopic('lines', Serdes.string, Serdes.string).pipeInput('k', 'hey', 1);
  const loud = byHand.createOutputTopic('loud-lines', Serdes.string, Serdes.string);
  expect(await loud.readKeyValues()).toEqual([['k', 'hey!']]);
  await byHand.close();
});
