import { Turns } from '../common/clock.ts';
import { eventLoop } from '../common/event-loop.ts';
import type { PullPlan } from '../sql/analyzer/analyze-pull-query.ts';
import type { Materialization } from '../sql/lower/materialization.ts';
import { MISS } from '../state/store.ts';
import type { TaskStore } from '../streams/application/stepped-streams.ts';
import type { Row, SqlValue } from '../types/value.ts';
import type { Engine } from './engine.ts';
import type { PersistentQuery } from './persistent-query.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';
import { rowBytes } from './row-budget.ts';

/** Rows of the table that are looked at before others have their turn. */
const PAGE_ROWS = 1000;
const BATCH_BYTES = 64 * 1024;

/**
 * What the query gives for a row of the table as it is stored; null for one that its WHERE leaves out, or that the
 * table does not have.
 */
export type CompiledRow = (
  key: readonly SqlValue[],
  value: unknown,
  start: number,
  end: number,
  timestamp: number,
) => Row | null;

/** A row as it is stored. Its value is the store's own, which never changes. */
interface StoredRow {
  readonly key: readonly SqlValue[];
  readonly value: unknown;
  readonly start: number;
  readonly end: number;
  readonly timestamp: number;
}

interface ScanFields {
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly plan: PullPlan;
  readonly query: PersistentQuery;
  readonly table: Materialization;
  readonly row: CompiledRow;
  readonly engine: Engine;
}

/**
 * A pull query over a whole table, read as far as its client asks: a client that does not read keeps a page in memory,
 * and no scan holds the others up. A row that changes meanwhile is given as it is when the scan gets there, each key
 * once.
 */
export class TableScan implements RowStream {
  readonly kind = 'pull';
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly #fields: ScanFields;
  readonly #pages: AsyncGenerator<StoredRow[]>;
  readonly #turns: Turns;
  #page: StoredRow[] = [];
  #at = 0;
  /** Read before it was asked for, so that what makes the query impossible is said at once. */
  #first: RowBatch | null = null;
  #left: number;
  #takenBytes = 0;
  end: RowStream['end'] = null;

  constructor(fields: ScanFields) {
    this.#fields = fields;
    this.queryId = fields.queryId;
    this.columns = fields.columns;
    this.#left = fields.plan.limit ?? Infinity;
    this.#turns = new Turns(fields.engine.options.clock);
    this.#pages = pagesOf(fields);
  }

  /** Reads the first rows. Throws `SqlError` ML_LIMIT when too many queries are open. */
  async open(): Promise<void> {
    this.#fields.engine.openQueries.add(this.queryId);
    try {
      this.#first = await this.#read();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async next(): Promise<RowBatch | null> {
    this.#count(0);
    const first = this.#first;
    this.#first = null;
    return first ?? this.#read();
  }

  close(): Promise<void> {
    this.end ??= 'terminated';
    this.#count(0);
    this.#page = [];
    this.#first = null;
    this.#fields.engine.openQueries.delete(this.queryId);
    return Promise.resolve();
  }

  async #read(): Promise<RowBatch | null> {
    const rows: Row[] = [];
    let bytes = 0;
    while (this.end === null && this.#left > 0 && bytes < BATCH_BYTES) {
      if (this.#at >= this.#page.length) {
        // What was found so far need not wait for a page that may hold nothing.
        if (rows.length > 0) break;
        if (this.#turns.over) await this.#turns.next();
        const { value, done } = await this.#pages.next();
        if (done === true) break;
        this.#page = value;
        this.#at = 0;
        continue;
      }
      const { key, value, start, end, timestamp } = this.#page[this.#at++]!;
      const row = this.#fields.row(key, value, start, end, timestamp);
      if (eventLoop.held && this.#turns.over) await this.#turns.next();
      if (row === null) continue;
      rows.push(row);
      bytes += rowBytes(row);
      this.#left--;
    }
    if (rows.length === 0) {
      this.end ??= 'complete';
      await this.close();
      return null;
    }
    this.#count(bytes);
    return { rows };
  }

  #count(bytes: number): void {
    this.#fields.engine.rowBudget.usedBytes += bytes - this.#takenBytes;
    this.#takenBytes = bytes;
  }
}

async function* pagesOf(fields: ScanFields): AsyncGenerator<StoredRow[]> {
  for (const each of fields.query.streams.stores(fields.table.store))
    yield* each.store.kind === 'key-value' ? keyPages(each, fields) : timePages(each, fields);
}

async function* keyPages(each: TaskStore, fields: ScanFields): AsyncGenerator<StoredRow[]> {
  const { key: keys } = fields.table;
  let from: Uint8Array | null = null;
  for (;;) {
    let last: Buffer | null = null;
    const page: StoredRow[] = await whenLoaded(each, fields, (into) => {
      const { store } = each;
      if (store.kind !== 'key-value') return;
      store.range(from, null, false, (bytes, start, end, value, timestamp) => {
        into.push({ key: [...keys.deserialize(bytes, start, end)], value, start: -1, end: -1, timestamp });
        if (into.length < PAGE_ROWS) return true;
        // The least key above it.
        last = Buffer.concat([bytes.subarray(start, end), Buffer.of(0)]);
        return false;
      });
    });
    if (page.length > 0) yield page;
    if (last === null) return;
    from = last;
  }
}

/** Stores by time are read by stretches of time: each has a page of rows, or one moment with more. */
async function* timePages(each: TaskStore, fields: ScanFields): AsyncGenerator<StoredRow[]> {
  const { store } = each;
  const { key: keys, windowSizeMs } = fields.table;
  const { from, to } =
    store.kind === 'window' ? timesOf(fields.plan.windowStart) : { from: 0, to: Number.MAX_SAFE_INTEGER };
  const read = (first: number, last: number, into: StoredRow[]): void => {
    if (store.kind === 'window')
      store.fetchAll(first, last, (bytes, keyStart, keyEnd, start, value, timestamp) => {
        const key = [...keys.deserialize(bytes, keyStart, keyEnd)];
        into.push({ key, value, start, end: start + (windowSizeMs ?? 0), timestamp });
      });
    else if (store.kind === 'session')
      store.fetchAll(first, last, (bytes, keyStart, keyEnd, start, end, value, timestamp) => {
        into.push({ key: [...keys.deserialize(bytes, keyStart, keyEnd)], value, start, end, timestamp });
      });
  };
  let first = from;
  for (const last of await lastTimes(each, fields, from, to)) {
    const begin = first;
    const rows = await whenLoaded(each, fields, (into) => read(begin, last, into));
    for (let at = 0; at < rows.length; at += PAGE_ROWS) yield rows.slice(at, at + PAGE_ROWS);
    first = last + 1;
  }
}

/** Where stretches of time end that hold a page of rows each. */
async function lastTimes(each: TaskStore, fields: ScanFields, from: number, to: number): Promise<number[]> {
  const { store } = each;
  let lasts: number[] = [];
  await whenLoaded(each, fields, () => {
    lasts = [];
    let count = 0;
    let before = -1;
    const visit = (time: number): void => {
      if (++count > PAGE_ROWS && time !== before) {
        lasts.push(before);
        count = 1;
      }
      before = time;
    };
    if (store.kind === 'window') store.fetchAll(from, to, (_key, _start, _end, time) => visit(time));
    else if (store.kind === 'session')
      store.fetchAll(from, to, (_key, _keyStart, _keyEnd, _start, end) => visit(end));
  });
  return [...lasts, to];
}

/** What `read` found, when all that it needs is in memory. */
async function whenLoaded(
  { store, task }: TaskStore,
  { query, table }: ScanFields,
  read: (into: StoredRow[]) => void,
): Promise<StoredRow[]> {
  for (;;) {
    // A store that is not the query's any more may have been emptied.
    const { state } = query.streams;
    const isOpen = state !== 'stopping' && state !== 'stopped';
    if (!isOpen || !query.streams.stores(table.store).some((each) => each.store === store))
      throw new Error('the table was closed while it was read: ask again');
    const rows: StoredRow[] = [];
    try {
      read(rows);
      return rows;
    } catch (error) {
      if (error !== MISS) throw error;
      await task.load();
    }
  }
}

/** Which windows WHERE leaves, by their start. */
export function timesOf(windowStart: PullPlan['windowStart']): {
  readonly from: number;
  readonly to: number;
} {
  return {
    from: numberOf(windowStart?.lower, 0),
    to: numberOf(windowStart?.upper, Number.MAX_SAFE_INTEGER),
  };
}

function numberOf(value: SqlValue | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
