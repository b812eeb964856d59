import { Turns } from '../common/clock.ts';
import { eventLoop } from '../common/event-loop.ts';
import type { Row } from '../types/value.ts';
import type { CandidateRows } from './candidate-rows.ts';
import type { Engine } from './engine.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';
import { rowBytes } from './row-budget.ts';

const BATCH_BYTES = 64 * 1024;
const NONE: CandidateRows = { length: 0, resultAt: () => null };

interface ScanFields {
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly limit: number | null;
  readonly candidates: AsyncGenerator<CandidateRows>;
  /** Rejects when rows that were read have been undone: asked once, behind the last row. */
  readonly settled: () => Promise<void>;
  readonly engine: Engine;
}

/**
 * A pull query over a table, or a range of it, read as far as its client asks: a client that does not read keeps a page in memory,
 * and no scan holds the others up. A row that changes meanwhile is given as it is when the scan gets there, each key
 * once.
 */
export class TableScan implements RowStream {
  readonly kind = 'pull';
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly #fields: ScanFields;
  readonly #turns: Turns;
  #page: CandidateRows = NONE;
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
    this.#left = fields.limit ?? Infinity;
    this.#turns = new Turns(fields.engine.options.clock);
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
    this.#page = NONE;
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
        const { value, done } = await this.#fields.candidates.next();
        if (done === true) break;
        this.#page = value;
        this.#at = 0;
        continue;
      }
      const row = this.#page.resultAt(this.#at++);
      if (eventLoop.held && this.#turns.over) await this.#turns.next();
      if (row === null) continue;
      rows.push(row);
      bytes += rowBytes(row);
      this.#left--;
    }
    if (rows.length === 0) {
      if (this.end === null) await this.#fields.settled();
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
