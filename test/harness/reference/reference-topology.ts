import type { Op } from './oracle-case.ts';
import { aggregateStream, aggregateTable, windowedSum } from './reference-aggregates.ts';
import { joinForeignKey } from './reference-foreign-key.ts';
import {
  joinGlobalTable,
  joinStreams,
  joinStreamTable,
  joinTables,
  joinWithSelf,
} from './reference-joins.ts';
import {
  type Rec,
  type Sink,
  SourceTable,
  type Stamped,
  StreamFlow,
  TableFlow,
  ViewTable,
} from './reference-node.ts';
import { keyOf, keySelected, passes, spread } from './value-rules.ts';

interface GroupedStream {
  readonly kind: 'grouped stream';
  readonly stream: StreamFlow;
  readonly op: Op;
}

interface GroupedTable {
  readonly kind: 'grouped table';
  readonly table: TableFlow;
  readonly op: Op;
}

type Built = StreamFlow | TableFlow | GroupedStream | GroupedTable | ReadonlyMap<string, Stamped>;

/** One partition of a case's topology, with all its state. `send` takes what goes to internal and output topics. */
export class ReferenceTopology {
  /** By topic, internal ones included. */
  readonly sources = new Map<string, Sink>();
  readonly globals = new Map<string, Sink>();
  /** Topics between the parts of the topology, in the order of the operations that brought them. */
  readonly internalTopics: readonly string[];
  readonly #built = new Map<string, Built>();
  readonly #keyedStreams = new Map<StreamFlow, StreamFlow>();
  readonly #ops: readonly Op[];
  readonly #optimize: boolean;
  readonly #send: (topic: string, record: Rec) => void;

  constructor(ops: readonly Op[], optimize: boolean, send: (topic: string, record: Rec) => void) {
    this.#ops = ops;
    this.#optimize = optimize;
    this.#send = send;
    for (const op of ops) {
      const built = this.#build(op);
      if (built !== null) this.#built.set(op.id!, built);
    }
    this.internalTopics = this.#sortedInternalTopics();
  }

  #sortedInternalTopics(): string[] {
    const ids = this.#ops.map(({ id }) => id);
    const kinds = ['repartition', 'subscription', 'response', 'rekeyed'];
    const rank = (topic: string): number => {
      const [id, kind] = topic.split('-');
      return ids.indexOf(id!) * kinds.length + kinds.indexOf(kind!);
    };
    return [...this.sources.keys()].filter((topic) => topic.includes('-')).sort((a, b) => rank(a) - rank(b));
  }

  #build(op: Op): Built | null {
    const input = op.in === undefined ? undefined : this.#built.get(op.in)!;
    const other = op.with === undefined ? undefined : this.#built.get(op.with)!;
    if (op.op === 'stream') return this.#receive(op.topic!);
    if (op.op === 'table') {
      const table = new SourceTable();
      this.sources.set(op.topic!, (record) => table.receive(record));
      return table;
    }
    if (op.op === 'globalTable') {
      const rows = new Map<string, Stamped>();
      this.globals.set(op.topic!, ({ key, value, ts }) => {
        if (key === null) return;
        if (value === null) rows.delete(key);
        else rows.set(key, { value, ts });
      });
      return rows;
    }
    if (input instanceof StreamFlow) return this.#ofStream(op, input, other);
    if (input instanceof TableFlow) return this.#ofTable(op, input, other as TableFlow);
    const group = input as GroupedStream | GroupedTable;
    if (group.kind === 'grouped table')
      return aggregateTable(op, (sink) => this.#throughGroupTopic(op.id!, group, sink));
    const stream = this.#keyed(group.stream, `${op.id!}-repartition`);
    return op.op === 'windowedSum' ? windowedSum(op, stream) : aggregateStream(op, stream);
  }

  #ofStream(op: Op, input: StreamFlow, other: Built | undefined): Built | null {
    /** A stream made record by record. */
    const each = (rekeyed: boolean, make: (record: Rec, forward: Sink) => void): StreamFlow => {
      const output = new StreamFlow(rekeyed);
      input.children.push((record) => make(record, (made) => output.forward(made)));
      return output;
    };
    switch (op.op) {
      case 'filter':
        return each(input.rekeyed, (r, forward) => r.value !== null && passes(op, r.value) && forward(r));
      case 'filterNot':
        return each(input.rekeyed, (r, forward) => (r.value === null || !passes(op, r.value)) && forward(r));
      case 'mapValues':
        return each(input.rekeyed, (r, forward) =>
          forward({ ...r, value: r.value === null ? null : r.value + op.add! }),
        );
      case 'selectKey':
        return each(true, (r, forward) => forward({ ...r, key: keySelected(r.key, r.value, op.n!) }));
      case 'flatMapValues':
        return each(input.rekeyed, (r, forward) =>
          spread(r.value, op.n!).forEach((value) => forward({ ...r, value })),
        );
      case 'merge': {
        const second = other as StreamFlow;
        const output = new StreamFlow(input.rekeyed || second.rekeyed);
        input.children.push((record) => output.forward(record));
        if (second !== input) second.children.push((record) => output.forward(record));
        return output;
      }
      case 'repartition':
        return this.#through(input, `${op.id!}-repartition`, leadsToOuterJoin(op, this.#ops));
      case 'toTable': {
        const table = new SourceTable();
        this.#keyed(input, `${op.id!}-repartition`).children.push((record) => table.receive(record));
        return table;
      }
      case 'groupByKey':
        return { kind: 'grouped stream', stream: input, op };
      case 'groupBy': {
        const stream = each(true, (r, forward) => forward({ ...r, key: keySelected(r.key, r.value, op.n!) }));
        return { kind: 'grouped stream', stream, op };
      }
      case 'join':
      case 'leftJoin':
      case 'outerJoin': {
        if (other instanceof StreamFlow) {
          const left = this.#keyedOnce(input);
          const right = this.#keyedOnce(other);
          return this.#optimize && left === right ? joinWithSelf(op, left) : joinStreams(op, left, right);
        }
        if (other instanceof TableFlow) return joinStreamTable(op, this.#keyedOnce(input), other);
        return joinGlobalTable(op, input, other as ReadonlyMap<string, Stamped>);
      }
      case 'to':
        input.children.push((record) => this.#send(op.topic!, record));
        return null;
      default:
        throw new Error(`${op.op} is not known for streams`);
    }
  }

  #ofTable(op: Op, input: TableFlow, other: TableFlow): Built | null {
    switch (op.op) {
      case 'filter':
        return new ViewTable(input, (value) => (passes(op, value) ? value : null), true);
      case 'filterNot':
        return new ViewTable(input, (value) => (passes(op, value) ? null : value), true);
      case 'mapValues':
        return new ViewTable(input, (value) => value + op.add!, false);
      case 'toStream': {
        const output = new StreamFlow();
        input.children.push((record) => output.forward({ ...record, old: null }));
        return output;
      }
      case 'groupBy':
        input.enableOld(true);
        return { kind: 'grouped table', table: input, op };
      case 'join':
      case 'leftJoin':
      case 'outerJoin':
        return joinTables(op, input, other);
      case 'fkJoin':
      case 'fkLeftJoin':
        return joinForeignKey(op, input, other, {
          subscribe: (record) => this.#send(`${op.id!}-subscription`, record),
          answer: (record) => this.#send(`${op.id!}-response`, record),
          onSubscription: (sink) => this.sources.set(`${op.id!}-subscription`, sink),
          onAnswer: (sink) => this.sources.set(`${op.id!}-response`, sink),
        });
      case 'to':
        input.children.push((record) => this.#send(op.topic!, { ...record, old: null }));
        return null;
      default:
        throw new Error(`${op.op} is not known for tables`);
    }
  }

  /** A changed row travels to its group as one record where the group stays, else as two, the old one first. */
  #throughGroupTopic(id: string, { table, op }: GroupedTable, sink: Sink): void {
    const topic = `${id}-repartition`;
    table.children.push(({ value, old, ts }) => {
      const from = old === null ? null : keyOf(old, op.n!);
      const to = value === null ? null : keyOf(value, op.n!);
      if (from !== null && from === to) return this.#send(topic, { key: to, value, old, ts });
      if (from !== null) this.#send(topic, { key: from, value: null, old, ts });
      if (to !== null) this.#send(topic, { key: to, value, old: null, ts });
    });
    this.sources.set(topic, sink);
  }

  #keyed(stream: StreamFlow, topic: string): StreamFlow {
    return stream.rekeyed ? this.#through(stream, topic, false) : stream;
  }

  /** All joins of a stream share one repartition. A left join may want records without a key; others drop them. */
  #keyedOnce(stream: StreamFlow): StreamFlow {
    if (!stream.rekeyed) return stream;
    const known = this.#keyedStreams.get(stream);
    if (known !== undefined) return known;
    const keyed = this.#through(stream, `${this.#idOf(stream)}-rekeyed`, true);
    this.#keyedStreams.set(stream, keyed);
    return keyed;
  }

  #idOf(stream: StreamFlow): string {
    for (const [id, built] of this.#built) if (built === stream) return id;
    throw new Error('the stream is of no operation');
  }

  #through(stream: StreamFlow, topic: string, keepsNullKeys: boolean): StreamFlow {
    stream.children.push((record) => {
      if (record.key !== null || keepsNullKeys) this.#send(topic, record);
    });
    return this.#receive(topic);
  }

  #receive(topic: string): StreamFlow {
    const stream = new StreamFlow();
    this.sources.set(topic, (record) => stream.forward(record));
    return stream;
  }
}

/** A repartition lets records without a key through when a left or outer join of streams below it can use them (KIP-962). */
function leadsToOuterJoin(op: Op, ops: readonly Op[]): boolean {
  const streams = new Set<string>();
  for (const each of ops) {
    const input = each.in === undefined ? undefined : ops.find(({ id }) => id === each.in);
    if (input === undefined) {
      if (each.op === 'stream') streams.add(each.id!);
    } else if (isStreamOp(each, streams)) streams.add(each.id!);
  }
  const below = new Set([op.id!]);
  for (const each of ops) {
    if (!below.has(each.in ?? '') && !below.has(each.with ?? '')) continue;
    if ((each.op === 'leftJoin' || each.op === 'outerJoin') && streams.has(each.in!)) return true;
    if (each.id !== undefined) below.add(each.id);
  }
  return false;
}

const GIVES_STREAM = new Set([
  'selectKey',
  'flatMapValues',
  'merge',
  'repartition',
  'toStream',
  'windowedSum',
]);
const KEEPS_KIND = new Set(['filter', 'filterNot', 'mapValues', 'join', 'leftJoin', 'outerJoin']);

function isStreamOp(op: Op, streams: ReadonlySet<string>): boolean {
  return GIVES_STREAM.has(op.op) || (KEEPS_KIND.has(op.op) && streams.has(op.in!));
}
