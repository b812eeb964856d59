import {
  extracted,
  scatteredTo,
  writtenTo,
  keyFor,
  mapped,
  passes,
  short,
  spread,
  textOf,
  type Value,
} from '../case-functions.ts';
import type { Input, LibraryCase, Op, OutputRow, Step, TextHeader } from '../case.ts';
import {
  type KeyValueRows,
  PROCESSORS,
  type SessionRows,
  type UserHeader,
  type WindowRows,
} from '../user-processors.ts';
import type { TableRows } from './rows.ts';
import { Flow, type Key, Group, idOf, type Rec, type Sink, Table } from './flow.ts';
import { joinGlobal, joinStreams, joinTable } from './joins.ts';
import { partitionOf } from './murmur2.ts';
import { HeldTable } from './suppress.ts';
import {
  aggregateStream,
  aggregateTable,
  cogroup,
  DerivedTable,
  type ForeignMessage,
  joinByForeignKey,
  JoinedTable,
  regroup,
  SourceTable,
  type StoredTable,
} from './tables.ts';
import { openUserStore, type OpenUserStore } from './user-stores.ts';
import { windowed, type WindowedTable } from './windows.ts';

/** Where each input record lies: by topic, partition and offset. */
export function placeInputs({ topics, inputs }: LibraryCase): Map<string, Input[][]> {
  const placed = new Map(
    topics.map(({ name, partitions }) => [name, Array.from({ length: partitions }, (): Input[] => [])]),
  );
  for (const input of inputs) {
    const partitions = placed.get(input.topic)!;
    partitions[input.key === null ? input.partition : partitionOf(input.key, partitions.length)]!.push(input);
  }
  return placed;
}

/**
 * What the topics hold after the records were processed in the order of `steps`, which are the engine's: tasks do
 * not wait for each other. What comes of each record, what internal topics hold, and when stream time fires are its own.
 * By topic, partition and offset. Throws where a step cannot be.
 */
export function runModel(given: LibraryCase, steps: readonly Step[]): Map<string, OutputRow[][]> {
  return modelAfter(given, steps).outputs();
}

/** What the stores hold then, those with a name: a line a row, by store. */
export function storesAfter(given: LibraryCase, steps: readonly Step[]): Map<string, StoreContent> {
  return modelAfter(given, steps).stores();
}

export interface StoreContent {
  readonly kind: 'key-value' | 'window' | 'session' | 'versioned';
  /** Every key that the model has seen, in any store. */
  readonly keys: readonly string[];
  readonly lines: readonly string[];
}

function modelAfter(given: LibraryCase, steps: readonly Step[]): Model {
  const model = new Model(given);
  for (const step of steps) model.step(step);
  return model;
}

interface Schedule {
  readonly id: string;
  readonly group: Group;
  readonly op: Op;
  readonly fire: (now: number) => void;
  next: number;
}

class Model {
  readonly #given: LibraryCase;
  readonly #topics = new Map<string, Rec[][]>();
  readonly #partitions: Partition[];
  readonly #globals = new Map<string, Map<string, Value>>();
  readonly #outputs: readonly string[];

  constructor(given: LibraryCase) {
    this.#given = given;
    const counts = given.topics.map(({ partitions }) => partitions);
    const repartitions = given.ops.map(({ partitions = 1 }) => partitions);
    for (const op of given.ops) if (op.op === 'globalTable') this.#globals.set(op.topic!, new Map());
    for (const { name, partitions } of given.topics) this.addTopic(name, partitions);
    for (const [name, partitions] of placeInputs(given))
      this.#topics.set(
        name,
        partitions.map((inputs) =>
          inputs.map(({ key, value, ts, headers }) => ({ key, value, ts, headers })),
        ),
      );
    this.#partitions = Array.from(
      { length: Math.max(...counts, ...repartitions) },
      (_, number) => new Partition(given, number, this, this.#globals),
    );
    this.#outputs = given.ops.flatMap((op) => (op.op === 'to' ? [op.topic!] : []));
  }

  addTopic(name: string, partitions: number): void {
    if (!this.#topics.has(name))
      this.#topics.set(
        name,
        Array.from({ length: partitions }, () => []),
      );
  }

  /** As the engine calls it: internal topics have the application's name in front. */
  nameOf(topic: string): string {
    return this.#given.topics.some(({ name }) => name === topic) ? topic : `sim-${topic}`;
  }

  /** To the partition of its key, if not to another. */
  send(topic: string, record: Rec, partition?: number): void {
    const partitions = this.#topics.get(topic)!;
    const { key } = record;
    const inner = key === null ? null : typeof key === 'string' ? key : key.key;
    partitions[partition ?? (inner === null ? 0 : partitionOf(inner, partitions.length))]!.push(record);
  }

  step(step: Step): void {
    const partition = this.#partitions[step.partition];
    if ('opened' in step) return partition!.opened(step.opened);
    if ('fired' in step) return partition!.fired(step.fired, step.now);
    const { topic, offset } = step;
    const record = this.#topics.get(topic)?.[step.partition]?.[offset];
    if (record === undefined) throw new Error(`the model has no record ${topic}-${step.partition}@${offset}`);
    const rows = this.#globals.get(topic);
    if (rows === undefined) return partition!.receive(topic, offset, record);
    if (record.key === null) return undefined;
    if (record.value === null) rows.delete(record.key as string);
    else rows.set(record.key as string, record.value);
    return undefined;
  }

  stores(): Map<string, StoreContent> {
    const found = new Map<string, { kind: StoreContent['kind']; lines: string[] }>();
    const keys = new Set<string>();
    for (const partition of this.#partitions)
      for (const [name, { kind, lines }] of partition.stores(keys)) {
        const before = found.get(name)?.lines ?? [];
        found.set(name, { kind, lines: [...before, ...lines].sort() });
      }
    return new Map([...found].map(([name, content]) => [name, { ...content, keys: [...keys] }]));
  }

  outputs(): Map<string, OutputRow[][]> {
    return new Map(
      this.#outputs.map((topic) => [
        topic,
        this.#topics.get(topic)!.map((records) => records.map((record) => rowOf(record))),
      ]),
    );
  }
}

function rowOf({ key, value, ts, headers }: Rec): OutputRow {
  const name = key === null || typeof key === 'string' ? key : `${key.key}@${key.start}-${key.end}`;
  return [name, value === null ? null : textOf(value), ts, headers];
}

interface Source {
  readonly flow: Flow;
  readonly sink: Sink;
}

/** All tasks of one partition, with their state. */
class Partition {
  readonly #number: number;
  readonly #model: Model;
  readonly #globals: ReadonlyMap<string, ReadonlyMap<string, Value>>;
  readonly #sources = new Map<string, Source>();
  readonly #made = new Map<string, Flow>();
  readonly #schedules: Schedule[] = [];
  readonly #streamTimes = new Map<Group, number>();
  readonly #topicOf = new Map<string, string>();
  readonly #extracts = new Set<string>();
  readonly #ops: readonly Op[];
  readonly #userStores = new Map<string, OpenUserStore>();
  readonly #partitionTimes = new Map<string, number>();
  #inFlight = '//';

  constructor(
    given: LibraryCase,
    number: number,
    model: Model,
    globals: ReadonlyMap<string, ReadonlyMap<string, Value>>,
  ) {
    this.#number = number;
    this.#ops = given.ops;
    this.#model = model;
    this.#globals = globals;
    const counts = new Map(given.topics.map(({ name, partitions }) => [name, partitions]));
    for (const op of given.ops) {
      if (op.op === 'globalTable') {
        this.#topicOf.set(op.id, op.topic!);
        continue;
      }
      const made = this.#make(op, counts);
      if (made !== null) this.#made.set(op.id, made);
    }
  }

  receive(topic: string, offset: number, given: Rec): void {
    const { flow, sink } = this.#sources.get(topic)!;
    const record = this.#timed(topic, given);
    const group = flow.group.root;
    const streamTime = Math.max(record.ts, this.#streamTimes.get(group) ?? -1);
    this.#streamTimes.set(group, streamTime);
    this.#inFlight = `${this.#model.nameOf(topic)}/${this.#number}/${offset}`;
    sink(record);
    this.#inFlight = '/-1/-1';
    const due = this.#schedules.filter(
      ({ op, group: of, next }) => op.clock === 'stream-time' && of.root === group && next <= streamTime,
    );
    for (const each of due.sort((a, b) => a.next - b.next)) {
      while (each.next <= streamTime) each.next += each.op.every!;
      each.fire(streamTime);
    }
  }

  /** With the time that the topic's extractor gives it. What has none does not come here. */
  #timed(topic: string, record: Rec): Rec {
    const partitionTime = this.#partitionTimes.get(topic) ?? -1;
    const ts = this.#extracts.has(topic) ? extracted(record.value, record.ts, partitionTime) : record.ts;
    if (ts < 0) throw new Error(`a record of ${topic} has no time, and was processed`);
    this.#partitionTimes.set(topic, Math.max(partitionTime, ts));
    return { ...record, ts };
  }

  opened(id: string): void {
    for (const each of this.#schedules) if (each.id === id) each.next = 0;
  }

  fired(id: string, now: number): void {
    this.#inFlight = '/-1/-1';
    this.#schedules.find((each) => each.id === id)!.fire(now);
  }

  /** Its rows of all named stores; the keys that they have are added to `keys`. */
  stores(keys: Set<string>): Map<string, { readonly kind: StoreContent['kind']; readonly lines: string[] }> {
    const found = new Map<string, { readonly kind: StoreContent['kind']; readonly lines: string[] }>();
    for (const op of this.#ops) {
      const { rows } = (this.#made.get(op.id) ?? {}) as { rows?: TableRows | null };
      if (op.store !== undefined && rows !== undefined && rows !== null) {
        for (const key of rows.keys) keys.add(key);
        const isVersioned = op.history !== undefined;
        const lines = rows.keys.flatMap((key) => {
          if (isVersioned) return rows.versions(key).map((each) => versionLine(key, each));
          const row = rows.get(key);
          return row === null ? [] : [rowLine(key, row.value, row.ts)];
        });
        found.set(op.store, { kind: isVersioned ? 'versioned' : 'key-value', lines });
      }
      const { store: kind } = op.kind === undefined ? { store: null } : PROCESSORS[op.kind];
      if (kind !== null && op.shares === undefined)
        found.set(`${op.id}-store`, {
          kind,
          lines: linesOf(
            kind,
            this.#userStores.get(op.id)!(() => 0),
            keys,
          ),
        });
    }
    return found;
  }

  #source<F extends Flow>(topic: string, flow: F, sink: Sink): F {
    this.#sources.set(topic, { flow, sink });
    return flow;
  }

  /** The stream behind a topic of its own; records without a key stop in front of it. */
  #through(stream: Flow, topic: string, partitions = stream.partitions, scatters = false): Flow {
    this.#model.addTopic(topic, partitions);
    stream.children.push((record) => {
      if (record.key !== null)
        this.#model.send(topic, record, scatters ? scatteredTo(record.value, partitions) : undefined);
    });
    const flow = new Flow(new Group(), partitions);
    return this.#source(topic, flow, (record) => flow.forward(record));
  }

  #keyed(stream: Flow, prefix: string): Flow {
    return stream.rekeyed ? this.#through(stream, `${prefix}-repartition`) : stream;
  }

  #grouped(op: Op, stream: Flow, prefix = `${op.id}-by`): Flow {
    if (op.n === undefined) return this.#keyed(stream, prefix);
    const rekeyed = each(stream, true, (record, forward) =>
      forward(record.value === null ? record : { ...record, key: keyFor(record.value, op.n!) }),
    );
    return this.#through(rekeyed, `${prefix}-repartition`);
  }

  #make(op: Op, counts: ReadonlyMap<string, number>): Flow | null {
    const source = op.in === undefined ? undefined : this.#made.get(op.in)!;
    const other = op.with === undefined ? undefined : this.#made.get(op.with);
    const { id } = op;
    if (op.op === 'stream') {
      const flow = new Flow(new Group(), counts.get(op.topic!)!);
      for (const topic of [op.topic!, op.also])
        if (topic !== undefined) {
          if (op.extracts === true) this.#extracts.add(topic);
          this.#source(topic, flow, (record) => flow.forward(record));
        }
      return flow;
    }
    if (op.op === 'table') {
      const table = new SourceTable(new Group(), counts.get(op.topic!)!, op);
      return this.#source(op.topic!, table, (record) => table.receive(record));
    }
    if (op.op === 'cogroup') {
      const members = op.members!.map((member, i) =>
        this.#grouped(op, this.#made.get(member)!, `${id}-by${i}`),
      );
      return op.window === undefined ? cogroup(op, members) : windowed(op, members);
    }
    if (source instanceof Table) return this.#ofTable(op, source, other as Table, counts);
    return this.#ofStream(op, source!, other, counts);
  }

  #write(op: Op, record: Rec, counts: ReadonlyMap<string, number>): void {
    const to = op.scatters === true ? writtenTo(record.value, counts.get(op.topic!)!) : -1;
    if (to === -1) return this.#model.send(op.topic!, record);
    for (const each of typeof to === 'number' ? [to] : to) this.#model.send(op.topic!, record, each);
    return undefined;
  }

  #ofStream(op: Op, stream: Flow, other: Flow | undefined, counts: ReadonlyMap<string, number>): Flow | null {
    const { id, n } = op;
    const holds = (value: Value | null): boolean => value !== null && passes(value, op.mod!, op.rem!);
    switch (op.op) {
      case 'filter':
      case 'branch':
        return each(stream, stream.rekeyed, (r, forward) => holds(r.value) && forward(r));
      case 'filterNot':
        return each(stream, stream.rekeyed, (r, forward) => holds(r.value) || forward(r));
      case 'mapValues':
        return each(stream, stream.rekeyed, (r, forward) =>
          forward({ ...r, value: r.value === null ? null : mapped(r.value, op.add!) }),
        );
      case 'map':
        return each(stream, true, (r, forward) =>
          forward(r.value === null ? r : { ...r, key: keyFor(r.value, n!), value: mapped(r.value, n!) }),
        );
      case 'flatMap':
        return each(stream, true, (r, forward) =>
          spread(r.value, n!).forEach((value) => forward({ ...r, key: keyFor(value, n!), value })),
        );
      case 'flatMapValues':
        return each(stream, stream.rekeyed, (r, forward) =>
          spread(r.value, n!).forEach((value) => forward({ ...r, value })),
        );
      case 'selectKey':
        return each(stream, true, (r, forward) =>
          forward(r.value === null ? r : { ...r, key: keyFor(r.value, n!) }),
        );
      case 'repartition':
        return this.#through(stream, `${id}-repartition`, op.partitions!, op.scatters);
      case 'merge': {
        stream.group.unite(other!.group);
        const partitions = Math.max(stream.partitions, other!.partitions);
        const flow = new Flow(stream.group, partitions, stream.rekeyed || other!.rekeyed);
        for (const from of [stream, other!]) from.children.push((record) => flow.forward(record));
        return flow;
      }
      case 'process':
      case 'processValues':
        return this.#process(op, stream);
      case 'toTable': {
        const keyed = this.#keyed(stream, id);
        const table = new SourceTable(keyed.group, keyed.partitions, op);
        keyed.children.push((record) => table.receive(record));
        return table;
      }
      case 'aggregate':
      case 'coalesced':
        return aggregateStream(op, this.#grouped(op, stream));
      case 'windowed':
        return windowed(op, [this.#grouped(op, stream)]);
      case 'joinTable':
      case 'leftJoinTable':
        return joinTable(op, this.#keyed(stream, id), other as Table);
      case 'joinGlobal':
      case 'leftJoinGlobal':
        return joinGlobal(op, stream, this.#globals.get(this.#topicOf.get(op.with!)!)!);
      case 'to':
        stream.children.push((record) => this.#write(op, record, counts));
        return null;
      default:
        return joinStreams(op, this.#keyed(stream, `${id}-left`), this.#keyed(other!, `${id}-right`));
    }
  }

  #ofTable(op: Op, table: Table, other: Table, counts: ReadonlyMap<string, number>): Flow | null {
    const { id } = op;
    const kinds = { joinTables: 'inner', leftJoinTables: 'left', outerJoinTables: 'outer' } as const;
    const closesAfter = (table as WindowedTable | HeldTable).closesAfter;
    const closing = <T extends Table>(made: T): T => Object.assign(made, { closesAfter });
    switch (op.op) {
      case 'toStream': {
        const flow = new Flow(table.group, table.partitions);
        table.children.push(({ key, value, ts, headers }) => flow.forward({ key, value, ts, headers }));
        return flow;
      }
      case 'windowedToStream': {
        const flow = new Flow(table.group, table.partitions, true);
        table.children.push(({ key, value, ts, headers }) =>
          flow.forward({ key: rowOf({ key, value, ts, headers })[0], value, ts, headers }),
        );
        return flow;
      }
      case 'filterTable':
      case 'filterNotTable': {
        const wanted = op.op === 'filterTable';
        const of = (value: Value | null): Value | null =>
          value !== null && passes(value, op.mod!, op.rem!) === wanted ? value : null;
        return closing(new DerivedTable(table, op, of, true));
      }
      case 'mapTable':
        return closing(
          new DerivedTable(table, op, (value) => (value === null ? null : mapped(value, op.add!)), false),
        );
      case 'transformTable': {
        const calls = new Map<string, number>();
        const of = (value: Value | null, key: Key): Value | null => {
          const count = (calls.get(idOf(key)) ?? 0) + 1;
          calls.set(idOf(key), count);
          return value === null ? null : short(`${textOf(value)}:${count}`);
        };
        return new DerivedTable(table, op, of, false);
      }
      case 'suppressClose':
        return new HeldTable(op, table, closesAfter, true);
      case 'suppressTime':
        return new HeldTable(op, table, closesAfter, false);
      case 'aggregateTable': {
        const topic = `${id}-by-repartition`;
        this.#model.addTopic(topic, table.partitions);
        regroup(op, table, (record) => this.#model.send(topic, record));
        const made: StoredTable & { receive: Sink } = aggregateTable(op, table.partitions, new Group());
        return this.#source(topic, made, (record) => made.receive(record));
      }
      case 'joinTables':
      case 'leftJoinTables':
      case 'outerJoinTables':
        return new JoinedTable(op, kinds[op.op], table, other);
      case 'foreignKey':
      case 'leftForeignKey':
        return this.#joinByForeignKey(op, table, other);
      case 'to':
        table.children.push(({ key, value, ts, headers }) =>
          this.#write(op, { key, value, ts, headers }, counts),
        );
        return null;
      default:
        throw new Error(`${op.op} is not known for tables`);
    }
  }

  #joinByForeignKey(op: Op, left: Table, right: Table): Table {
    const [asking, answering] = [
      `${op.id}-subscription-registration-topic`,
      `${op.id}-subscription-response-topic`,
    ];
    this.#model.addTopic(asking, right.partitions);
    this.#model.addTopic(answering, left.partitions);
    return joinByForeignKey(op, [left, right], this.#number, {
      // Without a foreign key it stays in the partition of its row.
      subscribe: (message) =>
        this.#model.send(asking, message, message.key === null ? this.#number % right.partitions : undefined),
      answer: (message) => this.#model.send(answering, message, message.partition),
      onSubscription: (sink) => this.#source(asking, right, sink as Sink),
      onAnswer: (sink) => this.#source(answering, left, sink as (record: Rec) => void as Sink),
    } satisfies {
      subscribe(message: ForeignMessage): void;
      answer(message: ForeignMessage): void;
      onSubscription(sink: (message: ForeignMessage) => void): unknown;
      onAnswer(sink: (message: ForeignMessage) => void): unknown;
    });
  }

  #process(op: Op, stream: Flow): Flow {
    const kind = PROCESSORS[op.kind!];
    const flow = new Flow(stream.group, stream.partitions, stream.rekeyed || op.op === 'process');
    let now = 0;
    let headers: readonly TextHeader[] = [];
    let key: Key | null = null;
    if (op.shares !== undefined) this.#made.get(op.shares)!.group.unite(stream.group);
    const open = this.#userStores.get(op.shares ?? op.id) ?? openUserStore(kind.store);
    this.#userStores.set(op.id, open);
    const store = open(() => now);
    const process = kind.open({
      store: () => store,
      forward: (record) =>
        flow.forward({
          key: op.op === 'process' ? record.key : key,
          value: record.value,
          ts: record.timestamp ?? now,
          headers: record.headers === undefined ? headers : record.headers.map(toText),
        }),
      streamTime: () => this.#streamTimes.get(stream.group.root) ?? -1,
      position: () => this.#inFlight,
      schedule: (callback) => {
        const fire = (at: number): void => {
          now = at;
          headers = [];
          callback(at);
        };
        this.#schedules.push({ id: op.id, group: stream.group, op, fire, next: 0 });
      },
    });
    stream.children.push((record) => {
      now = record.ts;
      headers = record.headers;
      key = record.key;
      process({
        key: record.key as string | null,
        value: record.value,
        timestamp: record.ts,
        headers: headers.map(([name, text]) => ({
          key: name,
          value: text === null ? null : Buffer.from(text),
        })),
      });
    });
    return flow;
  }
}

function each(stream: Flow, rekeyed: boolean, make: (record: Rec, forward: Sink) => unknown): Flow {
  const flow = new Flow(stream.group, stream.partitions, rekeyed);
  stream.children.push((record) => void make(record, (made) => flow.forward(made)));
  return flow;
}

function toText({ key, value }: UserHeader): TextHeader {
  return [key, value === null ? null : value.toString()];
}

/** A row of a store as a line of text. */
export function rowLine(key: string, value: Value, timestamp: number): string {
  return JSON.stringify([key, textOf(value), timestamp]);
}

export function versionLine(
  key: string,
  {
    value,
    timestamp,
    validTo,
  }: { readonly value: Value; readonly timestamp: number; readonly validTo: number | null },
): string {
  return JSON.stringify([key, textOf(value), timestamp, validTo]);
}

export function windowLine(key: string, start: number, end: number, value: Value): string {
  return JSON.stringify([key, start, end, textOf(value)]);
}

function linesOf(kind: StoreContent['kind'], store: unknown, keys: Set<string>): string[] {
  if (kind === 'key-value')
    return (store as KeyValueRows).all().map(({ key, value, timestamp }) => rowLine(key, value, timestamp));
  if (kind === 'versioned') {
    const { rows } = store as { rows: TableRows };
    for (const key of rows.keys) keys.add(key);
    return rows.keys.flatMap((key) => rows.versions(key).map((each) => versionLine(key, each)));
  }
  return (store as WindowRows | SessionRows)
    .fetchAll(0, Number.MAX_SAFE_INTEGER)
    .map(({ key: { key, window }, value }) => windowLine(key, window.start, window.end, value));
}
