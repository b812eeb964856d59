/** Rows of a store with retention, as a plain array: what is below `observed - retention` cannot be seen. */
export interface TimedRow {
  readonly key: string;
  readonly start: number;
  /** What retention looks at: a window's start, a session's end. */
  readonly time: number;
  readonly value: number;
  readonly ts: number;
}

export class TimedRows {
  #rows: TimedRow[] = [];
  #observed = -1;
  readonly #retentionMs: number;
  readonly #duplicates: boolean;

  constructor(retentionMs: number, duplicates = false) {
    this.#retentionMs = retentionMs;
    this.#duplicates = duplicates;
  }

  /** The first time that can be seen. */
  get oldest(): number {
    return this.#observed - this.#retentionMs + 1;
  }

  put(row: TimedRow): void {
    this.#observed = Math.max(this.#observed, row.time);
    if (!this.#duplicates) this.remove(row.key, row.start, row.time);
    this.#rows.push(row);
  }

  remove(key: string, start: number, time: number): void {
    this.#rows = this.#rows.filter((row) => row.key !== key || row.start !== start || row.time !== time);
  }

  /** Visible rows with from <= time <= to, by time, then start, then key, then order of put. */
  fetch(key: string, from: number, to: number): TimedRow[] {
    return this.all(Math.max(from, this.oldest), to).filter((row) => row.key === key);
  }

  /** As `fetch`, of all keys, and whatever the retention. */
  all(from: number, to: number): TimedRow[] {
    return this.#rows
      .filter((row) => row.time >= from && row.time <= to)
      .sort((a, b) => a.time - b.time || a.start - b.start || compareText(a.key, b.key));
  }
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
