import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { ALL_OPTIMIZATIONS } from '../../../../src/streams/dsl/graph.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { passThrough } from '../../../../src/streams/processors/pass-through.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { textValues } from '../../../harness/text-values.ts';

const source = (name: string, ...topics: string[]) => ({
  name,
  topics,
  key: stringSerde,
  value: stringSerde,
});
const processor = (name: string, ...parents: string[]) => ({ name, parents, open: passThrough() });
const sink = (name: string, topic: string, ...parents: string[]) => ({
  name,
  topic,
  parents,
  key: stringSerde,
  value: stringSerde,
});
const store = (name: string, ...processors: string[]) => ({
  options: { kind: 'key-value', name, values: textValues, changelog: true, persistent: true } as const,
  processors,
});

describe('what does not fit together is refused', () => {
  const topology = (): Topology =>
    new Topology()
      .addSource(source('s', 'in'))
      .addProcessor(processor('p', 's'))
      .addSink(sink('k', 'out', 'p'));

  test.each<[string, (topology: Topology) => unknown, RegExp]>([
    ['a name twice', (t) => t.addProcessor(processor('p', 's')), /node p exists already/],
    ['a source of that name', (t) => t.addSource(source('p', 'other')), /node p exists already/],
    ['a topic twice', (t) => t.addSource(source('s2', 'x', 'in')), /topic in is read by source s already/],
    ['a parent that is not there', (t) => t.addProcessor(processor('q', 'nobody')), /no node nobody/],
    ['a parent that comes later', (t) => t.addProcessor(processor('q', 'q')), /no node q/],
    ['a sink as a parent', (t) => t.addProcessor(processor('q', 'k')), /sink k has no children/],
    [
      'a store twice',
      (t) => t.addStore(store('r', 'p')).addStore(store('r', 'p')),
      /store r of p has the name of a store of p/,
    ],
    ['a store of nobody', (t) => t.addStore(store('r', 'nobody')), /no processor nobody/],
    ['a store of a source', (t) => t.addStore(store('r', 's')), /no processor s/],
    [
      'a store that is not there',
      (t) => t.connectStore('r', 'p').subTopologies(),
      /p asks for store r, which does not exist/,
    ],
    [
      'a repartition topic twice',
      (t) =>
        t
          .addRepartitionTopic({ name: 'r', partitions: null })
          .addRepartitionTopic({ name: 'r', partitions: 1 }),
      /repartition topic r exists already/,
    ],
  ])('%s', (_, change, error) => {
    expect(() => change(topology())).toThrow(error);
  });
});

/** Nodes with the numbers of nodes before them as parents; stores as pairs of nodes. */
const graphs = fc
  .record({
    parents: fc.array(fc.array(fc.nat(100), { maxLength: 2 }), { minLength: 1, maxLength: 14 }),
    stores: fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { maxLength: 3 }),
  })
  .map(({ parents, stores }) => ({
    parents: parents.map((of, i) => [...new Set(i === 0 ? [] : of.map((each) => each % i))]),
    stores,
  }));

test('what hangs together is a sub-topology, numbered by its first node, in the order of adding', () => {
  fc.assert(
    fc.property(graphs, ({ parents, stores }) => {
      const topology = new Topology();
      const links: [number, number][] = [];
      for (const [i, of] of parents.entries()) {
        if (of.length === 0) topology.addSource(source(`n${i}`, `t${i}`));
        else topology.addProcessor(processor(`n${i}`, ...of.map((each) => `n${each}`)));
        for (const each of of) links.push([i, each]);
      }
      const processors = parents.flatMap((of, i) => (of.length > 0 ? [i] : []));
      for (const [s, pair] of stores.entries()) {
        if (processors.length === 0) break;
        const [a, b] = pair.map((each) => processors[each % processors.length]!) as [number, number];
        topology.addStore(store(`s${s}`, `n${a}`));
        if (a !== b) topology.connectStore(`s${s}`, `n${b}`);
        links.push([a, b]);
      }

      // Each node takes the least number that it can reach.
      const group = parents.map((_, i) => i);
      for (let changed = true; changed;) {
        changed = false;
        for (const [a, b] of links) {
          const least = Math.min(group[a]!, group[b]!);
          if (group[a] === least && group[b] === least) continue;
          group[a] = group[b] = least;
          changed = true;
        }
      }
      const firsts = [...new Set(group)].sort((a, b) => a - b);
      const subs = topology.subTopologies();
      expect(subs.map(({ index }) => index)).toEqual(firsts.map((_, i) => i));
      expect(subs.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual(
        firsts.map((first) => group.flatMap((of, i) => (of === first ? [`n${i}`] : []))),
      );
      for (const sub of subs)
        for (const { processors: users } of sub.stores)
          for (const user of users) expect(sub.nodes.map(({ name }) => name)).toContain(user);
      expect(subs.flatMap((sub) => sub.stores)).toHaveLength(topology.stores.length);
      // The text says the same of each node.
      const text = topology.describe();
      for (const { name } of topology.nodes) expect(text).toContain(`: ${name} (`);
    }),
  );
});

/** As the descriptions of Kafka Streams 4.1 have it for the same operations. */
describe('repartition topics', () => {
  const counted = (optimized: boolean): string[] => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    const keyed = builder.stream<string, string>('in').selectKey((_key, value) => value);
    keyed.groupByKey().count();
    keyed
      .mapValues((value) => value)
      .groupByKey()
      .count();
    keyed
      .filter(() => true)
      .groupByKey()
      .count();
    const topology = builder.build(optimized ? ALL_OPTIMIZATIONS : {});
    return topology.repartitionTopics.map(({ name }) => name);
  };

  test('each aggregate has one of its own, unless they are merged', () => {
    const names = [2, 8, 14].map(
      (n) => `KSTREAM-AGGREGATE-STATE-STORE-${String(n).padStart(10, '0')}-repartition`,
    );
    expect(counted(false)).toEqual(names);
    // A new value in between: what goes through the topic would not be the same.
    expect(counted(true)).toEqual(names.slice(0, 2));
  });
});

test('the same program gives the same topology', () => {
  const build = (): string => {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    const table = builder.table<string, string>('t');
    const stream = builder.stream<string, string>('s').selectKey((_key, value) => value);
    stream
      .leftJoin(table, (left) => left)
      .groupBy((_key, value) => value)
      .count();
    table.groupBy((key, value): [string, string] => [value, key]).count();
    return builder.build(ALL_OPTIMIZATIONS).describe();
  };
  expect(build()).toBe(build());
});
