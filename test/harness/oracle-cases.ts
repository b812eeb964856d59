import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { GlobalKTable } from '../../src/streams/dsl/global-ktable.ts';
import type { KGroupedStream } from '../../src/streams/dsl/grouped-stream.ts';
import type { KGroupedTable } from '../../src/streams/dsl/grouped-table.ts';
import { ALL_OPTIMIZATIONS } from '../../src/streams/dsl/graph.ts';
import { KStream } from '../../src/streams/dsl/kstream.ts';
import { KTable } from '../../src/streams/dsl/ktable.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import {
  JoinWindows,
  SessionWindows,
  SlidingWindows,
  Suppressed,
  TimeWindows,
} from '../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../src/streams/topology/windowed.ts';
import {
  TopologyTestDriver,
  type TestInputTopic,
} from '../../src/streams/test-driver/topology-test-driver.ts';

import type { Topology } from '../../src/streams/topology/topology.ts';

/** One operation of a case; which fields are set follows from `op`. */
export interface OracleOp {
  readonly id?: string;
  readonly op: string;
  readonly in?: string;
  readonly with?: string;
  readonly topic?: string;
  readonly [option: string]: unknown;
}

export type OracleInput =
  | { readonly wall: number }
  | {
      readonly topic: string;
      readonly key: string | null;
      readonly value: number | null;
      readonly ts: number;
    };

/** A random topology and what is piped into it. */
export interface OracleCase {
  readonly id: number;
  readonly optimize: boolean;
  readonly ops: readonly OracleOp[];
  readonly inputs: readonly OracleInput[];
}

/** By topic: key, value and timestamp of each record. */
export type OracleOutputs = Record<string, [key: string | null, value: number | null, timestamp: number][]>;

type Value = number | null;
type Stream = KStream<string | null, Value>;
type Table = KTable<string, number>;

const mod = (value: number, by: number): number => ((value % by) + by) % by;
const keyOf = (value: number, n: number): string => `k${mod(value, n)}`;
const joined = (left: Value, right: Value): number => mod((left ?? 7) * 31 + (right ?? 13), 1_000_003);
const consumed = { keySerde: Serdes.string, valueSerde: Serdes.long };

/** The topology of a case, with the topics it writes and those it is given. */
export function topologyOf(test: OracleCase): {
  topology: Topology;
  sinks: readonly string[];
  topics: readonly string[];
} {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.long });
  const nodes = new Map<string, unknown>();
  const sinks: string[] = [];
  for (const op of test.ops) {
    const result = apply(builder, op, nodes, sinks);
    if (result !== null && op.id !== undefined) nodes.set(op.id, result);
  }
  const topics = new Set(test.inputs.flatMap((input) => ('topic' in input ? [input.topic] : [])));
  return { topology: builder.build(test.optimize ? ALL_OPTIMIZATIONS : {}), sinks, topics: [...topics] };
}

/** Runs a case through the public DSL and the test driver; with an empty directory for its state, all of it read from there. */
export async function runOracleCase(test: OracleCase, stateOnDisk?: string): Promise<OracleOutputs> {
  const { topology, sinks, topics } = topologyOf(test);
  const counts = Object.fromEntries(topics.map((topic) => [topic, 1]));
  const driver = await TopologyTestDriver.open(topology, {
    topics: counts,
    changelogs: false,
    ...(stateOnDisk !== undefined && { stateOnDisk }),
  });
  const inputs = new Map<string, TestInputTopic<string, number>>();
  for (const input of test.inputs) {
    if ('wall' in input) {
      await driver.advanceWallClockTime(input.wall);
      continue;
    }
    let topic = inputs.get(input.topic);
    if (topic === undefined)
      inputs.set(input.topic, (topic = driver.createInputTopic(input.topic, Serdes.string, Serdes.long)));
    await topic.pipeInput(input.key, input.value, input.ts);
  }
  const outputs: OracleOutputs = {};
  for (const sink of sinks) {
    const records = await driver.createOutputTopic(sink, Serdes.string, Serdes.long).readRecords();
    outputs[sink] = records.map(({ key, value, timestamp }) => [key, value, timestamp]);
  }
  await driver.close();
  return outputs;
}

function apply(
  builder: StreamsBuilder,
  op: OracleOp,
  nodes: ReadonlyMap<string, unknown>,
  sinks: string[],
): unknown {
  const number = (name: string): number => op[name] as number;
  const source = op.in === undefined ? undefined : nodes.get(op.in);
  const other = op.with === undefined ? undefined : nodes.get(op.with);
  const stream = source as Stream;
  const table = source as Table;
  const isStream = source instanceof KStream;
  const holds = (value: number): boolean => mod(value, number('mod')) === number('rem');
  switch (op.op) {
    case 'stream':
      return builder.stream(op.topic!, consumed);
    case 'table':
      return builder.table(op.topic!, consumed, consumed);
    case 'globalTable':
      return builder.globalTable(op.topic!, consumed, { ...consumed, name: `global-${op.id}` });
    case 'filter':
      return isStream
        ? stream.filter((_key, value) => value !== null && holds(value))
        : table.filter((_key, value) => holds(value));
    case 'filterNot':
      return isStream
        ? stream.filterNot((_key, value) => value !== null && holds(value))
        : table.filterNot((_key, value) => holds(value));
    case 'mapValues':
      return isStream
        ? stream.mapValues((value) => (value === null ? null : value + number('add')))
        : table.mapValues((value) => value + number('add'));
    case 'selectKey':
      return stream.selectKey((key, value) => (value === null ? key : keyOf(value, number('n'))));
    case 'flatMapValues':
      return stream.flatMapValues((value) =>
        value === null ? [] : Array.from({ length: mod(value, number('n')) }, (_, i) => value + i),
      );
    case 'merge':
      return stream.merge(other as Stream);
    case 'repartition':
      return stream.repartition(consumed);
    case 'toTable':
      return stream.toTable(consumed);
    case 'toStream':
      return table.toStream();
    case 'groupByKey':
      return stream.groupByKey(consumed);
    case 'groupBy':
      return isStream
        ? stream.groupBy((key, value) => (value === null ? key : keyOf(value, number('n'))), consumed)
        : table.groupBy((_key, value) => [keyOf(value, number('n')), value] as const, consumed);
    case 'count':
      return (source as KGroupedStream<string, number>).count(consumed);
    case 'sum':
      return 'windowedBy' in (source as object)
        ? (source as KGroupedStream<string, number>).aggregate(
            () => 0,
            (_key, value, sum) => sum + value,
            consumed,
          )
        : (source as KGroupedTable<string, number>).aggregate(
            () => 0,
            (_key, value, sum) => sum + value,
            (_key, value, sum) => sum - value,
            consumed,
          );
    case 'reduceMax':
      return (source as KGroupedStream<string, number>).reduce((a, b) => Math.max(a, b), consumed);
    case 'windowedSum':
      return windowedSum(op, source as KGroupedStream<string, Value>);
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      return join(op, source, other);
    case 'fkJoin':
      return table.join(other as Table, (value) => keyOf(value, number('n')), joined, consumed);
    case 'fkLeftJoin':
      return table.leftJoin(other as Table, (value) => keyOf(value, number('n')), joined, consumed);
    case 'to': {
      (isStream ? stream : (table.toStream() as Stream)).to(op.topic!, consumed);
      sinks.push(op.topic!);
      return null;
    }
    default:
      throw new Error(`unknown op ${op.op}`);
  }
}

function join(op: OracleOp, left: unknown, right: unknown): unknown {
  const number = (name: string): number => op[name] as number;
  const isLeft = op.op === 'leftJoin';
  const serdes = { ...consumed, otherValueSerde: Serdes.long };
  if (left instanceof KTable) {
    const table = left as Table;
    if (op.op === 'outerJoin') return table.outerJoin(right as Table, joined, consumed);
    return isLeft
      ? table.leftJoin(right as Table, joined, consumed)
      : table.join(right as Table, joined, consumed);
  }
  const stream = left as Stream;
  if (right instanceof KStream) {
    const other = right as Stream;
    const windows = JoinWindows.ofTimeDifferenceAndGrace(0, number('grace'))
      .before(number('before'))
      .after(number('after'));
    if (op.op === 'outerJoin') return stream.outerJoin<Value, number>(other, joined, windows, serdes);
    return isLeft
      ? stream.leftJoin<Value, number>(other, joined, windows, serdes)
      : stream.join<Value, number>(other, joined, windows, serdes);
  }
  if (right instanceof GlobalKTable) {
    const global = right as GlobalKTable<string, number>;
    const lookUp = (_key: string | null, value: Value): string | null =>
      value === null ? null : keyOf(value, number('n'));
    return isLeft ? stream.leftJoin(global, lookUp, joined) : stream.join(global, lookUp, joined);
  }
  const table = right as KTable<string | null, number>;
  return isLeft ? stream.leftJoin(table, joined, serdes) : stream.join(table, joined, serdes);
}

/** A stream with key `key@start-end`; a null value counts as 100 where it reaches the aggregator. */
function windowedSum(op: OracleOp, grouped: KGroupedStream<string, Value>): KStream<string, number> {
  const { window, suppress } = op;
  const [size, grace] = [op['size'] as number, op['grace'] as number];
  const emit = op['emit'] === 'close' ? 'close' : 'update';
  const add = (_key: string, value: Value, sum: number): number => sum + (value ?? 100);
  let result: KTable<Windowed<string>, number>;
  if (window === 'session') {
    result = grouped
      .windowedBy(SessionWindows.ofInactivityGapAndGrace(size, grace))
      .emitStrategy(emit)
      .aggregate(
        () => 0,
        add,
        (_key, left, right) => left + right,
        consumed,
      );
  } else {
    const windows =
      window === 'sliding'
        ? SlidingWindows.ofTimeDifferenceAndGrace(size, grace)
        : TimeWindows.ofSizeAndGrace(size, grace).advanceBy(
            window === 'hopping' ? (op['advance'] as number) : size,
          );
    result = grouped
      .windowedBy(windows)
      .emitStrategy(emit)
      .aggregate(() => 0, add, consumed);
  }
  if (suppress === true) result = result.suppress(Suppressed.untilWindowCloses());
  return result.toStream(({ key, window: { start, end } }) => `${key}@${start}-${end}`);
}
