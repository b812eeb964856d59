import {
  appended,
  CUSTOM_SIZE_MS,
  customWindows,
  merged,
  reduced,
  textOf,
  type Value,
} from '../case-functions.ts';
import type { Op } from '../case.ts';
import { type Flow, type Key, type Rec, type Row, Table } from './flow.ts';
import { TimedRows } from './rows.ts';
import { added, initialOf } from './tables.ts';

/** A table whose keys have windows. */
export class WindowedTable extends Table {
  readonly history = false;
  /** How long after its end a window may change. */
  readonly closesAfter: number;

  constructor(op: Op, input: Flow) {
    super(input.group, input.partitions);
    this.closesAfter = op.window === 'session' ? op.grace! + op.size! : op.grace!;
  }

  enableOld(_force: boolean): boolean {
    this.sendsOld = true;
    return true;
  }

  makeReadable(): void {}

  get(_key: Key): Row | null {
    throw new Error('nobody reads a windowed table by key');
  }

  getAsOf(key: Key): Row | null {
    return this.get(key);
  }
}

type Add = (state: Value | null, value: Value | null) => Value | null;

/** One windowed aggregate of a stream, or one over several of them, which share its windows. */
export function windowed(op: Op, inputs: readonly Flow[]): WindowedTable {
  const table = new WindowedTable(op, inputs[0]!);
  const isCogroup = op.members !== undefined;
  const initial = isCogroup ? [] : initialOf(op);
  const windows = {
    custom: timeWindows,
    tumbling: timeWindows,
    hopping: timeWindows,
    session: sessionWindows,
    sliding: slidingWindows,
  };
  const make = windows[op.window!](op, table, initial);
  inputs.forEach((input, i) => {
    table.group.unite(input.group);
    const add: Add = (state, value) =>
      isCogroup ? appended(state as string[], value, `${i}`) : added(op, state, value);
    // Each input has a stream time of its own.
    const process = make(add);
    input.children.push((record) => {
      if (record.key !== null) process(record);
    });
  });
  return table;
}

type Make = (add: Add) => (record: Rec) => void;

function timeWindows(op: Op, table: WindowedTable, initial: Value | null): Make {
  const size = op.window === 'custom' ? CUSTOM_SIZE_MS : op.size!;
  const advance = op.advance ?? size;
  const windowsFor = (ts: number): { readonly start: number; readonly end: number }[] => {
    if (op.window === 'custom') return customWindows(ts);
    const found = [];
    for (let start = 0; start <= ts; start += advance)
      if (start + size > ts) found.push({ start, end: start + size });
    return found;
  };
  const closes = op.emit === 'close';
  // Windows that are told when they close are read back by time, which shows one millisecond more.
  const rows = new TimedRows(size + op.grace! + (closes ? 1 : 0));
  return (add) => {
    let streamTime = -1;
    let toldUpTo = -1;
    return (record) => {
      const key = record.key as string;
      const { ts } = record;
      streamTime = Math.max(streamTime, ts);
      const closedAt = streamTime - op.grace!;
      for (const { start, end } of windowsFor(ts)) {
        if (end <= closedAt) continue;
        const row = rows.of(key, start, start)[0];
        const before = row?.value ?? initial;
        const value = add(before, record.value);
        const at = Math.max(ts, row?.ts ?? ts);
        rows.put({ key, start, time: start, value, ts: at });
        const windowKey = { key, start, end, session: false };
        if (!closes) table.change({ ...record, key: windowKey }, value, before, at);
      }
      if (!closes || closedAt <= toldUpTo) return;
      const from = Math.max(rows.oldest, toldUpTo < 0 ? 0 : toldUpTo - size + 1);
      for (const row of rows.all(from, closedAt - size)) {
        const windowKey = { key: row.key, start: row.start, end: row.start + size, session: false };
        table.change({ ...record, key: windowKey }, row.value, null, row.ts);
      }
      toldUpTo = closedAt;
    };
  };
}

function sessionWindows(op: Op, table: WindowedTable, initial: Value | null): Make {
  const gap = op.size!;
  const closes = op.emit === 'close';
  const isCount = op.aggregate === 'count';
  const isReduce = op.aggregate === 'reduce';
  const rows = new TimedRows(gap + op.grace!);
  const merge = (left: Value | null, right: Value): Value => {
    if (isCount) return (left as number) + (right as number);
    if (isReduce) return left === null ? right : reduced(textOf(left), textOf(right));
    return merged(left as string[], right as string[]);
  };
  return (add) => {
    let streamTime = -1;
    let toldUpTo = -1;
    return (record) => {
      const key = record.key as string;
      const { ts } = record;
      streamTime = Math.max(streamTime, ts);
      const closedAt = streamTime - table.closesAfter;
      const tell = (start: number, end: number, value: Value | null, old: Value | null, of = key): void =>
        table.change({ ...record, key: { key: of, start, end, session: true } }, value, old, end);
      if (closes && closedAt > toldUpTo) {
        for (const row of rows.all(Math.max(0, toldUpTo), closedAt - 1))
          tell(row.start, row.time, row.value, null, row.key);
        toldUpTo = closedAt;
      }
      const met = rows.of(key, ts - gap, Infinity).filter((row) => row.start <= ts + gap);
      const start = Math.min(ts, ...met.map((row) => row.start));
      const end = Math.max(ts, ...met.map((row) => row.time));
      if (end < closedAt) return;
      const isNew = start !== end;
      if (isNew)
        for (const row of met) {
          rows.remove(row);
          if (!closes) tell(row.start, row.time, null, row.value);
        }
      const together = met.reduce<Value | null>((state, row) => merge(state, row.value), initial);
      const value = add(together, record.value);
      rows.put({ key, start, time: end, value, ts: end });
      if (!closes) tell(start, end, value, null);
    };
  };
}

/**
 * Sliding windows by their definition: [t - size, t] for each record at t, and [t + 1, t + 1 + size] where records
 * lie in it; what would begin before 0 is [0, size]. A window holds what lies in it, in the order in which it came.
 */
function slidingWindows(op: Op, table: WindowedTable, initial: Value | null): Make {
  const size = op.size!;
  const all = new Map<string, { readonly ts: number; readonly add: Add; readonly value: Value }[]>();
  return (add) => (record) => {
    const { ts, value } = record;
    const key = record.key as string;
    if (value === null) return;
    const before = all.get(key) ?? [];
    const after = [...before, { ts, add, value }];
    all.set(key, after);
    const within = (start: number): typeof after =>
      after.filter((each) => each.ts >= start && each.ts <= start + size);
    const startsOf = (records: typeof after): Set<number> => {
      const starts = new Set(records.map((each) => Math.max(0, each.ts - size)));
      for (const each of records)
        if (records.some((other) => other.ts > each.ts && other.ts <= each.ts + 1 + size))
          starts.add(each.ts + 1);
      return starts;
    };
    const known = startsOf(before);
    for (const start of startsOf(after)) {
      const holds = start <= ts && ts <= start + size;
      if (!holds && known.has(start)) continue;
      const records = within(start);
      const state = records.reduce<Value | null>((sum, each) => each.add(sum, each.value), initial);
      const at = Math.max(...records.map((each) => each.ts));
      const windowKey = { key, start, end: start + size, session: false };
      table.change({ ...record, key: windowKey }, state, null, at);
    }
  };
}
