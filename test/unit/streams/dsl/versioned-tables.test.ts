import { describe, expect, test } from 'vitest';
import type { KStream } from '../../../../src/streams/dsl/kstream.ts';
import type { KTable } from '../../../../src/streams/dsl/ktable.ts';
import type { Materialized } from '../../../../src/streams/dsl/options.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { ALL_OPTIMIZATIONS } from '../../../../src/streams/dsl/graph.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { Suppressed, TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { drive, type Piped, type Result } from '../../../harness/drive.ts';

/** The rows are what Kafka Streams 4.1 wrote for the same topology and records. */

type Texts = KTable<string, string>;

const versions = (name: string): Materialized<string, string> => ({
  name,
  versioned: { historyRetentionMs: 1000 },
});
const table = (builder: StreamsBuilder): Texts => builder.table<string, string>('t', {}, versions('v'));
const other = (builder: StreamsBuilder): Texts => builder.table<string, string>('u', {}, versions('w'));
const plain = (builder: StreamsBuilder, topic = 't'): Texts => builder.table<string, string>(topic);
const pair = (left: string | null, right: string | null): string => `${left}${right}`;
const notB = (_key: string, value: string): boolean => value !== 'b';
/** What each group was made of, in order. */
const grouped = (of: Texts, materialized?: Materialized<string, string>): Texts =>
  of
    .groupBy((_key, value): [string, string] => ['g', value])
    .aggregate(
      () => '',
      (_key, value, state) => `${state}+${value}`,
      (_key, value, state) => `${state}-${value}`,
      materialized,
    );
const out = (of: { toStream(): KStream<string, string> }): void => of.toStream().to('out');

const changes: Piped[] = [
  ['t', 'k', 'a', 10],
  ['t', 'k', 'c', 30],
  ['t', 'k', 'b', 20],
  ['t', 'j', 'x', 100_000],
  ['t', 'k', 'late', 5],
  ['t', 'k', null, 99_995],
  ['t', 'k', 'z', 99_990],
  ['t', 'k', 'y', 99_999],
  ['t', 'm', null, 99_999],
];

describe('versioned tables (KIP-914)', () => {
  test('old records are changes too, unless they are older than the history', async () => {
    const rows: Result[] = [
      ['k', 'a', 10],
      ['k', 'c', 30],
      ['k', 'b', 20],
      ['j', 'x', 100_000],
      ['k', null, 99_995],
      ['k', 'z', 99_990],
      ['k', 'y', 99_999],
      ['m', null, 99_999],
    ];
    expect(await drive((builder) => out(table(builder)), changes)).toEqual(rows);
    expect(
      await drive((builder) => out(builder.stream<string, string>('t').toTable(versions('v'))), changes),
    ).toEqual(rows);
  });

  test.each([
    ['a view', (of: Texts) => of.filter((key, value) => notB(key, value) && value !== 'z'), null],
    ['a store of the latest rows', (of: Texts) => of.filter(notB, { name: 'f' }), 'z'],
    ['a versioned store', (of: Texts) => of.filter(notB, versions('f')), 'z'],
    ['two views', (of: Texts) => of.filter(notB).filter(() => true), 'z'],
  ])('a filter forwards every removal, for it may be a version: %s', async (_, filter, z) => {
    expect(await drive((builder) => out(filter(table(builder))), changes)).toEqual([
      ['k', 'a', 10],
      ['k', 'c', 30],
      ['k', null, 20],
      ['j', 'x', 100_000],
      ['k', null, 99_995],
      ['k', z, 99_990],
      ['k', 'y', 99_999],
      ['m', null, 99_999],
    ]);
  });

  test('aggregates leave out what is not the newest', async () => {
    const rows: Result[] = [
      ['g', '+a', 10],
      ['g', '+a-a+c', 30],
      ['g', '+a-a+c+x', 100_000],
      ['g', '+a-a+c+x-c', 100_000],
      ['g', '+a-a+c+x-c+y', 100_000],
    ];
    expect(await drive((builder) => out(grouped(table(builder))), changes)).toEqual(rows);
    expect(await drive((builder) => out(grouped(table(builder).mapValues((v) => v))), changes)).toEqual(rows);
    expect(
      await drive((builder) => out(grouped(table(builder).mapValues((v) => v, versions('m')))), changes),
    ).toEqual(rows);
  });

  test('behind a store of the latest rows every change is the newest', async () => {
    expect(
      await drive((builder) => out(grouped(table(builder).filter(() => true, { name: 'f' }))), changes),
    ).toEqual([
      ['g', '+a', 10],
      ['g', '+a-a+c', 30],
      ['g', '+a-a+c-c+b', 30],
      ['g', '+a-a+c-c+b+x', 100_000],
      ['g', '+a-a+c-c+b+x-b', 100_000],
      ['g', '+a-a+c-c+b+x-b+z', 100_000],
      ['g', '+a-a+c-c+b+x-b+z-z+y', 100_000],
    ]);
  });

  test('a versioned result of a table aggregate', async () => {
    expect(await drive((builder) => out(grouped(plain(builder), versions('g'))), changes)).toEqual([
      ['g', '+a', 10],
      ['g', '+a-a+c', 30],
      ['g', '+a-a+c-c+b', 30],
      ['g', '+a-a+c-c+b+x', 100_000],
      ['g', '+a-a+c-c+b+x-b+late', 100_000],
      ['g', '+a-a+c-c+b+x-b+late-late', 100_000],
      ['g', '+a-a+c-c+b+x-b+late-late+z', 100_000],
      ['g', '+a-a+c-c+b+x-b+late-late+z-z+y', 100_000],
    ]);
  });

  test('a stream aggregate into a versioned store drops results that are older than the history', async () => {
    const piped: Piped[] = [
      ['t', 'k', 'a', 10],
      ['t', 'k', 'c', 30],
      ['t', 'k', 'b', 20],
      ['t', 'j', 'x', 100_000],
      ['t', 'k', 'late', 5],
      ['t', 'n', 'new', 5],
      ['t', 'k', 'y', 99_990],
      ['t', 'm', 'y', 98_999],
      ['t', 'm', 'y', 99_000],
    ];
    expect(
      await drive(
        (builder) =>
          out(
            builder
              .stream<string, string>('t')
              .groupByKey()
              .aggregate(
                () => '',
                (_key, value, state) => `${state}+${value}`,
                versions('v'),
              ),
          ),
        piped,
      ),
    ).toEqual([
      ['k', '+a', 10],
      ['k', '+a+c', 30],
      ['k', '+a+c+b', 30],
      ['j', '+x', 100_000],
      ['k', '+a+c+b+y', 99_990],
      ['m', '+y', 99_000],
    ]);
  });

  const both: Piped[] = [
    ['t', 'k', 'a', 10],
    ['u', 'k', 'A', 15],
    ['t', 'k', 'c', 30],
    ['u', 'k', 'B', 12],
    ['t', 'k', 'b', 20],
    ['u', 'k', 'C', 40],
    ['t', 'k', null, 50],
    ['t', 'k', 'd', 45],
    ['u', 'k', null, 60],
  ];
  const inner: Result[] = [
    ['k', 'aA', 15],
    ['k', 'cA', 30],
    ['k', 'cC', 40],
    ['k', null, 50],
  ];
  const left: Result[] = [['k', 'anull', 10], ...inner];

  test.each<[string, (builder: StreamsBuilder) => Texts, Result[]]>([
    ['join', (b) => table(b).join(other(b), pair), inner],
    ['join into a versioned store', (b) => table(b).join(other(b), pair, versions('j')), inner],
    ['leftJoin', (b) => table(b).leftJoin(other(b), pair), left],
    [
      'outerJoin',
      (b) => table(b).outerJoin(other(b), pair),
      [...left.slice(0, -1), ['k', 'nullC', 50], ['k', null, 60]],
    ],
    [
      'join with a plain table',
      (b) => table(b).join(plain(b, 'u'), pair),
      [...inner.slice(0, 2), ['k', 'cB', 30], ...inner.slice(2)],
    ],
    [
      'join of plain tables into a versioned store',
      (b) => plain(b).join(plain(b, 'u'), pair, versions('j')),
      [
        ['k', 'aA', 15],
        ['k', 'cA', 30],
        ['k', 'cB', 30],
        ['k', 'bB', 20],
        ['k', 'bC', 40],
        ['k', null, 50],
        ['k', 'dC', 45],
        ['k', null, 60],
      ],
    ],
    ['join by foreign key', (b) => table(b).join(other(b), () => 'k', pair), inner],
    ['leftJoin by foreign key', (b) => table(b).leftJoin(other(b), () => 'k', pair), left],
  ])('joins of tables leave out what is not the newest: %s', async (_, build, rows) => {
    expect(await drive((builder) => out(build(builder)), both)).toEqual(rows);
  });

  test('what cannot be versioned is refused', () => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    expect(() => table(builder).suppress(Suppressed.untilTimeLimit(10))).toThrow(/cannot be held back/);
    expect(() => builder.globalTable('g', {}, versions('g'))).toThrow(/cannot be versioned/);
    expect(() => builder.addStateStore({ name: 's', kind: 'versioned' })).toThrow(/without the option/);
    builder
      .stream<string, string>('s')
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
      .count({ name: 'c', versioned: { historyRetentionMs: 10 } });
    expect(() => builder.build()).toThrow(/cannot be versioned/);
    expect(() =>
      new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string }).table(
        't',
        {},
        { name: 'v', versioned: { historyRetentionMs: -1 } },
      ),
    ).toThrow(/historyRetentionMs of store v is -1/);
  });
});

describe('a stream joined with a versioned table', () => {
  const piped: Piped[] = [
    ['s', 'k', '0', 5],
    ['t', 'k', 'a', 10],
    ['t', 'k', 'c', 30],
    ['s', 'k', '1', 9],
    ['s', 'k', '2', 10],
    ['s', 'k', '3', 29],
    ['s', 'k', '4', 30],
    ['t', 'k', 'b', 20],
    ['s', 'k', '5', 29],
    ['t', 'k', null, 40],
    ['s', 'k', '6', 45],
    ['s', 'k', '7', 35],
    ['t', 'j', 'x', 5000],
    ['s', 'k', '8', 35],
    ['s', 'k', '8b', 4500],
    ['t', 'k', 'd', 5000],
    ['s', 'k', '9', 5000],
    ['s', null, 'n', 5000],
    ['s', 'k', null, 5000],
    ['s', 'q', 'none', 5001],
  ];

  test('finds the row as it was at the record’s time', async () => {
    const join = (builder: StreamsBuilder): void =>
      builder.stream<string, string>('s').join(table(builder), pair).to('out');
    expect(await drive(join, piped)).toEqual([
      ['k', '2a', 10],
      ['k', '3a', 29],
      ['k', '4c', 30],
      ['k', '5b', 29],
      ['k', '7c', 35],
      ['k', '9d', 5000],
    ]);
  });

  test('through views, too', async () => {
    const join = (builder: StreamsBuilder): void =>
      builder
        .stream<string, string>('s')
        .leftJoin(
          table(builder)
            .filter(notB)
            .mapValues((value) => `${value}!`),
          pair,
        )
        .to('out');
    expect(await drive(join, piped)).toEqual([
      ['k', '0null', 5],
      ['k', '1null', 9],
      ['k', '2a!', 10],
      ['k', '3a!', 29],
      ['k', '4c!', 30],
      ['k', '5null', 29],
      ['k', '6null', 45],
      ['k', '7c!', 35],
      ['k', '8null', 35],
      ['k', '8bnull', 4500],
      ['k', '9d!', 5000],
      [null, 'nnull', 5000],
      ['q', 'nonenull', 5001],
    ]);
  });

  test('a join of tables has no history', async () => {
    const join = (builder: StreamsBuilder): void =>
      builder
        .stream<string, string>('s')
        .leftJoin(table(builder).leftJoin(plain(builder, 'u'), pair), pair)
        .to('out');
    expect((await drive(join, piped)).slice(0, 6)).toEqual([
      ['k', '0null', 5],
      ['k', '1cnull', 9],
      ['k', '2cnull', 10],
      ['k', '3cnull', 29],
      ['k', '4cnull', 30],
      ['k', '5cnull', 29],
    ]);
  });
});

describe('a stream-table join with grace (KIP-923)', () => {
  const joined = (graceMs: number, kind: 'join' | 'leftJoin' = 'join', view = false) => {
    return (builder: StreamsBuilder): void => {
      const right = view ? table(builder).mapValues((value) => `${value}!`) : table(builder);
      const stream = builder.stream<string, string>('s');
      if (kind === 'join') stream.join(right, pair, { graceMs }).to('out');
      else stream.leftJoin(right, pair, { graceMs }).to('out');
    };
  };
  const piped: Piped[] = [
    ['t', 'k', 'a', 10],
    ['s', 'k', '1', 12],
    ['s', 'k', '2', 20],
    ['s', 'k', '3', 15],
    ['t', 'k', 'b', 14],
    ['s', 'j', '4', 21],
    ['s', 'b', '5', 21],
    ['s', 'k', '6', 22],
    ['t', 'k', 'c', 21],
    ['s', 'k', '7', 31],
    ['s', 'k', '8', 12],
    ['s', 'k', '9', 21],
    ['s', 'k', '10', 22],
  ];
  const more: Piped[] = [
    ['s', null, 'n', 40],
    ['s', 'k', null, 60],
    ['s', 'k', '11', 60],
    ['s', 'k', '12', 200],
    ['s', 'k', '13', 190],
    ['s', 'k', '14', 189],
    ['s', null, 'm', 300],
    ['s', 'k', '15', 400],
  ];
  const rows: Result[] = [
    ['k', '1a', 12],
    ['k', '3b', 15],
    ['k', '2b', 20],
    ['k', '8a', 12],
    ['k', '9c', 21],
    ['k', '6c', 22],
    ['k', '10c', 22],
    ['k', '7c', 31],
    ['k', '11c', 60],
    ['k', '13c', 190],
    ['k', '14c', 189],
    ['k', '12c', 200],
  ];

  test('records wait, and leave in the order of time; late ones are joined at once', async () => {
    expect(await drive(joined(10), [...piped, ...more])).toEqual(rows);
    expect(await drive(joined(10, 'join', true), [...piped, ...more])).toEqual(
      rows.map(([key, value, time]) => [key, `${value}!`, time]),
    );
  });

  test('a left join keeps records without a row', async () => {
    expect(await drive(joined(10, 'leftJoin'), piped)).toEqual([
      ['k', '1a', 12],
      ['k', '3b', 15],
      ['k', '2b', 20],
      ['b', '5null', 21],
      ['j', '4null', 21],
      ['k', '8a', 12],
      ['k', '9c', 21],
    ]);
  });

  test('records without a key do not wait in a left join: Kafka Streams 4.1 stops there', async () => {
    expect(await drive(joined(10, 'leftJoin'), [['s', null, 'n', 40]])).toEqual([[null, 'nnull', 40]]);
  });

  test('without any grace a record is joined as it comes', async () => {
    expect(await drive(joined(0, 'leftJoin'), piped)).toEqual([
      ['k', '1a', 12],
      ['k', '2a', 20],
      ['k', '3a', 15],
      ['j', '4null', 21],
      ['b', '5null', 21],
      ['k', '6b', 22],
      ['k', '7c', 31],
      ['k', '8a', 12],
      ['k', '9c', 21],
      ['k', '10c', 22],
    ]);
  });

  test('records of one time leave by key, then as they came', async () => {
    expect(
      await drive(joined(10, 'leftJoin'), [
        ['t', 'k', 'a', 10],
        ['t', 'ab', 'b', 10],
        ['t', 'a', 'c', 10],
        ['s', 'k', '1', 100],
        ['s', 'ab', '1', 100],
        ['s', 'a', '1', 100],
        ['s', 'a', '2', 100],
        ['s', 'k', '0', 99],
        ['s', 'a', '3', 100],
        ['s', 'z', '9', 200],
        ['s', 'z', '9', 300],
      ]),
    ).toEqual([
      ['k', '0a', 99],
      ['a', '1c', 100],
      ['a', '2c', 100],
      ['a', '3c', 100],
      ['ab', '1b', 100],
      ['k', '1a', 100],
      ['z', '9null', 200],
    ]);
  });

  test('records that are dropped do not move the time on', async () => {
    expect(
      await drive(joined(10), [
        ['t', 'k', 'a', 10],
        ['s', 'k', '1', 100],
        ['s', null, 'n', 300],
        ['t', 'k', 'b', 90],
        ['s', 'k', '2', 285],
        ['s', 'k', '3', 295],
        ['s', 'k', '4', 120],
        ['s', 'k', '5', 296],
        ['s', 'k', '6', 350],
      ]),
    ).toEqual([
      ['k', '1b', 100],
      ['k', '2b', 285],
      ['k', '4b', 120],
      ['k', '3b', 295],
      ['k', '5b', 296],
    ]);
  });

  test('the table must have a history that is long enough', () => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    const stream = builder.stream<string, string>('s');
    expect(() => stream.join(plain(builder, 'p'), pair, { graceMs: 10 })).toThrow(/keeps no history/);
    expect(() => stream.join(table(builder), pair, { graceMs: 1001 })).toThrow(/1000 ms long/);
    expect(() => stream.join(other(builder), pair, { graceMs: -1 })).toThrow(/grace period of .* is -1/);
  });

  test('the buffer has a store and a changelog of its own, named after the join', () => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder.stream<string, string>('s').join(table(builder), pair, { graceMs: 10 }).to('out');
    builder.stream<string, string>('s').join(other(builder), pair, { graceMs: 10, name: 'named' }).to('out2');
    const topology = builder.build();
    expect(topology.describe()).toContain(
      'Processor: KSTREAM-JOIN-0000000003 (stores: [v, KSTREAM-JOIN-0000000003-Buffer])',
    );
    expect(topology.stores.map(({ options }) => [options.name, options.changelog])).toContainEqual([
      'named-Buffer',
      true,
    ]);
  });
});

test('the topic of a versioned table is never its changelog: compaction would take versions away', () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  table(builder);
  builder.table<string, string>('u', {}, { name: 'w' });
  const { stores } = builder.build(ALL_OPTIMIZATIONS);
  expect(stores.map(({ options, sourceTopic }) => [options.name, options.changelog, sourceTopic])).toEqual([
    ['v', true, undefined],
    ['w', false, 'u'],
  ]);
});

test('the test driver shows versions', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  table(builder);
  const driver = await TopologyTestDriver.open(builder.build());
  const input = driver.createInputTopic('t', Serdes.string, Serdes.string);
  await input.pipeInput('k', 'b', 20);
  await input.pipeInput('k', 'a', 10);
  const store = driver.getVersionedStore<string, string>('v');
  expect(store.get('k')).toEqual({ value: 'b', timestamp: 20, validTo: null });
  expect(store.get('k', 19)).toEqual({ value: 'a', timestamp: 10, validTo: 20 });
  expect(store.get('k', 9)).toBeNull();
  expect(store.versions('k').map(({ value }) => value)).toEqual(['a', 'b']);
  await driver.close();
});
