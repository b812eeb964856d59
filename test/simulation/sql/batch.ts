import type { GeneratedRecord } from './generate-sql.ts';
import { itemOf, type Modelled, type ModelRow } from './model-expression.ts';
import { compare, exact, Fixed, modelText, type ModelValue, rescale } from './model-value.ts';

/**
 * Queries over their whole input, as plainly as can be: loops over arrays. Nothing here is the engine's. What comes in
 * a stream of one partition is seen in its order, because late records are dropped by it.
 */

/** A record that could be read. */
export interface BatchEvent {
  readonly key: number | null;
  /** Null: no value. */
  readonly row: ModelRow | null;
  readonly timestamp: number;
}

/** The records of a source that a query can read. `prefix`: how the query names the source's columns. */
export function eventsOf(records: readonly GeneratedRecord[], prefix = ''): readonly BatchEvent[] {
  return records.flatMap(({ id, value, timestamp, wrong, wrongKey }): BatchEvent[] => {
    if (wrongKey !== undefined || wrong !== undefined) return [];
    if (value === null) return [{ key: id, row: null, timestamp }];
    return [{ key: id, row: rowOfRecord(id, value, timestamp, prefix), timestamp }];
  });
}

function rowOfRecord(
  id: number | null,
  value: Readonly<Record<string, ModelValue>>,
  timestamp: number,
  prefix: string,
): ModelRow {
  const row: Record<string, ModelValue> = { [`${prefix}ID`]: id, [`${prefix}ROWTIME`]: BigInt(timestamp) };
  for (const [name, each] of Object.entries(value)) row[`${prefix}${name}`] = each;
  return row;
}

/** What is left in a table. */
export function tableOf(records: readonly GeneratedRecord[], prefix = ''): ReadonlyMap<number, ModelRow> {
  const rows = new Map<number, ModelRow>();
  for (const { id, value, timestamp, wrong } of records) {
    if (id === null || wrong !== undefined) continue;
    if (value === null) rows.delete(id);
    else rows.set(id, rowOfRecord(id, value, timestamp, prefix));
  }
  return rows;
}

/** Two streams as one task reads them: whichever is the older at its head. */
export function merged(
  left: readonly BatchEvent[],
  right: readonly BatchEvent[],
): readonly (BatchEvent & { readonly isLeft: boolean })[] {
  const found: (BatchEvent & { readonly isLeft: boolean })[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const isLeft = j >= right.length || (i < left.length && left[i]!.timestamp < right[j]!.timestamp);
    found.push({ ...(isLeft ? left[i++]! : right[j++]!), isLeft });
  }
  return found;
}

export type Pair = readonly [left: ModelRow | null, right: ModelRow | null];

export interface JoinedRows {
  readonly pairs: readonly Pair[];
  /** Rows without a partner, when their window has closed: Kafka Streams lets some of them wait longer. */
  readonly padded: readonly Pair[];
}

export interface StreamJoin {
  readonly kind: 'JOIN' | 'LEFT JOIN' | 'RIGHT JOIN' | 'FULL OUTER JOIN';
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number | null;
  /** Of a side's row; null: it has no partner. */
  readonly leftKey: (row: ModelRow) => ModelValue;
  readonly rightKey: (row: ModelRow) => ModelValue;
}

/** Each pair in the window; a row without a partner alone, at once or, with a grace period, when its window is closed. */
export function joinStreams(
  left: readonly BatchEvent[],
  right: readonly BatchEvent[],
  join: StreamJoin,
): JoinedRows {
  const outer = {
    left: join.kind === 'LEFT JOIN' || join.kind === 'FULL OUTER JOIN',
    right: join.kind === 'RIGHT JOIN' || join.kind === 'FULL OUTER JOIN',
  };
  const found: Pair[] = [];
  const padded: Pair[] = [];
  const seen: { isLeft: boolean; key: string; row: ModelRow; time: number; waits: boolean }[] = [];
  let streamTime = -1;
  for (const { isLeft, row, timestamp: time } of merged(left, right)) {
    streamTime = Math.max(streamTime, time);
    if (row === null) continue;
    const isOuter = isLeft ? outer.left : outer.right;
    const key = isLeft ? join.leftKey(row) : join.rightKey(row);
    const alone = (own: ModelRow, ofLeft: boolean): Pair => (ofLeft ? [own, null] : [null, own]);
    if (key === null) {
      if (isOuter) found.push(alone(row, isLeft));
      continue;
    }
    if (time === streamTime && join.graceMs !== null)
      for (const other of seen) {
        const ahead = other.isLeft ? join.afterMs : join.beforeMs;
        if (!other.waits || other.time + ahead + join.graceMs >= streamTime) continue;
        other.waits = false;
        padded.push(alone(other.row, other.isLeft));
      }
    const text = modelText(key);
    let isAlone = true;
    for (const other of seen) {
      const [leftTime, rightTime] = isLeft ? [time, other.time] : [other.time, time];
      if (other.isLeft === isLeft || other.key !== text) continue;
      if (rightTime < leftTime - join.beforeMs || rightTime > leftTime + join.afterMs) continue;
      isAlone = false;
      other.waits = false;
      found.push(isLeft ? [row, other.row] : [other.row, row]);
    }
    const ahead = isLeft ? join.afterMs : join.beforeMs;
    const isDue = join.graceMs === null || time + ahead < streamTime;
    if (isAlone && isOuter && isDue) found.push(alone(row, isLeft));
    seen.push({ isLeft, key: text, row, time, waits: isAlone && isOuter && !isDue });
  }
  return { pairs: found, padded };
}

export interface Window {
  readonly kind: 'TUMBLING' | 'HOPPING' | 'SESSION';
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
}

/** A group of rows: by key, and window where there is one. */
export interface Group {
  readonly key: readonly ModelValue[];
  readonly start: number;
  readonly end: number;
  readonly rows: readonly ModelRow[];
}

/** `closedOnly`: those whose window no row can join any more. */
export function groupsOf(
  rows: readonly { readonly row: ModelRow; readonly timestamp: number }[],
  keys: readonly Modelled[],
  window: Window | null,
  closedOnly: boolean,
): readonly Group[] {
  let groups: { id: string; key: readonly ModelValue[]; start: number; end: number; rows: ModelRow[] }[] = [];
  let streamTime = -1;
  /** The greatest end of a session so far. */
  let ended = -1;
  for (const { row, timestamp } of rows) {
    const key = keys.map((each) => itemOf(each, row));
    if (key.includes(null)) continue;
    const id = key.map(modelText).join();
    streamTime = Math.max(streamTime, timestamp);
    const add = (start: number, end: number): void => {
      const group = groups.find((each) => each.id === id && each.start === start && each.end === end);
      if (group === undefined) groups.push({ id, key, start, end, rows: [row] });
      else group.rows.push(row);
    };
    if (window === null) {
      add(0, 0);
    } else if (window.kind === 'SESSION') {
      const { sizeMs: gap } = window;
      // A session that has closed is not made longer, although its end lies within the gap.
      const closed = ended - gap - window.graceMs;
      const near = groups.filter(
        (each) =>
          each.id === id && each.start <= timestamp + gap && each.end >= Math.max(closed, timestamp - gap),
      );
      const start = Math.min(timestamp, ...near.map((each) => each.start));
      const end = Math.max(timestamp, ...near.map((each) => each.end));
      if (end < streamTime - window.graceMs - gap) continue;
      ended = Math.max(ended, end);
      groups = groups.filter((each) => !near.includes(each));
      groups.push({ id, key, start, end, rows: [...near.flatMap((each) => each.rows), row] });
    } else {
      const { sizeMs, advanceMs, graceMs } = window;
      const first = Math.max(0, Math.ceil((timestamp - sizeMs + 1) / advanceMs) * advanceMs);
      for (let start = first; start <= timestamp; start += advanceMs)
        if (start + sizeMs > streamTime - graceMs) add(start, start + sizeMs);
    }
  }
  if (!closedOnly || window === null) return groups;
  return groups.filter(({ end }) =>
    window.kind === 'SESSION'
      ? end < streamTime - window.graceMs - window.sizeMs
      : end <= streamTime - window.graceMs,
  );
}

/** An aggregate over one expression. */
export interface ModelCall {
  readonly sql: string;
  readonly result: (rows: readonly ModelRow[]) => ModelValue;
}

const KNOWN: Readonly<
  Record<string, (values: readonly Exclude<ModelValue, null>[], all: readonly ModelValue[]) => ModelValue>
> = {
  COUNT: (values) => BigInt(values.length),
  SUM(values) {
    const [first] = values;
    if (typeof first === 'bigint')
      return BigInt.asIntN(
        64,
        (values as bigint[]).reduce((sum, each) => sum + each, 0n),
      );
    return (values as number[]).reduce((sum, each) => sum + each, 0);
  },
  MIN: (values) =>
    values.reduce<ModelValue>(
      (least, each) => (least === null || compare(each, least) < 0 ? each : least),
      null,
    ),
  MAX: (values) =>
    values.reduce<ModelValue>((most, each) => (most === null || compare(each, most) > 0 ? each : most), null),
  COLLECT_LIST: (_values, all) => all,
  COLLECT_SET: (_values, all) =>
    all.filter((each, i) => all.findIndex((other) => modelText(other) === modelText(each)) === i),
  EARLIEST_BY_OFFSET: (values) => values[0] ?? null,
  LATEST_BY_OFFSET: (values) => values.at(-1) ?? null,
  HISTOGRAM(values) {
    const counts = new Map<string, ModelValue>();
    for (const each of values as string[])
      counts.set(each, ((counts.get(each) as bigint | undefined) ?? 0n) + 1n);
    return counts;
  },
  AVG: (values) =>
    values.length === 0 ? 0 : (values as number[]).reduce((sum, each) => sum + each, 0) / values.length,
};

export function callOf(name: string, argument: Modelled): ModelCall {
  const of = KNOWN[name]!;
  return {
    sql: `${name}(${argument.sql})`,
    result(rows) {
      const all = rows.map((row) => itemOf(argument, row));
      const values = all.filter((each) => each !== null);
      if (name !== 'SUM') return of(values, all);
      if (argument.type === 'INT')
        return Number(
          BigInt.asIntN(
            32,
            (values as number[]).reduce((sum, each) => sum + BigInt(each), 0n),
          ),
        );
      if (argument.type === 'BIGINT' && values.length === 0) return 0n;
      return of(values, all);
    },
  };
}

export const COUNT_ALL: ModelCall = { sql: 'COUNT(*)', result: (rows) => BigInt(rows.length) };

/** `TOPK(x, size)` and `TOPKDISTINCT(x, size)`. */
export function topOf(name: 'TOPK' | 'TOPKDISTINCT', argument: Modelled, size: number): ModelCall {
  return {
    sql: `${name}(${argument.sql}, ${size})`,
    result(rows) {
      const values = rows.map((row) => itemOf(argument, row)).filter((each) => each !== null);
      const sorted = values.toSorted((a, b) => compare(b, a));
      const kept =
        name === 'TOPK' ? sorted : sorted.filter((each, i) => i === 0 || compare(each, sorted[i - 1]!) !== 0);
      return kept.slice(0, size);
    },
  };
}

/** The sum of a DECIMAL column, wide enough for every sum. */
export function sumOfDecimal(argument: Modelled): ModelCall {
  return {
    sql: `SUM(CAST(${argument.sql} AS DECIMAL(20, 2)))`,
    result: (rows) =>
      new Fixed(
        rows.reduce((sum, row) => {
          const value = itemOf(argument, row);
          return value === null ? sum : sum + rescale(exact(value as Fixed), 2);
        }, 0n),
        2,
      ),
  };
}
