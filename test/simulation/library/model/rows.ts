import type { Value } from '../case-functions.ts';
import { compareKeys, idOf, type Key, type Row } from './flow.ts';

/** What a put did: it is the newest of its key, it is an older version, or it came too late to be kept. */
export type Put = 'newest' | 'older' | 'refused';

/** The rows of a table: the latest of each key, or all versions that a history reaches back to. */
export class TableRows {
  readonly #versions = new Map<string, { readonly ts: number; readonly value: Value | null }[]>();
  readonly #history: number | null;
  #observed = -1;

  constructor(history: number | null) {
    this.#history = history;
  }

  put(key: Key, value: Value | null, ts: number): Put {
    const id = idOf(key);
    if (this.#history === null) {
      this.#versions.set(id, [{ ts, value }]);
      return 'newest';
    }
    this.#observed = Math.max(this.#observed, ts);
    if (ts < this.#observed - this.#history) return 'refused';
    const others = (this.#versions.get(id) ?? []).filter((each) => each.ts !== ts);
    this.#versions.set(
      id,
      [...others, { ts, value }].sort((a, b) => a.ts - b.ts),
    );
    return others.some((each) => each.ts > ts) ? 'older' : 'newest';
  }

  get(key: Key): Row | null {
    return rowOf(this.#versions.get(idOf(key))?.at(-1));
  }

  getAsOf(key: Key, ts: number): Row | null {
    const versions = this.#versions.get(idOf(key)) ?? [];
    const found = versions.findLast((each) => each.ts <= ts);
    // The newest never expires.
    if (found !== versions.at(-1) && ts < this.#observed - (this.#history ?? 0)) return null;
    return rowOf(found);
  }

  get keys(): string[] {
    return [...this.#versions.keys()];
  }

  /** Those that were valid within the history, by time. */
  versions(
    key: Key,
  ): { readonly value: Value; readonly timestamp: number; readonly validTo: number | null }[] {
    const versions = this.#versions.get(idOf(key)) ?? [];
    const oldest = this.#observed - (this.#history ?? 0);
    return versions.flatMap(({ ts, value }, i) => {
      const validTo = versions[i + 1]?.ts ?? null;
      if (value === null || (validTo !== null && validTo <= oldest)) return [];
      return [{ value, timestamp: ts, validTo }];
    });
  }
}

function rowOf(found: { readonly ts: number; readonly value: Value | null } | undefined): Row | null {
  return found === undefined || found.value === null ? null : { value: found.value, ts: found.ts };
}

export interface TimedRow {
  readonly key: string;
  readonly start: number;
  /** A window's start, a session's end: what the retention goes by. */
  readonly time: number;
  readonly value: Value;
  readonly ts: number;
}

/** Rows by time, as a plain list. What is not within `retention` of the greatest time is not seen. */
export class TimedRows {
  #rows: TimedRow[] = [];
  #observed = -1;
  readonly #retention: number;
  readonly #duplicates: boolean;

  constructor(retention: number, duplicates = false) {
    this.#retention = retention;
    this.#duplicates = duplicates;
  }

  /** Without a value the row is gone. */
  put(row: Omit<TimedRow, 'value'> & { readonly value: Value | null }): void {
    const { value } = row;
    this.#observed = Math.max(this.#observed, row.time);
    if (!this.#duplicates) this.remove(row);
    if (value !== null) this.#rows.push({ ...row, value });
  }

  remove({ key, start, time }: Pick<TimedRow, 'key' | 'start' | 'time'>): void {
    this.#observed = Math.max(this.#observed, time);
    this.#rows = this.#rows.filter((row) => row.key !== key || row.start !== start || row.time !== time);
  }

  get oldest(): number {
    return this.#observed - this.#retention + 1;
  }

  /** By time, then start, then key, then order of put. */
  seen(from = -Infinity, to = Infinity): TimedRow[] {
    return this.all(Math.max(from, this.oldest), to);
  }

  /** Whatever the retention. */
  all(from: number, to: number): TimedRow[] {
    return this.#rows
      .filter((row) => row.time >= from && row.time <= to)
      .sort((a, b) => a.time - b.time || a.start - b.start || compareKeys(a.key, b.key));
  }

  of(key: string, from: number, to: number): TimedRow[] {
    return this.seen(from, to).filter((row) => row.key === key);
  }
}
