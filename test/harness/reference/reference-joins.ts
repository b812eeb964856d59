import type { Op } from './oracle-case.ts';
import { type Rec, type Stamped, StoredTable, StreamFlow, type TableFlow } from './reference-node.ts';
import { compareText, TimedRows } from './reference-rows.ts';
import { joined, keyOf } from './value-rules.ts';

interface Parked {
  readonly left: boolean;
  readonly key: string;
  readonly value: number;
  readonly ts: number;
}

/** Stream-stream join: inner, left and outer. */
export function joinStreams(op: Op, left: StreamFlow, right: StreamFlow): StreamFlow {
  const output = new StreamFlow();
  const before = op.before!;
  const after = op.after!;
  const graceMs = op.grace!;
  const retention = before + after + graceMs;
  const rows = { left: new TimedRows(retention, true), right: new TimedRows(retention, true) };
  let streamTime = -1;
  let parked: Parked[] = [];
  let minTime = Number.MAX_SAFE_INTEGER;
  const keepsUnmatched = { left: op.op !== 'join', right: op.op === 'outerJoin' };
  const alone = (isLeft: boolean, key: string | null, value: number, ts: number): void =>
    output.forward({ key, value: isLeft ? joined(value, null) : joined(null, value), old: null, ts });

  /**
   * Unmatched records whose window has closed come out in order of time; the right side's first. When that is looked
   * into is Kafka Streams' own rule, and can be seen in the order of the output: not before the side at hand could have
   * one that is due, by the time last looked at, and not beyond the first open one of both sides.
   */
  const expire = (aheadMs: number): void => {
    if (minTime + aheadMs + graceMs >= streamTime) return;
    parked.sort((a, b) => a.ts - b.ts || Number(a.left) - Number(b.left) || compareText(a.key, b.key));
    minTime = Number.MAX_SAFE_INTEGER;
    const open = new Set<boolean>();
    const due: Parked[] = [];
    for (const each of parked) {
      minTime = each.ts;
      if (open.size === 2) break;
      if (each.ts + (each.left ? after : before) + graceMs < streamTime) due.push(each);
      else open.add(each.left);
    }
    parked = parked.filter((each) => !due.includes(each));
    for (const each of due) alone(each.left, each.key, each.value, each.ts);
  };

  const side = (isLeft: boolean) => {
    const mine = isLeft ? rows.left : rows.right;
    const others = isLeft ? rows.right : rows.left;
    const keeps = isLeft ? keepsUnmatched.left : keepsUnmatched.right;
    return ({ key, value, ts }: Rec): void => {
      const from = Math.max(0, ts - (isLeft ? before : after));
      const to = Math.max(0, ts + (isLeft ? after : before));
      streamTime = Math.max(streamTime, ts);
      if (value === null) return;
      if (key === null) {
        if (keeps) alone(isLeft, null, value, ts);
        return;
      }
      if (ts === streamTime) expire(isLeft ? after : before);
      const found = others.fetch(key, from, to);
      for (const other of found) {
        parked = parked.filter((each) => each.left === isLeft || each.key !== key || each.ts !== other.time);
        const result = isLeft ? joined(value, other.value) : joined(other.value, value);
        output.forward({ key, value: result, old: null, ts: Math.max(ts, other.time) });
      }
      if (found.length === 0 && keeps) {
        if (to < streamTime) alone(isLeft, key, value, ts);
        else {
          minTime = Math.min(minTime, ts);
          parked.push({ left: isLeft, key, value, ts });
        }
      }
      mine.put({ key, start: ts, time: ts, value, ts });
    };
  };
  left.children.push(side(true));
  right.children.push(side(false));
  return output;
}

/**
 * A stream joined with itself, as Kafka Streams does it when it optimizes: one store, and every record has a partner,
 * itself, unless it is too old.
 */
export function joinWithSelf(op: Op, stream: StreamFlow): StreamFlow {
  const output = new StreamFlow();
  const before = op.before!;
  const after = op.after!;
  const retention = before + after + op.grace!;
  const rows = new TimedRows(retention, true);
  let streamTime = -1;
  stream.children.push(({ key, value, ts }) => {
    if (key === null || value === null) return;
    streamTime = Math.max(streamTime, ts);
    const emit = (left: number, right: number, at: number): void =>
      output.forward({ key, value: joined(left, right), old: null, ts: Math.max(at, ts) });
    for (const other of rows.fetch(key, Math.max(0, ts - before), ts + after))
      emit(value, other.value, other.time);
    let self = ts > streamTime - retention + 1;
    for (const other of rows.fetch(key, Math.max(0, ts - after), ts + before)) {
      if (self && other.time > ts) {
        emit(value, value, ts);
        self = false;
      }
      emit(other.value, value, other.time);
    }
    if (self) emit(value, value, ts);
    rows.put({ key, start: ts, time: ts, value, ts });
  });
  return output;
}

export function joinStreamTable(op: Op, stream: StreamFlow, table: TableFlow): StreamFlow {
  table.makeReadable();
  return lookUp(
    op,
    stream,
    (key) => key,
    (key) => table.get(key),
  );
}

export function joinGlobalTable(op: Op, stream: StreamFlow, rows: ReadonlyMap<string, Stamped>): StreamFlow {
  return lookUp(
    op,
    stream,
    (_key, value) => keyOf(value, op.n!),
    (key) => rows.get(key),
  );
}

function lookUp(
  op: Op,
  stream: StreamFlow,
  keyFor: (key: string | null, value: number) => string | null,
  get: (key: string) => Stamped | undefined,
): StreamFlow {
  const output = new StreamFlow(stream.rekeyed);
  stream.children.push(({ key, value, ts }) => {
    if (value === null) return;
    const wanted = keyFor(key, value);
    const row = wanted === null ? undefined : get(wanted);
    if (row === undefined && op.op === 'join') return;
    output.forward({ key, value: joined(value, row?.value ?? null), old: null, ts });
  });
  return output;
}

/** Table-table join: inner, left and outer. */
export function joinTables(op: Op, left: TableFlow, right: TableFlow): StoredTable {
  const output = new (class extends StoredTable {
    override enableOld(force: boolean): boolean {
      left.enableOld(true);
      right.enableOld(true);
      return super.enableOld(force);
    }
  })();
  if (op.op !== 'join') left.enableOld(true);
  if (op.op === 'outerJoin') right.enableOld(true);
  left.makeReadable();
  right.makeReadable();
  const needs = { left: op.op !== 'outerJoin', right: op.op === 'join' };
  const combine = (l: number | null, r: number | null): number | null =>
    (l === null && (needs.left || r === null)) || (r === null && needs.right) ? null : joined(l, r);
  const side = (isLeft: boolean) => {
    const other = isLeft ? right : left;
    return ({ key, value, old, ts }: Rec): void => {
      const row = other.get(key!);
      if (row === undefined) {
        if (isLeft ? needs.right : needs.left) return;
        if (value === null && old === null) return;
      }
      const theirs = row?.value ?? null;
      const result = isLeft ? combine(value, theirs) : combine(theirs, value);
      const before = isLeft ? combine(old, theirs) : combine(theirs, old);
      const at = Math.max(ts, row?.ts ?? ts);
      output.put(key!, result, at);
      output.change(key!, result, before, at);
    };
  };
  left.children.push(side(true));
  right.children.push(side(false));
  return output;
}
