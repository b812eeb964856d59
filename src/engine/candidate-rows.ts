import type { Bounds, PullPlan } from '../sql/analyzer/analyze-pull-query.ts';
import type { Materialization } from '../sql/lower/materialization.ts';
import { StoreQueryError } from '../streams/application/read-only-store.ts';
import type { StoreQueries } from '../streams/application/store-queries.ts';
import type { Row, SqlValue } from '../types/value.ts';

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

/** Stored rows that were read together. */
export interface CandidateRows {
  readonly length: number;
  /** What the query gives for one of them; null: nothing. */
  resultAt(index: number): Row | null;
}

/**
 * The rows of a table where WHERE leads to, read from the store as far as they are asked for. A row that changes
 * meanwhile is given as it is when it is read.
 */
export function candidateRows(
  plan: PullPlan,
  stores: StoreQueries,
  table: Materialization,
  compiled: CompiledRow,
): AsyncGenerator<CandidateRows> {
  const { access } = plan;
  // A query that was paused, or has stopped for now, still has its rows: the caller has looked at its state.
  const query = { keySerde: table.key, stale: true };
  switch (table.kind) {
    case 'key-value': {
      const store = stores.keyValueStore<SqlValue[], unknown>(table.store, query);
      const pages =
        access.kind === 'keys'
          ? pagesOfKeys(access.keys, async (key) => {
              const row = await store.getRow(key);
              return row === null ? [] : [row];
            })
          : store.pages(access.kind === 'range' ? keyBounds(access.bounds) : {});
      return read(pages, ({ key, value, timestamp }) => compiled(key, value, -1, -1, timestamp));
    }
    case 'window': {
      const store = stores.windowStore<SqlValue[], unknown>(table.store, query);
      const { from, to } = windowStarts(plan, table);
      const pages =
        access.kind === 'keys'
          ? pagesOfKeys(access.keys, (key) => store.fetch(key, from, to))
          : store.pages(from, to);
      const sizeMs = table.windowSizeMs ?? 0;
      return read(pages, ({ key, windowStart, value, timestamp }) =>
        compiled(key, value, windowStart, windowStart + sizeMs, timestamp),
      );
    }
    case 'session': {
      const store = stores.sessionStore<SqlValue[], unknown>(table.store, query);
      const { from, to, latestStart } = sessionEnds(plan);
      const pages =
        access.kind === 'keys'
          ? pagesOfKeys(access.keys, (key) => store.fetch(key, from, latestStart))
          : store.pages(from, to);
      return read(pages, ({ key, start, end, value, timestamp }) =>
        compiled(key, value, start, end, timestamp),
      );
    }
  }
}

async function* pagesOfKeys<Stored>(
  keys: readonly (readonly SqlValue[])[],
  rowsOf: (key: SqlValue[]) => Promise<readonly Stored[]>,
): AsyncGenerator<readonly Stored[]> {
  for (const key of keys) if (!key.includes(null)) yield await rowsOf([...key]);
}

async function* read<Stored>(
  pages: AsyncGenerator<readonly Stored[]>,
  resultOf: (row: Stored) => Row | null,
): AsyncGenerator<CandidateRows> {
  try {
    for await (const rows of pages)
      yield { length: rows.length, resultAt: (index) => resultOf(rows[index]!) };
  } catch (error) {
    if (!(error instanceof StoreQueryError)) throw error;
    throw new Error('the table was closed while it was read: ask again', { cause: error });
  }
}

function keyBounds({ lower, upper }: Bounds): { from: SqlValue[] | null; to: SqlValue[] | null } {
  return { from: lower === null ? null : [lower], to: upper === null ? null : [upper] };
}

interface Times {
  readonly from: number;
  readonly to: number;
}

/** Which windows WHERE leaves, by their start: they all are of one size. */
export function windowStarts({ windowStart, windowEnd }: PullPlan, { windowSizeMs }: Materialization): Times {
  const sizeMs = windowSizeMs ?? 0;
  return {
    from: Math.max(0, lowerOf(windowStart), lowerOf(windowEnd) - sizeMs),
    to: Math.min(Number.MAX_SAFE_INTEGER, upperOf(windowStart), upperOf(windowEnd) - sizeMs),
  };
}

/** Which sessions WHERE leaves, by their end, which no start lies behind. */
export function sessionEnds({ windowStart, windowEnd }: PullPlan): Times & { readonly latestStart: number } {
  const to = Math.min(Number.MAX_SAFE_INTEGER, upperOf(windowEnd));
  return {
    from: Math.max(0, lowerOf(windowStart), lowerOf(windowEnd)),
    to,
    latestStart: Math.min(to, upperOf(windowStart)),
  };
}

function lowerOf(bounds: Bounds | null): number {
  return typeof bounds?.lower === 'number' ? bounds.lower : -Infinity;
}

function upperOf(bounds: Bounds | null): number {
  return typeof bounds?.upper === 'number' ? bounds.upper : Infinity;
}
