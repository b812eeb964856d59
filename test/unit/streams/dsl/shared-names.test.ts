import { describe, expect, test } from 'vitest';
import type { Consumed } from '../../../../src/streams/dsl/options.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { StateStoreDeclaration } from '../../../../src/streams/dsl/declared-stores.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { JoinWindows, Suppressed, TimeWindows } from '../../../../src/streams/dsl/windows.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { TopologyError } from '../../../../src/streams/topology/topology-error.ts';
import { bytesSerde, stringSerde } from '../../../../src/streams/topology/serde.ts';

const builderOfTexts = (): StreamsBuilder =>
  new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });

const rows: StateStoreDeclaration<string, string> = { name: 'rows', kind: 'key-value' };

const failureOf = (build: (builder: StreamsBuilder) => unknown): unknown => {
  try {
    const builder = builderOfTexts();
    build(builder);
    builder.build();
    return null;
  } catch (error) {
    return error;
  }
};

const keep = (): { process(): void } => ({ process: () => undefined });

describe('a store name that is used twice', () => {
  test.each<[string, (builder: StreamsBuilder) => unknown, string]>([
    [
      'by two counts',
      (b) => {
        b.stream<string, string>('a').groupByKey().count({ name: 'rows' });
        b.stream<string, string>('b').groupByKey().count({ name: 'rows' });
      },
      'store rows of KSTREAM-AGGREGATE-0000000003 has the name of a store of KSTREAM-AGGREGATE-0000000001',
    ],
    [
      'by a table and a reduce',
      (b) => {
        b.table<string, string>('a', {}, { name: 'rows' });
        b.stream<string, string>('b')
          .groupByKey()
          .reduce((_one, other) => other, { name: 'rows' });
      },
      'store rows of KSTREAM-REDUCE-0000000003 has the name of a store of KTABLE-SOURCE-0000000001',
    ],
    [
      'by windows and rows',
      (b) => {
        const grouped = b.stream<string, string>('a').groupByKey();
        grouped.count({ name: 'rows' });
        grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count({ name: 'rows' });
      },
      'store rows of KSTREAM-AGGREGATE-0000000002 has the name of a store of KSTREAM-AGGREGATE-0000000001',
    ],
    [
      'by two joins',
      (b) => {
        const one = b.stream<string, string>('a');
        const other = b.stream<string, string>('b');
        const windows = JoinWindows.ofTimeDifferenceWithNoGrace(10);
        for (let i = 0; i < 2; i++) one.join(other, (x, y) => x + y, windows, { storeName: 'both' });
      },
      'store both-this-join-store of KSTREAM-WINDOWED-0000000007 has the name of a store of KSTREAM-WINDOWED-0000000002',
    ],
    [
      'by a table that is filtered twice',
      (b) => {
        const table = b.table<string, string>('a');
        table.filter(() => true, { name: 'rows' });
        table.mapValues((value) => value, { name: 'rows' });
      },
      'store rows of KTABLE-MAPVALUES-0000000004 has the name of a store of KTABLE-FILTER-0000000003',
    ],
    [
      'by a global table and a table',
      (b) => {
        b.globalTable<string, string>('a', {}, { name: 'rows' });
        b.table<string, string>('b', {}, { name: 'rows' });
      },
      'store rows exists already',
    ],
    [
      'by two global tables',
      (b) => {
        b.globalTable<string, string>('a', {}, { name: 'rows' });
        b.globalTable<string, string>('b', {}, { name: 'rows' });
      },
      'store rows exists already',
    ],
    [
      'by two declarations',
      (b) => {
        b.addStateStore(rows).addStateStore({ ...rows, valueSerde: Serdes.bytes as never });
        b.stream<string, string>('a').process(keep, { stores: ['rows'] });
      },
      'store rows of addStateStore has the name of a store of addStateStore',
    ],
    [
      'by a declaration and an aggregate',
      (b) => {
        b.addStateStore(rows);
        b.stream<string, string>('a').process(keep, { stores: ['rows'] });
        b.stream<string, string>('b').groupByKey().count({ name: 'rows' });
      },
      'store rows of KSTREAM-AGGREGATE-0000000003 has the name of a store of addStateStore',
    ],
  ])('%s', (_, build, message) => {
    const error = failureOf(build);
    expect(error).toBeInstanceOf(TopologyError);
    expect(error).toHaveProperty('message', message);
    expect(error).toHaveProperty('hint', 'two stores of one name would be one store: give each its own');
  });

  test('is one store where it is the same declaration, or one aggregate of several streams', () => {
    const failure = failureOf((b) => {
      b.addStateStore(rows).addStateStore(rows);
      b.stream<string, string>('a').process(keep, { stores: ['rows'] });
      b.stream<string, string>('b')
        .groupByKey()
        .cogroup<string>((_key, value) => value)
        .cogroup(b.stream<string, string>('c').groupByKey(), (_key, value) => value)
        .aggregate(() => '', { name: 'together' });
    });
    expect(failure).toBeNull();
  });
});

describe('a topic that two streams read', () => {
  const own: typeof Serdes.string = { ...Serdes.string, serialize: () => undefined };

  test.each<[string, Consumed<string, string>, Consumed<string, string>]>([
    ['key serde', {}, { keySerde: own }],
    ['value serde', {}, { valueSerde: own }],
    ['offset reset', { offsetReset: { byDurationMs: 5 } }, { offsetReset: { byDurationMs: 6 } }],
    ['offset reset', { offsetReset: 'latest' }, {}],
    ['timestamp extractor', { timestampExtractor: () => 1 }, { timestampExtractor: () => 1 }],
  ])('by another %s', (what, first, second) => {
    const error = failureOf((b) => {
      b.stream<string, string>('a', first).to('out');
      b.stream<string, string>('a', second).to('out');
    });
    expect(error).toBeInstanceOf(TopologyError);
    expect(error).toHaveProperty(
      'message',
      `topic a is read by KSTREAM-SOURCE-0000000000 and by KSTREAM-SOURCE-0000000002 with another ${what}`,
    );
  });

  test('as a windowed topic and as a plain one', () => {
    const error = failureOf((b) => {
      b.stream('a').to('out');
      b.stream('a', { windowed: { kind: 'time', sizeMs: 10 } }).to('out');
    });
    expect(error).toHaveProperty('message', expect.stringContaining('with another window in its keys'));
  });

  test('alike is one source', () => {
    const builder = builderOfTexts();
    const consumed: Consumed<string, object> = {
      offsetReset: { byDurationMs: 5 },
      valueSerde: Serdes.json<object>(),
    };
    builder.stream<string, object>('a', consumed).to('one');
    builder.stream<string, object>('a', { ...consumed, keySerde: Serdes.string }).to('two');
    expect(builder.build().nodes.filter((node) => node.kind === 'source')).toHaveLength(1);
  });

  test('as a stream and as a table', () => {
    const error = failureOf((b) => {
      b.stream('a').to('out');
      b.table('a');
    });
    expect(error).toBeInstanceOf(TopologyError);
    expect(error).toHaveProperty('message', 'topic a is read by source KSTREAM-SOURCE-0000000000 already');
  });
});

test('mistakes in a topology that is put together by hand are TopologyErrors', () => {
  const topology = new Topology().addSource({
    name: 'read',
    topics: ['in'],
    key: bytesSerde,
    value: stringSerde,
  });
  const again = { name: 'other', topics: ['in'], key: bytesSerde, value: stringSerde };
  expect(() => topology.addSource(again)).toThrow(TopologyError);
  expect(() => topology.connectStore('rows', 'read')).toThrow(TopologyError);
  const orphan = { name: 'process', parents: ['nobody'], open: () => ({ process: () => undefined }) };
  expect(() => topology.addProcessor(orphan)).toThrow(TopologyError);
});

describe('a name that no topic could have', () => {
  const meet = JoinWindows.ofTimeDifferenceWithNoGrace(1);
  test.each<[string, (builder: StreamsBuilder, name: string) => unknown]>([
    ['of a store', (b, name) => b.stream('a').groupByKey().count({ name })],
    ['of an operation', (b, name) => b.stream('a').filter(() => true, { name })],
    ['of a processor', (b, name) => b.stream('a').process(keep, { name })],
    ['of a grouping', (b, name) => b.stream('a').groupByKey({ name }).count()],
    [
      'of a grouping of a table',
      (b, name) =>
        b
          .table('a')
          .groupBy((k, v) => [k, v], { name })
          .count(),
    ],
    ['of a repartition', (b, name) => b.stream('a').repartition({ name })],
    ['of a suppression', (b, name) => b.table('a').suppress(Suppressed.untilTimeLimit(1, { name }))],
    [
      'of the stores of a join',
      (b, name) => b.stream('a').join(b.stream('b'), () => 1, meet, { storeName: name }),
    ],
    ['of a table', (b, name) => b.table('a').mapValues(String, { name })],
    ['of a declared store', (b, name) => b.addStateStore({ ...rows, name })],
    ['of a global store', (b, name) => b.addGlobalStore({ ...rows, name }, 'a', keep)],
    ['of a read-only store', (b, name) => b.addReadOnlyStateStore('a', { name })],
  ])('%s', (_, build) => {
    for (const name of ['', 'a/b', '../a', '..', 'a b', 'a'.repeat(250), 5 as unknown as string])
      expect(failureOf((b) => build(b, name))).toMatchObject({
        message: expect.stringMatching(/ cannot be a name$/) as string,
        hint: 'use up to 249 letters, digits, dots, underscores and dashes',
      });
    expect(failureOf((b) => build(b, 'A-b_c.1'))).toBeNull();
  });
});

test('a store is of a kind that there is', () => {
  const declared = { name: 'rows', kind: 'keyvalue' } as never;
  expect(failureOf((b) => b.addStateStore(declared))).toHaveProperty(
    'message',
    'store rows is of kind "keyvalue"',
  );
});

test('a processor without parents would never see a record', () => {
  const open = () => ({ process: () => undefined });
  expect(() => new Topology().addProcessor({ name: 'lost', parents: [], open })).toThrow(
    'node lost has no parents',
  );
});
