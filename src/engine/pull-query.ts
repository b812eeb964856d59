import { ByteWriter } from '../common/bytes.ts';
import { SqlError } from '../common/error.ts';
import { analyzePullQuery, type PullPlan } from '../sql/analyzer/analyze-pull-query.ts';
import type { AnalyzeContext } from '../sql/analyzer/analyze-context.ts';
import { compileEvaluator, compilePredicate } from '../sql/expressions/compile.ts';
import type { Materialization } from '../sql/lower/materialization.ts';
import type { StatementOf } from '../sql/parser/ast.ts';
import { MISS, type StateStore } from '../state/store.ts';
import type { TaskStore } from '../streams/runtime/streams.ts';
import type { Row, SqlValue } from '../types/value.ts';
import type { StatementCall } from './engine.ts';
import type { PersistentQuery } from './persistent-query.ts';
import type { ResultColumn, RowBatch, RowStream, StatementResult } from './result.ts';
import { pullStream } from './stream-pull.ts';

const BATCH_ROWS = 1000;

/** SELECT without EMIT: a table as its query keeps it, or a stream up to its end. */
export async function pullRows(
  statement: StatementOf<'query'>,
  call: StatementCall,
  context: AnalyzeContext,
): Promise<StatementResult> {
  const { engine } = call;
  const plan = analyzePullQuery(statement, context);
  if (plan.source.type === 'stream') return pullStream(statement, call, context);
  const query = plan.source.createdBy === null ? undefined : engine.queries.get(plan.source.createdBy);
  const materialization = query?.lowered.materialization ?? null;
  const failed = engine.failedStatements.find(({ id }) => id === query?.id);
  if (failed !== undefined)
    throw new SqlError(
      'ML_IN_USE',
      `${plan.source.name} waits for ${failed.id}, which could not be replayed: ${failed.errors.at(-1)!.message}`,
      { span: statement.from.span },
    );
  if (query === undefined || materialization === null)
    throw new SqlError(
      'ML_UNSUPPORTED',
      `the rows of ${plan.source.name} are not kept by the query that makes it`,
      {
        span: statement.from.span,
        hint: `CREATE TABLE … AS SELECT * FROM ${plan.source.name}, or follow its changes with EMIT CHANGES`,
      },
    );
  const rows = await readTable(plan, query, materialization, call);
  const columns: ResultColumn[] = plan.select.map(({ name, type, expression }) => ({
    name,
    type,
    isKey: expression.kind === 'column' && KEY_ORIGINS.has(plan.row[expression.index]!.origin.kind),
  }));
  return { kind: 'rows', rows: new PulledRows(engine.transientId('PULL'), columns, rows) };
}

/** What a row of a table is found by: the window belongs to it. */
const KEY_ORIGINS: ReadonlySet<string> = new Set(['key', 'windowstart', 'windowend']);

async function readTable(
  plan: PullPlan,
  query: PersistentQuery,
  table: Materialization,
  { engine }: StatementCall,
): Promise<Row[]> {
  const { functions, evaluation } = engine;
  const passes =
    plan.filter === null ? () => true : compilePredicate(plan.filter, functions, evaluation, () => undefined);
  const select = plan.select.map(({ expression }) => compileEvaluator(expression, functions, evaluation));
  const limit = plan.limit ?? Infinity;
  const found: Row[] = [];

  /** Returns whether there is room for more. */
  const visit = (
    key: readonly SqlValue[],
    value: unknown,
    start: number,
    end: number,
    timestamp: number,
  ): boolean => {
    const columns = table.rowOf(key, value, start, end, timestamp);
    if (columns === null) return true;
    const row = flatRow(plan, columns, start, end, timestamp);
    if (!passes(row)) return true;
    found.push(select.map((evaluate) => evaluateOrNull(evaluate, row)));
    return found.length < limit;
  };

  if (limit === 0) return found;
  for (const each of query.streams.stores(table.store)) {
    const before = found.length;
    for (;;) {
      try {
        readStore(plan, table, each, visit);
        break;
      } catch (error) {
        if (error !== MISS) throw error;
        found.length = before;
        await each.task.load();
      }
    }
    if (found.length >= limit) break;
  }
  return found;
}

type Visit = (
  key: readonly SqlValue[],
  value: unknown,
  start: number,
  end: number,
  timestamp: number,
) => boolean;

function readStore(plan: PullPlan, table: Materialization, { store }: TaskStore, visit: Visit): void {
  const { access } = plan;
  const from = numberOf(plan.windowStart?.lower, 0);
  const to = numberOf(plan.windowStart?.upper, Number.MAX_SAFE_INTEGER);
  const decode = (bytes: Uint8Array, start: number, end: number): readonly SqlValue[] => [
    ...table.key.deserialize(bytes, start, end),
  ];
  if (access.kind === 'keys') {
    const writer = new ByteWriter(64);
    for (const key of access.keys) {
      if (key.some((value) => value === null)) continue;
      writer.length = 0;
      table.key.serialize([...key], writer);
      if (!readKey(table, store, key, writer, from, to, visit)) return;
    }
    return;
  }
  switch (store.kind) {
    case 'key-value':
      store.range(null, null, false, (bytes, start, end, value, timestamp) =>
        visit(decode(bytes, start, end), value, -1, -1, timestamp),
      );
      return;
    case 'window':
      store.fetchAll(from, to, (bytes, start, end, windowStart, value, timestamp) =>
        visit(
          decode(bytes, start, end),
          value,
          windowStart,
          windowStart + (table.windowSizeMs ?? 0),
          timestamp,
        ),
      );
      return;
    case 'session':
      store.fetchAll(0, Number.MAX_SAFE_INTEGER, (bytes, start, end, first, last, value, timestamp) =>
        visit(decode(bytes, start, end), value, first, last, timestamp),
      );
      return;
    case 'versioned':
      // No table of SQL has one.
      return;
  }
}

/** Returns whether there is room for more. */
function readKey(
  table: Materialization,
  store: StateStore,
  key: readonly SqlValue[],
  bytes: ByteWriter,
  from: number,
  to: number,
  visit: Visit,
): boolean {
  let more = true;
  switch (store.kind) {
    case 'key-value': {
      const slot = store.find(bytes.buffer, 0, bytes.length);
      if (slot >= 0) more = visit(key, store.valueAt(slot), -1, -1, store.timestampAt(slot));
      break;
    }
    case 'window':
      store.fetch(bytes.buffer, 0, bytes.length, from, to, false, (start, value, timestamp) => {
        more = visit(key, value, start, start + (table.windowSizeMs ?? 0), timestamp);
        return more;
      });
      break;
    case 'session':
      store.fetch(
        bytes.buffer,
        0,
        bytes.length,
        0,
        Number.MAX_SAFE_INTEGER,
        (start, end, value, timestamp) => {
          more = visit(key, value, start, end, timestamp);
          return more;
        },
      );
      break;
    case 'versioned':
      break;
  }
  return more;
}

/** The row that the pull query's expressions are over, from the table's columns. */
function flatRow(
  plan: PullPlan,
  columns: readonly SqlValue[],
  start: number,
  end: number,
  timestamp: number,
): Row {
  const { key, value, headers } = plan.source.schema;
  const keys = key.length;
  return plan.row.map(({ origin }) => {
    switch (origin.kind) {
      case 'key':
        return columns[origin.index] ?? null;
      case 'value':
        return columns[keys + origin.index] ?? null;
      case 'rowtime':
        return timestamp;
      case 'windowstart':
        return start;
      case 'windowend':
        return end;
      case 'header': {
        const { headerKey } = origin;
        const at = headers.findIndex((column) => column.headerKey === headerKey);
        return columns[keys + value.length + at] ?? null;
      }
      default:
        return null;
    }
  });
}

function evaluateOrNull(evaluate: (row: Row) => SqlValue, row: Row): SqlValue {
  try {
    return evaluate(row);
  } catch {
    return null;
  }
}

function numberOf(value: SqlValue | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

/** Rows that have all been read. */
class PulledRows implements RowStream {
  readonly kind = 'pull';
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly #rows: readonly Row[];
  #at = 0;
  end: RowStream['end'] = null;

  constructor(queryId: string, columns: readonly ResultColumn[], rows: readonly Row[]) {
    this.queryId = queryId;
    this.columns = columns;
    this.#rows = rows;
  }

  next(): Promise<RowBatch | null> {
    if (this.end === null && this.#at >= this.#rows.length) this.end = 'complete';
    if (this.end !== null) return Promise.resolve(null);
    const rows = this.#rows.slice(this.#at, this.#at + BATCH_ROWS);
    this.#at += rows.length;
    return Promise.resolve({ rows });
  }

  close(): Promise<void> {
    this.end ??= 'terminated';
    return Promise.resolve();
  }
}
