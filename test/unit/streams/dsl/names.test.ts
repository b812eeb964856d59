import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { JoinWindows, SessionWindows, Suppressed, TimeWindows } from '../../../../src/streams/dsl/windows.ts';

/** What `Topology.describe()` of Kafka Streams 4.1 names for the same program: nodes, topics and stores in them. */
const NAMES = new URL('../../../fixtures/streams-names.txt', import.meta.url);

test('nodes and topics have the names that Kafka Streams gives them', () => {
  const S = Serdes.string;
  const j3 = { ...c, otherValueSerde: S };
  const b = new StreamsBuilder();
  const s1 = b.stream<string, string>('s1', c);
  const s2 = b.stream<string, string>('s2', c);
  const t1 = b.table<string, string>('t1', c);
  const t2 = b.table<string, string>('t2', c, { name: 't2-store' });
  const g = b.globalTable<string, string>('g', c);
  const f = s1
    .filter(() => true)
    .filterNot(() => false)
    .mapValues((v) => v)
    .selectKey((_k, v) => v);
  const m = f.merge(s2.map((k, v) => [k, v] as const)).peek(() => {});
  m.groupByKey(c).count();
  s1.groupBy((_k, v) => v, c).count({ name: 'named-count' });
  m.groupByKey({ ...c, name: 'grouped' }).reduce((_x, y) => y);
  s1.groupByKey(c)
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count()
    .suppress(Suppressed.untilWindowCloses())
    .toStream()
    .foreach(() => {});
  s1.groupByKey(c)
    .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10))
    .reduce((_x, y) => y)
    .toStream((k) => k.key)
    .to('o1', c);
  const w = JoinWindows.ofTimeDifferenceWithNoGrace(10);
  s1.join(s2, (x, y) => x + y, w, j3).to('o2', c);
  f.outerJoin(s2, (x, y) => `${x}${y}`, w, j3).to('o3', c);
  s1.leftJoin(s2, (x, y) => `${x}${y}`, w, { ...j3, name: 'lj', storeName: 'ljs' }).to('o4', c);
  f.join(t1, (x, y) => x + y, j3)
    .leftJoin(
      g,
      (_k, v) => v,
      (x, y) => `${x}${y}`,
    )
    .to('o5', c);
  const tj = t1
    .filter(() => true)
    .mapValues((v) => v)
    .join(t2, (x, y) => x + y, c);
  tj.leftJoin(
    t2,
    (v) => v,
    (x, y) => `${x}${y}`,
    c,
  )
    .toStream()
    .to('o6', c);
  tj.groupBy((_k, v) => [v, v] as const, c)
    .count()
    .toStream()
    .to('o7', { keySerde: S, valueSerde: Serdes.long });
  f.toTable(c)
    .filter(() => true, { name: 'ff' })
    .toStream()
    .to('o8', c);
  s1.repartition(c)
    .repartition({ ...c, name: 'rep' })
    .to('o9', c);
  s1.groupByKey(c)
    .cogroup<string>((_k, v) => v)
    .cogroup(f.groupByKey(c), (_k, v) => v)
    .aggregate(() => '', c)
    .toStream()
    .to('o10', c);
  const br = s1
    .split()
    .branch(() => true)
    .branch(() => true, { name: '-two' })
    .defaultBranch();
  br.get([...br.keys()].sort()[0]!)!
    .flatMapValues((v) => [v])
    .flatMap((k, v) => [[k, v] as const])
    .to('o11', c);
  const topology = b.build();
  const names = new Set<string>();
  for (const node of topology.nodes) {
    names.add(`${node.kind[0]!.toUpperCase()}${node.kind.slice(1)}: ${node.name}`);
    if (node.kind === 'sink' && typeof node.topic === 'string') names.add(`topic: ${node.topic}`);
  }
  for (const { source, processorName } of topology.globalStores)
    names.add(`Source: ${source.name}`).add(`Processor: ${processorName}`);
  const wanted = readFileSync(NAMES, 'utf8').trim().split('\n');
  expect([...names].sort()).toEqual(wanted.sort());
});

test('stores are named after their operation, and changelogs after them', () => {
  const builder = new StreamsBuilder(c);
  builder.stream<string, string>('in').groupByKey().count().toStream().groupByKey().count({ name: 'second' });
  expect(builder.build().stores.map(({ options }) => options.name)).toEqual([
    'KSTREAM-AGGREGATE-STATE-STORE-0000000001',
    'second',
  ]);
});

const c = { keySerde: Serdes.string, valueSerde: Serdes.string };
