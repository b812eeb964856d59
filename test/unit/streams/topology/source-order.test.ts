import { expect, test } from 'vitest';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { sourceOrder } from '../../../../src/streams/topology/source-order.ts';

/** The topics of the first sub-topology, in the order in which records of one time are read. */
function orderOf(describe: (builder: StreamsBuilder) => void): string[] {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  describe(builder);
  const sub = builder.build().subTopologies()[0]!;
  const order = sourceOrder(sub);
  const sources = sub.nodes.flatMap((node) => (node.kind === 'source' ? [node] : []));
  return sources
    .toSorted((a, b) => order.get(a.name)! - order.get(b.name)!)
    .map(({ topics, name }) => `${order.get(name)} ${topics.join()}`);
}

const both = (a: string | null, b: string | null): string => `${a}${b}`;

test('a table goes before the stream that looks it up', () => {
  expect(
    orderOf((builder) => {
      const stream = builder.stream<string, string>('s');
      stream.join(builder.table<string, string>('t'), both).to('out');
    }),
  ).toEqual(['0 t', '1 s']);
});

test('tables of a chain, and of a join of tables, all go before the stream', () => {
  expect(
    orderOf((builder) => {
      const stream = builder.stream<string, string>('s');
      const joined = builder.table<string, string>('t').leftJoin(builder.table<string, string>('u'), both);
      stream.join(joined, both).leftJoin(builder.table<string, string>('v'), both).to('out');
    }),
  ).toEqual(['0 t', '0 u', '0 v', '3 s']);
});

test('a stream that is counted goes before the one that looks the counts up, whatever else it does', () => {
  expect(
    orderOf((builder) => {
      const reader = builder.stream<string, string>('reader');
      const counted = builder.stream<string, string>('counted');
      const counts = counted.groupByKey().count();
      reader.leftJoin(counts.mapValues(String), both).to('out');
      counted.to('copy');
    }),
  ).toEqual(['0 counted', '1 reader']);
});

test('sources that look each other up stay as they were added', () => {
  expect(
    orderOf((builder) => {
      const left = builder.table<string, string>('left');
      left.join(builder.table<string, string>('right'), both).toStream().to('out');
    }),
  ).toEqual(['0 left', '0 right']);
});
