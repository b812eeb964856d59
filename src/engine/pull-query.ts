import { ByteWriter } from '../common/bytes.ts';
import { sleep } from '../common/clock.ts';
import { type DataError, messageOf, type Span, SqlError } from '../common/error.ts';
import { hintOfUnkept, type PullPlan } from '../sql/analyzer/analyze-pull-query.ts';
import { compilePredicate, compileProjection } from '../sql/expressions/compile.ts';
import type { Materialization } from '../sql/lower/materialization.ts';
import type { StatementOf } from '../sql/parser/ast.ts';
import { progressText } from '../streams/instance/restoration.ts';
import { StoreQueries } from '../streams/application/store-queries.ts';
import type { Row, SqlValue } from '../types/value.ts';
import { candidateRows, type CandidateRows, type CompiledRow } from './candidate-rows.ts';
import type { StatementCall } from './engine.ts';
import { reasonOf } from './failed-statements.ts';
import type { PersistentQuery } from './persistent-query.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';
import { TableScan } from './table-scan.ts';

const BATCH_ROWS = 1000;
const RESTORE_WAIT_MS = 10_000;
const RESTORE_CHECK_MS = 5;

/** SELECT without EMIT of a table, as its query keeps it. */
export async function pullRows(
  plan: PullPlan,
  statement: StatementOf<'query'>,
  call: StatementCall,
): Promise<RowStream> {
  const { engine } = call;
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
        hint: hintOfUnkept(plan.source),
      },
    );
  await untilReadable(query, call, statement.from.span);
  const columns: ResultColumn[] = plan.select.map(({ name, type, expression }) => ({
    name,
    type,
    isKey: expression.kind === 'column' && KEY_ORIGINS.has(plan.row[expression.index]!.origin.kind),
  }));
  const queryId = engine.transientId('PULL');
  const compiled = compileRow(plan, materialization, queryId, call);
  const candidates = candidateRows(plan, new StoreQueries(query.streams), materialization, compiled);
  const { limit } = plan;
  const settled = (): Promise<void> => untilCommitted(query, statement.from.span);
  if (plan.access.kind === 'keys') {
    const rows = await allOf(candidates, limit ?? Infinity);
    await settled();
    return new PulledRows(queryId, columns, rows);
  }
  const scan = new TableScan({ queryId, columns, limit, candidates, settled, engine });
  await scan.open();
  return scan;
}

/** What was read may be undone while it is not committed, and no answer holds what never was. */
async function untilCommitted(query: PersistentQuery, span: Span): Promise<void> {
  try {
    await query.streams.settled();
  } catch (error) {
    throw new SqlError(
      'ML_IN_USE',
      `what was read of ${query.id} has been undone before it was committed: ${messageOf(error)}`,
      { span, hint: 'it is processed again; ask again' },
    );
  }
}

async function allOf(candidates: AsyncGenerator<CandidateRows>, rowsMax: number): Promise<Row[]> {
  const found: Row[] = [];
  if (rowsMax === 0) return found;
  for await (const page of candidates)
    for (let i = 0; i < page.length; i++) {
      const row = page.resultAt(i);
      if (row !== null && found.push(row) >= rowsMax) return found;
    }
  return found;
}

/**
 * A query that has failed holds none of its rows or old ones, and one that is started again a part of them: no answer
 * is better than that. What is being restored is waited for, as in ksqlDB.
 */
async function untilReadable(query: PersistentQuery, { engine }: StatementCall, span: Span): Promise<void> {
  const { clock } = engine.options;
  const until = clock.monotonic() + RESTORE_WAIT_MS;
  const isRestoring = (): boolean => query.isStarted && query.state === 'REBALANCING';
  engine.ownership?.check('ask', span);
  while (isRestoring() && clock.monotonic() < until) await sleep(clock, RESTORE_CHECK_MS);
  if (query.state === 'RUNNING' || query.state === 'PAUSED') return;
  engine.ownership?.check('ask', span);
  const { failure, isStarted, restoration } = query;
  const progress = restoration === null ? '' : `, ${progressText(restoration)}`;
  const waits = isStarted ? `its state is being restored${progress}` : 'it has not been started';
  const reason = failure === null ? waits : `it failed: ${reasonOf(failure)}`;
  const hint =
    failure === null && isStarted
      ? 'try again later: SHOW QUERIES and EXPLAIN show how far it is'
      : 'it is started again by itself; try again later, EXPLAIN shows how it goes';
  throw new SqlError('ML_IN_USE', `${query.id}, which keeps these rows, does not run: ${reason}`, {
    span,
    hint: query.wayOut ?? hint,
  });
}

/** Where a row cannot be evaluated, the processing log says why, as it does for a query that goes on. */
function compileRow(
  plan: PullPlan,
  table: Materialization,
  queryId: string,
  { engine }: StatementCall,
): CompiledRow {
  const { functions, evaluation } = engine;
  let current: readonly SqlValue[] = [];
  let time = 0;
  const skip = (node: string, part: string, error: DataError): void =>
    engine.processingLog.add(queryId, {
      applicationId: queryId,
      taskId: '',
      node,
      reason: 'evaluation',
      detail: `${part}: ${error.message}`,
      topic: plan.source.topic,
      partition: -1,
      offset: -1,
      timestamp: time,
      key: bytesOf(current, table),
      value: null,
      unreadable: null,
    });
  const passes =
    plan.filter === null
      ? () => true
      : compilePredicate(plan.filter, functions, evaluation, (error) => skip('filter', 'WHERE', error));
  const project = compileProjection(
    plan.select.map(({ expression }) => expression),
    functions,
    evaluation,
    (item, error) => skip('project', plan.select[item]!.name, error),
  );
  return (key, value, start, end, timestamp) => {
    const columns = table.rowOf(key, value, start, end, timestamp);
    if (columns === null) return null;
    current = key;
    time = timestamp;
    const row = flatRow(plan, columns, start, end, timestamp);
    if (!passes(row)) return null;
    const result: SqlValue[] = plan.select.map(() => null);
    project(row, result);
    return result;
  };
}

function bytesOf(key: readonly SqlValue[], table: Materialization): Buffer {
  const writer = new ByteWriter(64);
  table.key.serialize([...key], writer);
  return writer.toBytes();
}

/** What a row of a table is found by: the window belongs to it. */
const KEY_ORIGINS: ReadonlySet<string> = new Set(['key', 'windowstart', 'windowend']);

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
