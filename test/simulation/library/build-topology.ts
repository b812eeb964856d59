import { CustomWindows } from '../../../src/streams/dsl/custom-windows.ts';
import type { StateStoreDeclaration } from '../../../src/streams/dsl/declared-stores.ts';
import type { GlobalKTable } from '../../../src/streams/dsl/global-ktable.ts';
import type { KGroupedStream } from '../../../src/streams/dsl/grouped-stream.ts';
import { KStream } from '../../../src/streams/dsl/kstream.ts';
import type { KTable } from '../../../src/streams/dsl/ktable.ts';
import type { Materialized } from '../../../src/streams/dsl/options.ts';
import { Serdes } from '../../../src/streams/dsl/serdes.ts';
import type { KeyValueStoreView, StateStoreView } from '../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../src/streams/dsl/streams-builder.ts';
import type {
  ForwardedRecord,
  StreamRecord,
  UserContext as LibraryContext,
  UserProcessor,
} from '../../../src/streams/dsl/user-processor.ts';
import {
  JoinWindows,
  SessionWindows,
  SlidingWindows,
  Suppressed,
  TimeWindows,
} from '../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../src/streams/topology/windowed.ts';
import type { Serde } from '../../../src/streams/topology/serde.ts';
import type { Topology } from '../../../src/streams/topology/topology.ts';
import {
  appended,
  CUSTOM_SIZE_MS,
  customWindows,
  extracted,
  scatteredTo,
  writtenTo,
  joined,
  keyFor,
  mapped,
  merged,
  passes,
  reduced,
  short,
  spread,
  textOf,
  unreduced,
  type Value,
  withdrawn,
} from './case-functions.ts';
import type { LibraryCase, Op, Step, ValueType } from './case.ts';
import {
  type Process,
  PROCESSORS,
  RETENTION_MS,
  type UserContext,
  type UserRecord,
  WINDOW_MS,
} from './user-processors.ts';

type Stream = KStream<string | null, Value | null>;
type Table = KTable<string, Value>;
type WindowedTable = KTable<Windowed<string>, Value>;

const keySerde = Serdes.string;
export const VALUE_SERDES: Record<ValueType, Serde<Value>> = {
  text: Serdes.string as Serde as Serde<Value>,
  long: Serdes.long as Serde as Serde<Value>,
  list: Serdes.json() as Serde as Serde<Value>,
};

/** The case as a program against the library. `note` hears of what the processors see of their lives. */
export function buildTopology(given: LibraryCase, note: (step: Step) => void): Topology {
  const builder = new StreamsBuilder({ keySerde, valueSerde: Serdes.string });
  const build = new Build(builder, given, note);
  for (const op of given.ops) build.add(op);
  return builder.build({ reuseSourceTopics: given.reuseTopics });
}

class Build {
  readonly #builder: StreamsBuilder;
  readonly #types: ReadonlyMap<string, ValueType>;
  readonly #note: (step: Step) => void;
  readonly #made = new Map<string, unknown>();

  constructor(builder: StreamsBuilder, given: LibraryCase, note: (step: Step) => void) {
    this.#builder = builder;
    this.#types = new Map(given.ops.map(({ id, type }) => [id, type]));
    this.#note = note;
  }

  add(op: Op): void {
    this.#made.set(op.id, this.#make(op));
  }

  #serdesOf(id: string): { keySerde: Serde<string>; valueSerde: Serde<Value> } {
    return { keySerde, valueSerde: VALUE_SERDES[this.#types.get(id)!] };
  }

  /** How the table of an operation is kept. */
  #kept(op: Op): Materialized<string, Value> {
    return {
      ...this.#serdesOf(op.id),
      ...(op.store !== undefined && { name: op.store }),
      ...(op.history !== undefined && { versioned: { historyRetentionMs: op.history } }),
    };
  }

  #grouped(op: Op, from: string, stream: Stream, name = `${op.id}-by`): KGroupedStream<string, Value> {
    const grouped = { name, ...this.#serdesOf(from) };
    return (op.n === undefined
      ? stream.groupByKey(grouped as never)
      : stream.groupBy(
          (key, value) => (value === null ? key : keyFor(value, op.n!)),
          grouped as never,
        )) as unknown as KGroupedStream<string, Value>;
  }

  #make(op: Op): unknown {
    const source = op.in === undefined ? undefined : this.#made.get(op.in);
    const other = op.with === undefined ? undefined : this.#made.get(op.with);
    const stream = source as Stream;
    const table = source as Table;
    const { id } = op;
    const serdes = this.#serdesOf(id);
    const test = (_key: unknown, value: Value | null): boolean =>
      value !== null && passes(value, op.mod!, op.rem!);
    switch (op.op) {
      case 'stream':
        return this.#builder.stream(op.also === undefined ? op.topic! : [op.topic!, op.also], {
          ...serdes,
          ...(op.extracts === true && {
            timestampExtractor: (
              { value, timestamp }: { value: Value | null; timestamp: number },
              partitionTime: number,
            ) => extracted(value, timestamp, partitionTime),
          }),
        });
      case 'table':
        return this.#builder.table(op.topic!, serdes, this.#kept(op));
      case 'globalTable':
        return this.#builder.globalTable(op.topic!, serdes, { ...serdes, name: `${id}-global` });
      case 'filter':
        return stream.filter(test);
      case 'filterNot':
        return stream.filterNot(test);
      case 'branch':
        return stream
          .split({ name: id })
          .branch(test)
          .branch(() => true)
          .noDefaultBranch()
          .get(`${id}1`);
      case 'mapValues':
        return stream.mapValues((value) => (value === null ? null : mapped(value, op.add!)));
      case 'map':
        return stream.map((key, value) =>
          value === null ? [key, value] : [keyFor(value, op.n!), mapped(value, op.n!)],
        );
      case 'flatMap':
        return stream.flatMap((_key, value) =>
          spread(value, op.n!).map((each) => [keyFor(each, op.n!), each] as const),
        );
      case 'flatMapValues':
        return stream.flatMapValues((value) => spread(value, op.n!));
      case 'selectKey':
        return stream.selectKey((key, value) => (value === null ? key : keyFor(value, op.n!)));
      case 'repartition':
        return stream.repartition({
          name: id,
          ...(serdes as object),
          partitions: op.partitions!,
          ...(op.scatters === true && {
            partitioner: (_key, value, count) => scatteredTo(value, count),
          }),
        });
      case 'merge':
        return stream.merge(other as Stream);
      case 'process':
        return stream.process(
          () =>
            this.#processor(op) as UserProcessor<string | null, Value | null, string | null, Value | null>,
          { name: id, stores: storesOf(op) },
        );
      case 'processValues':
        return stream.processValues(() => this.#processor(op), { name: id, stores: storesOf(op) });
      case 'toTable':
        return stream.toTable(this.#kept(op) as never, { name: id });
      case 'toStream':
        return table.toStream();
      case 'aggregate':
        return aggregateStream(op, this.#grouped(op, op.in!, stream), this.#kept(op));
      case 'coalesced':
        return aggregateStream(op, this.#grouped(op, op.in!, stream), { ...this.#kept(op), coalesce: true });
      case 'windowed':
        return windowed(op, this.#grouped(op, op.in!, stream), serdes);
      case 'cogroup':
        return this.#cogroup(op);
      case 'suppressClose':
        return (source as WindowedTable).suppress(Suppressed.untilWindowCloses({ name: id }));
      case 'suppressTime': {
        const { recordsMax, bytesMax } = op;
        return table.suppress(
          Suppressed.untilTimeLimit(op.wait!, {
            name: id,
            ...(recordsMax !== undefined && { recordsMax }),
            ...(bytesMax !== undefined && { bytesMax }),
          }),
        );
      }
      case 'filterTable':
        return table.filter(test, this.#keptIfNamed(op));
      case 'filterNotTable':
        return table.filterNot(test, this.#keptIfNamed(op));
      case 'mapTable':
        return table.mapValues((value) => mapped(value, op.add!) as Value, this.#keptIfNamed(op, serdes));
      case 'transformTable':
        return this.#transformTable(op, table);
      case 'windowedToStream':
        return (source as WindowedTable).toStream(
          ({ key, window }) => `${key}@${window.start}-${window.end}`,
        );
      case 'aggregateTable':
        return aggregateTable(op, table, this.#serdesOf(op.in!).valueSerde, this.#kept(op));
      case 'to': {
        const output = source instanceof KStream ? source : (source as KTable<unknown, unknown>).toStream();
        (output as KStream<string, Value>).to(op.topic!, {
          ...(serdes as object),
          ...(op.scatters === true && { partitioner: (_key, value, count) => writtenTo(value, count) }),
        });
        return null;
      }
      default:
        return this.#join(op, source, other);
    }
  }

  #keptIfNamed(op: Op, serdes?: object): Materialized<string, Value> | undefined {
    if (op.store !== undefined || op.history !== undefined) return this.#kept(op);
    return serdes as Materialized<string, Value> | undefined;
  }

  #join(op: Op, source: unknown, other: unknown): unknown {
    const stream = source as Stream;
    const table = source as Table;
    const right = other as Table;
    const kept = this.#kept(op);
    const ids = {
      name: op.id,
      keySerde,
      valueSerde: this.#serdesOf(op.in!).valueSerde,
      otherValueSerde: this.#serdesOf(op.with!).valueSerde,
    } as never;
    const byValue = (value: Value): string => keyFor(value, op.n!);
    const byRecord = (_key: unknown, value: Value | null): string | null =>
      value === null ? null : keyFor(value, op.n!);
    switch (op.op) {
      case 'joinTable':
        return stream.join(right as KTable<string | null, Value>, joined, withGrace(ids, op));
      case 'leftJoinTable':
        return stream.leftJoin(right as KTable<string | null, Value>, joined, withGrace(ids, op));
      case 'joinGlobal':
        return stream.join(other as GlobalKTable<string, Value>, byRecord, joined, { name: op.id });
      case 'leftJoinGlobal':
        return stream.leftJoin(other as GlobalKTable<string, Value>, byRecord, joined, { name: op.id });
      case 'joinTables':
        return table.join(right, joined as (l: Value, r: Value) => Value, this.#keptIfNamed(op));
      case 'leftJoinTables':
        return table.leftJoin(right, joined as (l: Value, r: Value | null) => Value, this.#keptIfNamed(op));
      case 'outerJoinTables':
        return table.outerJoin(
          right,
          joined as (l: Value | null, r: Value | null) => Value,
          this.#keptIfNamed(op),
        );
      case 'foreignKey':
        return table.join(right, byValue, joined as (l: Value, r: Value) => Value, kept, { name: op.id });
      case 'leftForeignKey':
        return table.leftJoin(right, byValue, joined as (l: Value, r: Value | null) => Value, kept, {
          name: op.id,
        });
    }
    const windows = JoinWindows.ofTimeDifferenceAndGrace(0, op.grace!).before(op.before!).after(op.after!);
    const partner = other as Stream;
    switch (op.op) {
      case 'joinStreams':
        return stream.join(partner, joined, windows, ids);
      case 'leftJoinStreams':
        return stream.leftJoin<Value | null, Value>(partner, joined, windows, ids);
      case 'outerJoinStreams':
        return stream.outerJoin<Value | null, Value>(partner, joined, windows, ids);
      default:
        throw new Error(`${op.op} is not known`);
    }
  }

  #cogroup(op: Op): unknown {
    const members = op.members!.map((member, i) =>
      this.#grouped(op, member, this.#made.get(member) as Stream, `${op.id}-by${i}`),
    );
    const add = (i: number) => (_key: string, value: Value | null, state: Value) =>
      appended(state as string[], value, `${i}`) as Value;
    let cogrouped = members[0]!.cogroup<Value>(add(0));
    members.slice(1).forEach((member, i) => (cogrouped = cogrouped.cogroup(member, add(i + 1))));
    const serdes = this.#serdesOf(op.id);
    const initial = (): Value => [];
    if (op.window === undefined) return cogrouped.aggregate(initial, serdes);
    if (op.window === 'session')
      return cogrouped
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(op.size!, op.grace!))
        .aggregate(initial, (_key, left, right) => merged(left as string[], right as string[]), serdes);
    return cogrouped.windowedBy(windowsOf(op)).aggregate(initial, serdes);
  }

  /** Tells how often it was called for a key. */
  #transformTable(op: Op, table: Table): unknown {
    const declaration: StateStoreDeclaration<string, string> = {
      name: `${op.id}-calls`,
      kind: 'key-value',
      keySerde,
      valueSerde: Serdes.string,
    };
    return table.transformValues(
      () => {
        let calls: KeyValueStoreView<string, string>;
        return {
          init: (context) => void (calls = context.getStateStore(declaration.name)),
          transform(value, key) {
            const count = Number(calls.get(key) ?? 0) + 1;
            calls.put(key, String(count));
            return value === null ? null : (short(`${textOf(value)}:${count}`) as Value);
          },
        };
      },
      this.#kept(op),
      { name: op.id, stores: [declaration] },
    );
  }

  #processor(op: Op): UserProcessor<string | null, Value | null, string | null, Value | null> {
    const { id } = op;
    const note = this.#note;
    let process: Process;
    return {
      init(context: LibraryContext) {
        const partition = Number(context.taskId.split('_')[1]);
        const forward = context as unknown as { forward(record: ForwardedRecord<Value | null>): void };
        const user: UserContext = {
          store: () => context.getStateStore<StateStoreView>(`${op.shares ?? id}-store`),
          forward: (record) => forward.forward(record),
          streamTime: () => context.currentStreamTimeMs(),
          position() {
            const { topic, partition: from, offset } = context.recordMetadata();
            return `${topic}/${from}/${offset}`;
          },
          schedule(callback) {
            note({ opened: id, partition });
            context.schedule(op.every!, op.clock!, (now) => {
              if (op.clock === 'wall-clock') note({ fired: id, partition, now });
              callback(now);
            });
          },
        };
        process = PROCESSORS[op.kind!].open(user);
      },
      process: (record: StreamRecord<string | null, Value | null>) => process(record as UserRecord),
    };
  }
}

function withGrace(joinedOptions: object, op: Op): never {
  return { ...joinedOptions, ...(op.grace !== undefined && { graceMs: op.grace }) } as never;
}

function storesOf(op: Op): (string | StateStoreDeclaration<string, string>)[] {
  if (op.shares !== undefined) return [`${op.shares}-store`];
  const { store } = PROCESSORS[op.kind!];
  if (store === null) return [];
  const name = `${op.id}-store`;
  const serdes = { keySerde, valueSerde: Serdes.string };
  return [
    {
      name,
      kind: store,
      ...serdes,
      ...(store === 'window' && { windowSizeMs: WINDOW_MS, retentionMs: RETENTION_MS }),
      ...(store === 'session' && { retentionMs: RETENTION_MS }),
      ...(store === 'versioned' && { versioned: { historyRetentionMs: 30 } }),
    },
  ];
}

function windowsOf(op: Op): TimeWindows | SlidingWindows | CustomWindows {
  if (op.window === 'custom')
    return CustomWindows.of({ windowsFor: customWindows, sizeMs: CUSTOM_SIZE_MS, graceMs: op.grace! });
  if (op.window === 'sliding') return SlidingWindows.ofTimeDifferenceAndGrace(op.size!, op.grace!);
  const windows = TimeWindows.ofSizeAndGrace(op.size!, op.grace!);
  return op.window === 'hopping' ? windows.advanceBy(op.advance!) : windows;
}

const reduceValues = ((state: string, value: string) => reduced(state, value)) as unknown as (
  state: Value,
  value: Value,
) => Value;

function aggregateStream(
  op: Op,
  grouped: KGroupedStream<string, Value>,
  kept: Materialized<string, Value>,
): unknown {
  if (op.aggregate === 'count') return grouped.count(kept as Materialized<string, number>);
  if (op.aggregate === 'reduce') return grouped.reduce(reduceValues, kept);
  return grouped.aggregate<Value>(
    () => [],
    (_key, value, state) => appended(state as string[], value),
    kept,
  );
}

function windowed(op: Op, grouped: KGroupedStream<string, Value>, serdes: object): unknown {
  const emit = op.emit!;
  const add = (_key: string, value: Value | null, state: Value): Value => appended(state as string[], value);
  if (op.window === 'session') {
    const by = grouped
      .windowedBy(SessionWindows.ofInactivityGapAndGrace(op.size!, op.grace!))
      .emitStrategy(emit);
    if (op.aggregate === 'count') return by.count(serdes as never);
    if (op.aggregate === 'reduce') return by.reduce(reduceTexts, serdes);
    return by.aggregate<Value>(
      () => [],
      add,
      (_key, left, right) => merged(left as string[], right as string[]),
      serdes,
    );
  }
  const by = grouped.windowedBy(windowsOf(op)).emitStrategy(emit);
  if (op.aggregate === 'count') return by.count(serdes as never);
  if (op.aggregate === 'reduce') return by.reduce(reduceTexts, serdes);
  return by.aggregate<Value>(() => [], add, serdes);
}

/** Windows take records without a value, too. */
const reduceTexts = (state: Value, value: Value | null): Value => reduced(textOf(state), textOf(value));

function aggregateTable(
  op: Op,
  table: Table,
  valueSerde: Serde<Value>,
  kept: Materialized<string, Value>,
): unknown {
  const grouped = table.groupBy((_key, value) => [keyFor(value, op.n!), value] as const, {
    name: `${op.id}-by`,
    keySerde,
    valueSerde,
  });
  if (op.aggregate === 'count') return grouped.count(kept as Materialized<string, number>);
  if (op.aggregate === 'reduce')
    return grouped.reduce(
      reduceValues,
      ((state: string, value: string) => unreduced(state, value)) as never,
      kept,
    );
  return grouped.aggregate<Value>(
    () => [],
    (_key, value, state) => appended(state as string[], value),
    (_key, value, state) => withdrawn(state as string[], value),
    kept,
  );
}
