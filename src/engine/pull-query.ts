import { ByteWriter } from '../common/bytes.ts';
import { sleep } from '../common/clock.ts';
import { type Span, SqlError } from '../common/error.ts';
import { analyzePullQuery, type PullPlan } from '../sql/analyzer/analyze-pull-query.ts';
import type { AnalyzeContext } from '../sql/analyzer/analyze-context.ts';
import { compileEvaluator, compilePredicate } from '../sql/expressions/compile.ts';
import type { Materialization } from '../sql/lower/materialization.ts';
import type { StatementOf } from '../sql/parser/ast.ts';
import { MISS, type StateStore } from '../state/store.ts';
import type { Row, SqlValue } from '../types/value.ts';
import type { StatementCall } from './engine.ts';
import { reasonOf } from './failed-statements.ts';
import type { PersistentQuery } from './persistent-query.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';
import { pullStream } from './stream-pull.ts';
import { type CompiledRow, TableScan, timesOf } from './table-scan.ts';

const BATCH_ROWS = 1000;
const RESTORE_WAIT_MS = 10_000;
const RESTORE_CHECK_MS = 5;

/** SELECT without EMIT: a table as its query keeps it, or a stream up to its end. */
export async function pullRows(
  statement: StatementOf<'query'>,
  call: StatementCall,
  context: AnalyzeContext,
): Promise<RowStream> {
  const { engine } = call;
  const plan = analyzePullQuery(statement, context);
  if (plan.source.type === 'stream') return pullStream(statement, call, context);
  const query = plan.source.createdBy === null ? undefined : engine.queries.get(plan.source.createdBy);
  const materialization = query?.lowered.materialization ?? null;
  const failed = query === undefined ? undefined : engine.failedStatement(query.id);
  if (failed !== undefined)
    throw new SqlError(
      'ML_IN_USE',
      `${plan.source.name} waits for ${failed.id}, which could not be replayed: ${failed.errors.at(-1)!.message}`,
      { span: statement.from.span },
    );
  if (query === undefined || materialization === null)
    throw new SqlError(
      'ML_UNSUPPORTED',
      query === undefined
        ? `no query keeps the rows of ${plan.source.name}`
        : `the rows of ${plan.source.name} are not kept by the query that makes it`,
      {
        span: statement.from.span,
        hint: `CREATE TABLE … AS SELECT * FROM ${plan.source.name}, or follow its changes with EMIT CHANGES`,
      },
    );
  await untilReadable(query, call, statement.from.span);
  const columns: ResultColumn[] = plan.select.map(({ name, type, expression }) => ({
    name,
    type,
    isKey: expression.kind === 'column' && KEY_ORIGINS.has(plan.row[expression.index]!.origin.kind),
  }));
  const row = compileRow(plan, materialization, call);
  const queryId = engine.transientId('PULL');
  if (plan.access.kind === 'keys')
    return new PulledRows(queryId, columns, await readKeys(plan, query, materialization, row));
  const scan = new TableScan({ queryId, columns, plan, query, table: materialization, row, engine });
  await scan.open();
  return scan;
}

/**
 * A query that has failed holds none of its rows or old ones, and one that is started again a part of them: no answer
 * is better than that. What is being restored is waited for, as in ksqlDB.
 */
async function untilReadable(query: PersistentQuery, { engine }: StatementCall, span: Span): Promise<void> {
  const { clock } = engine.options;
  const until = clock.monotonic() + RESTORE_WAIT_MS;
  const isRestoring = (): boolean => query.isStarted && query.state === 'REBALANCING';
  while (isRestoring() && clock.monotonic() < until) await sleep(clock, RESTORE_CHECK_MS);
  if (!isRestoring() && query.state !== 'ERROR' && query.state !== 'NOT_RUNNING') return;
  const { failure } = query;
  const reason = failure === null ? 'its state is being restored' : `it failed: ${reasonOf(failure)}`;
  throw new SqlError('ML_IN_USE', `${query.id}, which keeps these rows, does not run: ${reason}`, {
    span,
    hint: 'it is started again by itself; try again later, EXPLAIN shows how it goes',
  });
}

function compileRow(plan: PullPlan, table: Materialization, { engine }: StatementCall): CompiledRow {
  const { functions, evaluation } = engine;
  const passes =
    plan.filter === null ? () => true : compilePredicate(plan.filter, functions, evaluation, () => undefined);
  const select = plan.select.map(({ expression }) => compileEvaluator(expression, functions, evaluation));
  return (key, value, start, end, timestamp) => {
    const columns = table.rowOf(key, value, start, end, timestamp);
    if (columns === null) return null;
    const row = flatRow(plan, columns, start, end, timestamp);
    return passes(row) ? select.map((evaluate) => evaluateOrNull(evaluate, row)) : null;
  };
}

/** What a row of a table is found by: the window belongs to it. */
const KEY_ORIGINS: ReadonlySet<string> = new Set(['key', 'windowstart', 'windowend']);

/** The rows of the keys that WHERE names. */
async function readKeys(
  { access, limit, windowStart }: PullPlan,
  query: PersistentQuery,
  table: Materialization,
  compiled: CompiledRow,
): Promise<Row[]> {
  const rowsMax = limit ?? Infinity;
  const { from, to } = timesOf(windowStart);
  const found: Row[] = [];
  const visit: Visit = (key, value, start, end, timestamp) => {
    const row = compiled(key, value, start, end, timestamp);
    if (row !== null) found.push(row);
    return found.length < rowsMax;
  };
  const readStore = (store: StateStore, keys: readonly (readonly SqlValue[])[]): void => {
    const writer = new ByteWriter(64);
    for (const key of keys) {
      if (key.some((value) => value === null)) continue;
      writer.length = 0;
      table.key.serialize([...key], writer);
      if (!readKey(table, store, key, writer, from, to, visit)) return;
    }
  };

  if (rowsMax === 0 || access.kind !== 'keys') return found;
  for (const { store, task } of query.streams.stores(table.store)) {
    const before = found.length;
    for (;;) {
      try {
        readStore(store, access.keys);
        break;
      } catch (error) {
        if (error !== MISS) throw error;
        found.length = before;
        await task.load();
      }
    }
    if (found.length >= rowsMax) break;
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
