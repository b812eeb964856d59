import type { Op } from './oracle-case.ts';
import { type Rec, StoredTable, StreamFlow } from './reference-node.ts';
import { compareText, TimedRows } from './reference-rows.ts';
import { NULL_COUNTS_AS } from './value-rules.ts';

/** count, sum and reduceMax of a grouped stream. */
export function aggregateStream(op: Op, input: StreamFlow): StoredTable {
  const table = new StoredTable();
  input.children.push(({ key, value, ts }) => {
    if (key === null || value === null) return;
    const row = table.get(key);
    // An aggregate changes from its initial value: there is no old value only for reduce, which has none.
    const before = row?.value ?? (op.op === 'reduceMax' ? null : 0);
    const next =
      op.op === 'count' ? before! + 1 : op.op === 'sum' ? before! + value : Math.max(before ?? value, value);
    const at = Math.max(ts, row?.ts ?? ts);
    table.put(key, next, at);
    table.change(key, next, before, at);
  });
  return table;
}

/** count and sum of a grouped table: the old value is taken back, then the new one added. */
export function aggregateTable(op: Op, receive: (sink: (record: Rec) => void) => void): StoredTable {
  const table = new StoredTable();
  const weigh = (value: number): number => (op.op === 'count' ? 1 : value);
  receive(({ key, value, old, ts }) => {
    if (key === null) return;
    const row = table.get(key);
    const before = row?.value ?? null;
    let next = before;
    if (old !== null && next !== null) next -= weigh(old);
    if (value !== null) next = (next ?? 0) + weigh(value);
    const touched = row !== undefined && (old !== null || value !== null);
    const at = touched ? Math.max(ts, row.ts) : ts;
    table.put(key, next, at);
    table.change(key, next, before, at);
  });
  return table;
}

interface WindowResult {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: number | null;
  readonly ts: number;
}

/** windowedSum: a stream of results whose key names the window. */
export function windowedSum(op: Op, input: StreamFlow): StreamFlow {
  const output = new StreamFlow(true);
  const emit = ({ key, start, end, value, ts }: WindowResult): void =>
    output.forward({ key: `${key}@${start}-${end}`, value, old: null, ts });
  const graceMs = op.grace!;
  const closesAfter = op.window === 'session' ? graceMs + op.size! : graceMs;
  const downstream = op.suppress === true ? suppressor(closesAfter, emit) : emit;
  const atClose = op.emit === 'close';
  const update = atClose ? (): void => {} : downstream;
  let streamTime = -1;
  const aggregate = {
    tumbling: timeWindows,
    hopping: timeWindows,
    sliding: slidingWindows,
    session: sessionWindows,
  };
  const windows = aggregate[op.window!](op, update);
  let emittedUpTo = -1;
  input.children.push((record) => {
    if (record.key === null || (op.window === 'sliding' && record.value === null)) return;
    streamTime = Math.max(streamTime, record.ts);
    const closeTime = streamTime - closesAfter;
    windows.add(record, closeTime);
    if (!atClose || closeTime <= emittedUpTo) return;
    for (const result of windows.closed(emittedUpTo, closeTime)) downstream(result);
    emittedUpTo = closeTime;
  });
  return output;
}

type Emit = (result: WindowResult) => void;

interface Windows {
  /** Adds a record to its windows; those closed at `closeTime` no longer take any. */
  add(record: Rec, closeTime: number): void;
  /** The results of windows that were open at `from` and are closed at `to`, oldest first. */
  closed(from: number, to: number): WindowResult[];
}

/** Stores that results at a window's close are read from, ordered by time, keep rows one millisecond longer. */
function extraRetentionMs(op: Op): number {
  return op.emit === 'close' ? 1 : 0;
}

function timeWindows(op: Op, emit: Emit): Windows {
  const sizeMs = op.size!;
  const advanceMs = op.advance ?? sizeMs;
  const rows = new TimedRows(sizeMs + op.grace! + extraRetentionMs(op));
  return {
    add({ key, value, ts }, closeTime) {
      const first = Math.ceil(Math.max(0, ts - sizeMs + 1) / advanceMs) * advanceMs;
      for (let start = first; start <= ts; start += advanceMs) {
        if (start + sizeMs <= closeTime) continue;
        const row = rows.fetch(key!, start, start)[0];
        const sum = (row?.value ?? 0) + (value ?? NULL_COUNTS_AS);
        const at = Math.max(ts, row?.ts ?? ts);
        rows.put({ key: key!, start, time: start, value: sum, ts: at });
        emit({ key: key!, start, end: start + sizeMs, value: sum, ts: at });
      }
    },
    closed: (from, to) =>
      rows
        .all(Math.max(rows.oldest, from - sizeMs + 1), to - sizeMs)
        .map((row) => ({ ...row, end: row.start + sizeMs })),
  };
}

function sessionWindows(op: Op, emit: Emit): Windows {
  const gapMs = op.size!;
  const rows = new TimedRows(gapMs + op.grace!);
  return {
    add({ key, value, ts }, closeTime) {
      const merged = rows.fetch(key!, ts - gapMs, Infinity).filter((row) => row.start <= ts + gapMs);
      const start = Math.min(ts, ...merged.map((row) => row.start));
      const end = Math.max(ts, ...merged.map((row) => row.time));
      if (end < closeTime) return;
      if (start !== end)
        for (const row of merged) {
          rows.remove(row.key, row.start, row.time);
          emit({ key: row.key, start: row.start, end: row.time, value: null, ts: row.time });
        }
      const sum = merged.reduce((total, row) => total + row.value, 0) + (value ?? NULL_COUNTS_AS);
      rows.put({ key: key!, start, time: end, value: sum, ts: end });
      emit({ key: key!, start, end, value: sum, ts: end });
    },
    closed: (from, to) => rows.all(from, to - 1).map((row) => ({ ...row, end: row.time })),
  };
}

/**
 * Sliding windows [t - diff, t]: one window a distinct set of records. A row's timestamp is the greatest of its
 * records', which tells whether a right window would hold anything.
 */
function slidingWindows(op: Op, emit: Emit): Windows {
  const diffMs = op.size!;
  const rows = new TimedRows(2 * diffMs + op.grace! + extraRetentionMs(op));
  const put = (key: string, start: number, value: number, ts: number): void => {
    rows.put({ key, start, time: start, value, ts });
    emit({ key, start, end: start + diffMs, value, ts });
  };
  return {
    add(record, closeTime) {
      const key = record.key!;
      const { ts } = record;
      const value = record.value!;
      if (ts + diffMs < closeTime) return;
      const add = (start: number, sum: number, at: number): void => {
        if (start + diffMs >= closeTime) put(key, start, sum + value, Math.max(at, ts));
      };
      const found = rows.fetch(key, Math.max(0, ts - 2 * diffMs), ts + 1);
      const starts = new Set(found.map((row) => row.start));
      if (ts < diffMs) {
        const whole = found.find((row) => row.start === 0);
        const holding = found.filter((row) => row.start > 0 && row.start <= ts);
        for (const row of holding) add(row.start, row.value, row.ts);
        const right = holding.at(-1) ?? whole;
        if (!starts.has(ts + 1) && right !== undefined && right.ts > ts)
          put(key, ts + 1, right.value, right.ts);
        if (whole !== undefined && whole.ts < ts && !starts.has(whole.ts + 1)) add(whole.ts + 1, 0, ts);
        add(0, whole?.value ?? 0, whole?.ts ?? ts);
        return;
      }
      let right: { value: number; ts: number } | undefined;
      let left: { value: number; ts: number } | undefined;
      let previousTs = -1;
      for (const row of found.toReversed()) {
        const end = row.start + diffMs;
        if (row.start === ts + 1) continue;
        if (end > ts) right ??= row;
        if (end === ts && row.ts < ts) previousTs = row.ts;
        if (end >= ts) {
          add(row.start, row.value, row.ts);
          continue;
        }
        left = row;
        previousTs = row.ts;
        break;
      }
      if (previousTs >= 0 && !starts.has(previousTs + 1) && previousTs + 1 + diffMs >= ts)
        add(previousTs + 1, 0, ts);
      if (!starts.has(ts - diffMs))
        add(ts - diffMs, left !== undefined && ts - diffMs <= previousTs ? left.value : 0, ts);
      if (!starts.has(ts + 1) && right !== undefined && right.ts > ts)
        put(key, ts + 1, right.value, right.ts);
    },
    closed: (from, to) =>
      rows
        .all(Math.max(rows.oldest, from - diffMs), to - diffMs - 1)
        .map((row) => ({ ...row, end: row.start + diffMs })),
  };
}

/** Holds results back until their window is closed, then gives the last of each: by window end, then key, then start. */
function suppressor(closesAfterMs: number, emit: Emit): Emit {
  let held: WindowResult[] = [];
  let streamTime = -1;
  return (result) => {
    streamTime = Math.max(streamTime, result.ts);
    const same = (other: WindowResult): boolean =>
      other.key === result.key && other.start === result.start && other.end === result.end;
    held = [...held.filter((other) => !same(other)), result];
    held.sort((a, b) => a.end - b.end || compareText(a.key, b.key) || a.start - b.start);
    const due = held.filter((each) => each.end <= streamTime - closesAfterMs);
    held = held.filter((each) => each.end > streamTime - closesAfterMs);
    for (const each of due) if (each.value !== null) emit(each);
  };
}
