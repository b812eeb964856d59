import { describe, expect, test } from 'vitest';
import type { Header } from '../../../../src/log/record-batch.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { KeyValueStoreView } from '../../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type {
  FixedKeyProcessorContext,
  TableValueTransformer,
  UserProcessorContext,
} from '../../../../src/streams/dsl/user-processor.ts';
import { JoinWindows, UnlimitedWindows } from '../../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../../src/streams/topology/windowed.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { drive, type Piped } from '../../../harness/drive.ts';

const texts = (): StreamsBuilder =>
  new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
type Texts = KeyValueStoreView<string, string>;

describe('transformValues of tables', () => {
  const piped: Piped[] = [
    ['t', 'k', 'a', 10],
    ['t', 'k', 'c', 30],
    ['t', 'k', null, 40],
    ['t', 'm', null, 50],
    ['t', 'k', 'd', 60],
  ];
  const marked = (): TableValueTransformer<string, string, string> => ({
    transform: (value) => (value === null ? 'nil' : `${value}!`),
  });

  test('removals are transformed too', async () => {
    const rows = await drive(
      (builder) => builder.table<string, string>('t').transformValues(marked).toStream().to('out'),
      piped,
    );
    expect(rows.map(([key, value]) => `${key} ${value}`)).toEqual(['k a!', 'k c!', 'k nil', 'm nil', 'k d!']);
  });

  test.each([
    // The old value of a view is transformed again, so there was something before the first row, and at each removal.
    ['a view', undefined, '+a!-a!+c!-c!+nil-nil+nil-nil+d!'],
    ['a store', { name: 'x' }, '+a!-a!+c!-c!+nil+nil-nil+d!'],
  ] as const)('what is taken back is what was added: %s', async (_, materialized, expected) => {
    const rows = await drive(
      (builder) =>
        builder
          .table<string, string>('t')
          .transformValues(marked, materialized)
          .groupBy((_key, value): [string, string] => ['g', value])
          .aggregate(
            () => '',
            (_key, value, state) => `${state}+${value}`,
            (_key, value, state) => `${state}-${value}`,
          )
          .toStream()
          .to('out'),
      piped,
    );
    expect(rows.at(-1)?.[1]).toBe(expected);
  });

  test('a transformer has stores, a beginning and an end', async () => {
    const builder = texts();
    const calls: string[] = [];
    builder
      .addStateStore<string, string>({ name: 'seen', kind: 'key-value' })
      .table<string, string>('t')
      .transformValues(
        () => {
          let seen: Texts;
          return {
            init(context) {
              calls.push(`open ${context.taskId}`);
              seen = context.getStateStore<Texts>('seen');
            },
            transform(value, key) {
              const text = `${seen.get(key) ?? ''}${value ?? '-'}`;
              seen.put(key, text, 0);
              return text;
            },
            close: () => void calls.push('close'),
          };
        },
        { name: 'rows' },
        { stores: ['seen'], name: 'collect' },
      )
      .toStream()
      .to('out');
    const topology = builder.build();
    expect(topology.describe()).toContain('Processor: collect (stores: [seen, rows])');
    const driver = await TopologyTestDriver.open(topology);
    const input = driver.createInputTopic('t', Serdes.string, Serdes.string);
    await input.pipeInput('k', 'a', 1);
    await input.pipeInput('k', null, 2);
    await input.pipeInput('k', 'b', 3);
    const rows = driver.getStateStore('rows') as Texts;
    expect(rows.get('k')).toBe('a-b');
    await driver.close();
    expect(calls).toEqual(['open 0_0', 'close']);
  });

  test('a join reads through a transformer of its own', async () => {
    const rows = await drive(
      (builder) =>
        builder
          .stream<string, string>('s')
          .leftJoin(builder.table<string, string>('t').transformValues(marked), (l, r) => `${l}${r}`)
          .to('out'),
      [
        ['s', 'k', '1', 1],
        ['t', 'k', 'a', 2],
        ['s', 'k', '2', 3],
      ],
    );
    expect(rows).toEqual([
      ['k', '1nil', 1],
      ['k', '2a!', 3],
    ]);
  });
});

test('print writes a line for each record', async () => {
  const lines: string[] = [];
  const builder = texts();
  const stream = builder.stream<string, string>('s');
  stream.print({ write: (line) => void lines.push(line) });
  stream.mapValues((value) => value).print({ write: (line) => void lines.push(line), label: 'own' });
  stream.print({ write: (line) => void lines.push(line), mapper: (key, value) => `${key} is ${value}` });
  const topology = builder.build();
  expect(topology.describe()).toContain('Processor: KSTREAM-PRINTER-0000000001');
  const driver = await TopologyTestDriver.open(topology);
  const input = driver.createInputTopic('s', Serdes.string, Serdes.string);
  await input.pipeInput('k', 'a', 1);
  await input.pipeInput('k', null, 2);
  await driver.close();
  expect(lines).toEqual([
    '[KSTREAM-SOURCE-0000000000]: k, a',
    '[own]: k, a',
    '[KSTREAM-SOURCE-0000000000]: k is a',
    '[KSTREAM-SOURCE-0000000000]: k, null',
    '[own]: k, null',
    '[KSTREAM-SOURCE-0000000000]: k is null',
  ]);
});

describe('unlimited windows', () => {
  const counted = (builder: StreamsBuilder) =>
    builder.stream<string, string>('s').groupByKey().windowedBy(UnlimitedWindows.of().startOn(20));

  test('hold everything from their start on', async () => {
    const rows = await drive(
      (builder) =>
        counted(builder)
          .count({ name: 'counts' })
          .toStream((key: Windowed<string>) => `${key.key}@${key.window.start}`)
          .mapValues(String)
          .to('out', { keySerde: Serdes.string }),
      [
        ['s', 'k', 'a', 10],
        ['s', 'k', 'b', 20],
        ['s', 'k', 'c', 50_000_000_000],
        ['s', 'k', 'd', 30],
        ['s', 'j', null, 30],
      ],
    );
    expect(rows).toEqual([
      ['k@20', '1', 20],
      ['k@20', '2', 50_000_000_000],
      ['k@20', '3', 50_000_000_000],
      ['j@20', '1', 30],
    ]);
  });

  test('never close', () => {
    const builder = texts();
    expect(() => counted(builder).emitStrategy('close')).toThrow(/never closes/);
    expect(() => UnlimitedWindows.of().startOn(-1)).toThrow(/start of an unlimited window .* is -1/);
  });
});

test('a store with a bound forgets what was used longest ago', async () => {
  const builder = texts();
  builder
    .addStateStore<string, string>({ name: 'recent', kind: 'key-value', rowsMax: 2 })
    .stream<string, string>('s')
    .process<string, string>(
      () => {
        let recent: Texts;
        let context: UserProcessorContext<string, string>;
        return {
          init(each) {
            context = each;
            recent = each.getStateStore<Texts>('recent');
          },
          process({ key, value, timestamp }) {
            if (value === 'read') recent.get(key);
            else recent.put(key, value, timestamp);
            const keys = recent.all().map((row) => row.key);
            context.forward({ key, value: keys.join(''), timestamp });
          },
        };
      },
      { stores: ['recent'] },
    )
    .to('out', { keySerde: Serdes.string });
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('s', Serdes.string, Serdes.string);
  const output = driver.createOutputTopic('out', Serdes.string, Serdes.string);
  const steps = [
    ['a', '1', 'a'],
    ['b', '1', 'ab'],
    ['a', 'read', 'ab'],
    ['c', '1', 'ac'],
    ['a', '2', 'ac'],
    ['a', null, 'c'],
    ['d', '1', 'cd'],
    ['e', '1', 'de'],
    ['d', '3', 'de'],
    ['f', '1', 'df'],
  ] as const;
  for (const [i, [key, value]] of steps.entries()) await input.pipeInput(key, value, i);
  expect((await output.readRecords()).map(({ value }) => value)).toEqual(steps.map(([, , keys]) => keys));
  await driver.close();
  const windows = { name: 'w', kind: 'window', windowSizeMs: 10, rowsMax: 2 } as const;
  expect(() => texts().addStateStore(windows)).toThrow(/kind window with a rowsMax/);
  expect(() => texts().addStateStore({ name: 'w', kind: 'key-value', rowsMax: 0 })).toThrow(
    /the rowsMax of store w is 0/,
  );
});

test('a read-only store shows a topic’s values, and its topic is its changelog (KIP-813)', async () => {
  const builder = texts();
  builder
    .addReadOnlyStateStore<string, string>('names', { name: 'known' })
    .stream<string, string>('s')
    .processValues<string>(
      () => {
        let known: Texts;
        let context: FixedKeyProcessorContext<string>;
        return {
          init(each) {
            context = each;
            known = each.getStateStore<Texts>('known');
          },
          process: ({ key, value, timestamp }) =>
            context.forward({ value: `${value} ${known.get(key)}`, timestamp }),
        };
      },
      { stores: ['known'] },
    )
    .to('out');
  const topology = builder.build();
  expect(topology.stores.map(({ options, sourceTopic }) => [options.changelog, sourceTopic])).toEqual([
    [false, 'names'],
  ]);
  const driver = await TopologyTestDriver.open(topology);
  const names = driver.createInputTopic('names', Serdes.string, Serdes.string);
  const input = driver.createInputTopic('s', Serdes.string, Serdes.string);
  await input.pipeInput('k', '1', 1);
  await names.pipeInput('k', 'Ann', 2);
  await input.pipeInput('k', '2', 3);
  await names.pipeInput('k', null, 4);
  await input.pipeInput('k', '3', 5);
  const values = (await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords()).map(
    ({ value }) => value,
  );
  expect(values).toEqual(['1 null', '2 Ann', '3 null']);
  await driver.close();
});

describe('headers', () => {
  const header = (key: string, value: string | null): Header => ({
    key,
    value: value === null ? null : Buffer.from(value),
  });
  const shown = (headers: readonly Header[]): string =>
    headers.map(({ key, value }) => `${key}=${value === null ? null : Buffer.from(value).toString()}`).join();

  test('a processor may give others; what else is forwarded keeps its own', async () => {
    const builder = texts();
    builder
      .stream<string, string>('s')
      .process<string, string>(() => {
        let context: UserProcessorContext<string, string>;
        return {
          init: (each) => void (context = each),
          process({ key, value, timestamp, headers }) {
            context.forward({
              key,
              value: `${value}1`,
              timestamp,
              headers: [...headers, header('b', 'new')],
            });
            context.forward({ key, value: `${value}2`, timestamp });
            context.forward({ key, value: `${value}3`, timestamp, headers: [] });
          },
        };
      })
      .processValues<string>(() => {
        let context: FixedKeyProcessorContext<string>;
        return {
          init: (each) => void (context = each),
          process({ value, timestamp, headers }) {
            context.forward({ value, timestamp, headers: [...headers, header('c', null)] });
            context.forward({ value: `${value} own`, timestamp });
          },
        };
      })
      .to('out', { keySerde: Serdes.string });
    const driver = await TopologyTestDriver.open(builder.build());
    await driver
      .createInputTopic('s', Serdes.string, Serdes.string)
      .pipeInput({ key: 'k', value: 'v', timestamp: 1, headers: [header('a', 'x')] });
    const rows = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
    expect(rows.map(({ value, headers }) => `${value}: ${shown(headers)}`)).toEqual([
      'v1: a=x,b=new,c=null',
      'v1 own: a=x,b=new',
      'v2: a=x,c=null',
      'v2 own: a=x',
      'v3: c=null',
      'v3 own: ',
    ]);
    await driver.close();
  });

  test('a record that waits for late changes of a table keeps its own', async () => {
    const builder = texts();
    const table = builder.table<string, string>(
      't',
      {},
      { name: 'v', versioned: { historyRetentionMs: 100 } },
    );
    builder
      .stream<string, string>('s')
      .leftJoin(table, (left) => left, { graceMs: 10 })
      .to('out');
    const driver = await TopologyTestDriver.open(builder.build());
    const input = driver.createInputTopic('s', Serdes.string, Serdes.string);
    await input.pipeInput({
      key: 'k',
      value: '1',
      timestamp: 1,
      headers: [header('a', 'ä'), header('a', null)],
    });
    await input.pipeInput({ key: 'k', value: '2', timestamp: 50, headers: [header('other', '')] });
    await input.pipeInput({ key: 'k', value: '3', timestamp: 100 });
    const rows = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
    expect(rows.map(({ value, headers }) => `${value}: ${shown(headers)}`)).toEqual([
      '1: a=ä,a=null',
      '2: other=',
    ]);
    await driver.close();
  });
});

test('the stores of a join may stay in memory', () => {
  const builder = texts();
  builder
    .stream<string, string>('s')
    .leftJoin(
      builder.stream<string, string>('u'),
      (left, right) => `${left}${right}`,
      JoinWindows.ofTimeDifferenceWithNoGrace(10),
      { persistent: false, logging: false },
    )
    .to('out');
  expect(builder.build().stores.map(({ options }) => [options.persistent, options.changelog])).toEqual([
    [false, false],
    [false, false],
    [false, false],
  ]);
});
