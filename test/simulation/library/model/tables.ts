import {
  appended,
  joined,
  keyFor,
  reduced,
  textOf,
  unreduced,
  type Value,
  withdrawn,
} from '../case-functions.ts';
import type { Op } from '../case.ts';
import { type Flow, Group, type Key, type Rec, type Row, type Sink, Table } from './flow.ts';
import { compareKeys } from './flow.ts';
import { TableRows } from './rows.ts';

/** A table with rows of its own. */
export class StoredTable extends Table {
  readonly rows: TableRows;
  readonly history: boolean;

  constructor(group: Group, partitions: number, op: Op) {
    super(group, partitions);
    this.rows = new TableRows(op.history ?? null);
    this.history = op.history !== undefined;
  }

  get(key: Key): Row | null {
    return this.rows.get(key);
  }

  getAsOf(key: Key, ts: number): Row | null {
    return this.rows.getAsOf(key, ts);
  }

  enableOld(_force: boolean): boolean {
    this.sendsOld = true;
    return true;
  }

  makeReadable(): void {}

  /** Keeps the row and tells of it, unless it came too late. */
  keep(record: Rec, value: Value | null, old: Value | null, ts: number): void {
    const put = this.rows.put(record.key!, value, ts);
    if (put !== 'refused') this.change(record, value, old, ts, put === 'older');
  }
}

/** Read from a topic; its rows are kept where somebody needs them. */
export class SourceTable extends StoredTable {
  #kept: boolean;

  constructor(group: Group, partitions: number, op: Op) {
    super(group, partitions, op);
    this.#kept = op.store !== undefined;
  }

  override enableOld(force: boolean): boolean {
    if (!force && !this.#kept) return false;
    this.#kept = true;
    return super.enableOld(force);
  }

  override makeReadable(): void {
    this.#kept = true;
  }

  receive(record: Rec): void {
    const { key, value, ts } = record;
    if (key === null) return;
    if (this.#kept) this.keep(record, value, this.get(key)?.value ?? null, ts);
    else this.change(record, value, null, ts);
  }
}

/** The rows of another table, changed or hidden by a function; kept under a name, or not. */
export class DerivedTable extends Table {
  readonly #parent: Table;
  readonly #of: (value: Value | null, key: Key) => Value | null;
  readonly rows: TableRows | null;
  readonly history: boolean;

  constructor(parent: Table, op: Op, of: (value: Value | null, key: Key) => Value | null, hides: boolean) {
    super(parent.group, parent.partitions);
    this.#parent = parent;
    this.#of = of;
    this.rows = op.store === undefined ? null : new TableRows(op.history ?? null);
    this.history = this.rows === null ? parent.history : op.history !== undefined;
    // A removal that nobody saw may still be a version.
    const dropsNothings = hides && !parent.history;
    if (dropsNothings) this.sendsOld = parent.enableOld(false);
    parent.children.push((record) => {
      const key = record.key!;
      const now = of(record.value, key);
      const stored = this.rows?.get(key)?.value ?? null;
      const before = !this.sendsOld ? null : this.rows === null ? of(record.old ?? null, key) : stored;
      if (dropsNothings && this.sendsOld && now === null && before === null) return;
      if (this.rows === null) return this.change(record, now, before, record.ts, record.late);
      const put = this.rows.put(key, now, record.ts);
      if (put !== 'refused') this.change(record, now, before, record.ts, put === 'older');
    });
  }

  enableOld(force: boolean): boolean {
    if (this.rows !== null || this.#parent.enableOld(force)) this.sendsOld = true;
    return this.sendsOld;
  }

  makeReadable(): void {
    if (this.rows === null) this.#parent.makeReadable();
  }

  get(key: Key): Row | null {
    return this.rows === null ? this.#seen(this.#parent.get(key), key) : this.rows.get(key);
  }

  getAsOf(key: Key, ts: number): Row | null {
    return this.rows === null ? this.#seen(this.#parent.getAsOf(key, ts), key) : this.rows.getAsOf(key, ts);
  }

  #seen(row: Row | null, key: Key): Row | null {
    const value = row === null ? null : this.#of(row.value, key);
    return value === null ? null : { value, ts: row!.ts };
  }
}

/** What an aggregate starts from; nothing, where the first value is the state. */
export function initialOf(op: Op): Value | null {
  return op.aggregate === 'count' ? 0 : op.aggregate === 'reduce' ? null : [];
}

/** Null where there is nothing yet and the first value is none. */
export function added(op: Op, state: Value | null, value: Value | null): Value | null {
  if (op.aggregate === 'count') return (state as number) + 1;
  if (op.aggregate === 'reduce') return state === null ? value : reduced(textOf(state), textOf(value));
  return appended(state as string[], value);
}

export function aggregateStream(op: Op, input: Flow): StoredTable {
  const table = new StoredTable(input.group, input.partitions, op);
  input.children.push((record) => {
    const { key, value, ts } = record;
    if (key === null || value === null) return;
    const row = table.get(key);
    const before = row?.value ?? initialOf(op);
    table.keep(record, added(op, before, value), before, Math.max(ts, row?.ts ?? ts));
  });
  return table;
}

/** Several streams into one state. */
export function cogroup(op: Op, inputs: readonly Flow[]): StoredTable {
  const table = new StoredTable(inputs[0]!.group, inputs[0]!.partitions, op);
  inputs.forEach((input, i) => {
    table.group.unite(input.group);
    input.children.push((record) => {
      const { key, value, ts } = record;
      if (key === null || value === null) return;
      const row = table.get(key);
      const before = (row?.value ?? []) as string[];
      table.keep(record, appended(before, value, `${i}`), before, Math.max(ts, row?.ts ?? ts));
    });
  });
  return table;
}

/** A change of a row on its way to its group. */
export interface Regrouped extends Rec {
  readonly withdrawn: Value | null;
}

/** One record where the group stays, else the old row leaves before the new one comes. */
export function regroup(op: Op, table: Table, send: (record: Regrouped) => void): void {
  table.enableOld(true);
  table.children.push((record) => {
    if (record.late === true) return;
    const { value } = record;
    const old = record.old ?? null;
    const from = old === null ? null : keyFor(old, op.n!);
    const to = value === null ? null : keyFor(value, op.n!);
    const { ts, headers } = record;
    if (from !== null && from === to) return send({ key: to, value, withdrawn: old, ts, headers });
    if (from !== null) send({ key: from, value: null, withdrawn: old, ts, headers });
    if (to !== null) send({ key: to, value, withdrawn: null, ts, headers });
  });
}

export function aggregateTable(op: Op, partitions: number, group: Group): StoredTable & { receive: Sink } {
  const table = new StoredTable(group, partitions, op) as StoredTable & { receive: Sink };
  table.receive = (record) => {
    const { key, value, ts } = record;
    const gone = (record as Regrouped).withdrawn;
    const row = table.get(key!);
    const before = row?.value ?? null;
    let state = before;
    if (gone !== null && state !== null) state = taken(op, state, gone);
    if (value !== null) state = added(op, state ?? initialOf(op), value);
    table.keep(record, state, before, Math.max(ts, row?.ts ?? ts));
  };
  return table;
}

function taken(op: Op, state: Value, value: Value): Value {
  if (op.aggregate === 'count') return (state as number) - 1;
  if (op.aggregate === 'reduce') return unreduced(textOf(state), textOf(value));
  return withdrawn(state as string[], value);
}

/** Rows that are there on both sides, on the left, or on either. */
export class JoinedTable extends Table {
  readonly #left: Table;
  readonly #right: Table;
  readonly rows: TableRows | null;
  readonly #kind: 'inner' | 'left' | 'outer';
  readonly history: boolean;

  constructor(op: Op, kind: 'inner' | 'left' | 'outer', left: Table, right: Table) {
    super(left.group, left.partitions);
    left.group.unite(right.group);
    this.#left = left;
    this.#right = right;
    this.#kind = kind;
    this.rows = op.store === undefined ? null : new TableRows(op.history ?? null);
    this.history = this.rows !== null && op.history !== undefined;
    if (kind !== 'inner') left.enableOld(true);
    if (kind === 'outer') right.enableOld(true);
    left.makeReadable();
    right.makeReadable();
    left.children.push((record) => this.#changed(record, right.get(record.key!), true));
    right.children.push((record) => this.#changed(record, left.get(record.key!), false));
  }

  #changed(record: Rec, other: Row | null, isLeft: boolean): void {
    if (record.late === true) return;
    const { value, ts } = record;
    const old = record.old ?? null;
    if (other === null) {
      // There never was a result without the other side, so none has to be taken back.
      if (this.#kind === 'inner' || (this.#kind === 'left' && !isLeft)) return;
      if (value === null && old === null) return;
    }
    const theirs = other?.value ?? null;
    const of = (own: Value | null): Value | null => (isLeft ? this.#of(own, theirs) : this.#of(theirs, own));
    const at = Math.max(ts, other?.ts ?? ts);
    const [after, before] = [of(value), of(old)];
    if (this.rows === null) return this.change(record, after, before, at);
    const put = this.rows.put(record.key!, after, at);
    if (put !== 'refused') this.change(record, after, before, at, put === 'older');
  }

  #of(left: Value | null, right: Value | null): Value | null {
    if (left === null && (this.#kind !== 'outer' || right === null)) return null;
    if (right === null && this.#kind === 'inner') return null;
    return joined(left, right);
  }

  enableOld(_force: boolean): boolean {
    this.#left.enableOld(true);
    this.#right.enableOld(true);
    this.sendsOld = true;
    return true;
  }

  makeReadable(): void {
    if (this.rows !== null) return;
    this.#left.makeReadable();
    this.#right.makeReadable();
  }

  get(key: Key): Row | null {
    if (this.rows !== null) return this.rows.get(key);
    const [left, right] = [this.#left.get(key), this.#right.get(key)];
    const value = this.#of(left?.value ?? null, right?.value ?? null);
    return value === null ? null : { value, ts: Math.max(left?.ts ?? -1, right?.ts ?? -1) };
  }

  getAsOf(key: Key, ts: number): Row | null {
    if (this.rows === null) throw new Error('a join without a store has no history');
    return this.rows.getAsOf(key, ts);
  }
}

interface Subscription {
  readonly foreignKey: string;
  readonly primaryKey: string;
  readonly partition: number;
  /** The row that asked, as text. */
  readonly asked: string | null;
}

export interface ForeignMessage extends Rec {
  readonly primaryKey: string;
  readonly partition: number;
  readonly asked: string | null;
  readonly says: 'forget' | 'forget and answer' | 'answer' | 'answer if there is one';
}

/** What lies between the two tables of a foreign-key join. */
export interface ForeignTopics {
  subscribe(message: ForeignMessage): void;
  answer(message: ForeignMessage): void;
  onSubscription(sink: (message: ForeignMessage) => void): void;
  onAnswer(sink: (message: ForeignMessage) => void): void;
}

export function joinByForeignKey(
  op: Op,
  [left, right]: readonly [Table, Table],
  partition: number,
  topics: ForeignTopics,
): SourceTable {
  const isLeft = op.op === 'leftForeignKey';
  const output = new SourceTable(left.group, left.partitions, op);
  let subscriptions: Subscription[] = [];
  right.enableOld(true);
  left.enableOld(true);
  right.makeReadable();
  left.makeReadable();
  left.children.push((record) => {
    if (record.late === true) return;
    const { value, ts, headers } = record;
    const old = record.old ?? null;
    if (value === null && old === null) return;
    const before = old === null ? null : keyFor(old, op.n!);
    const after = value === null ? null : keyFor(value, op.n!);
    const primaryKey = record.key as string;
    const asked = value === null ? null : textOf(value);
    const send = (key: string | null, says: ForeignMessage['says']): void =>
      topics.subscribe({ key, value: null, ts, headers, primaryKey, partition, asked, says });
    if (before !== null && before !== after && (isLeft || after !== null)) send(before, 'forget');
    if (isLeft) send(after, 'answer');
    else if (after === null) send(before, 'forget and answer');
    else send(after, before === null || before === after ? 'answer if there is one' : 'answer');
  });
  topics.onSubscription((message) => {
    const { primaryKey, partition: home, asked, says, ts, headers } = message;
    const foreignKey = message.key as string | null;
    if (foreignKey !== null) {
      subscriptions = subscriptions.filter(
        (each) => each.foreignKey !== foreignKey || each.primaryKey !== primaryKey,
      );
      if (!says.startsWith('forget')) subscriptions.push({ foreignKey, primaryKey, partition: home, asked });
    }
    const row = foreignKey === null ? null : right.get(foreignKey);
    if (says === 'forget' || (says === 'answer if there is one' && row === null)) return;
    const value = says === 'forget and answer' ? null : (row?.value ?? null);
    topics.answer({ ...message, key: primaryKey, value, ts: Math.max(ts, row?.ts ?? ts), headers });
  });
  right.children.push((record) => {
    if (record.late === true) return;
    const { value, ts, headers } = record;
    const asking = subscriptions.filter((each) => each.foreignKey === record.key);
    asking.sort((a, b) => compareKeys(a.primaryKey, b.primaryKey));
    for (const each of asking)
      topics.answer({ ...each, key: each.primaryKey, value, ts, headers, says: 'answer' });
  });
  topics.onAnswer((message) => {
    const row = left.get(message.primaryKey);
    if ((row === null ? null : textOf(row.value)) !== message.asked) return;
    const none = message.value === null && (!isLeft || row === null);
    const value = none ? null : joined(row?.value ?? null, message.value);
    output.receive({ key: message.primaryKey, value, ts: message.ts, headers: message.headers });
  });
  return output;
}
