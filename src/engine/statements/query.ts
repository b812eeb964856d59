import { type AnalyzedQuery, sourcesOf } from '../../sql/analyzer/analyzed-query.ts';
import { columnsOf } from '../../sql/expressions/walk.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import type { StatementCall } from '../engine.ts';
import { pullRows } from '../pull-query.ts';
import { lookAtPartitions } from '../topics.ts';
import { propertyValue } from '../properties.ts';
import { PushQuery } from '../push-query.ts';
import { streamsOptions } from '../query-application.ts';
import type { RowStream } from '../result.ts';
import type { RowsStatement } from './definition.ts';
import { planSelect, type RowsPlan } from './plan-query.ts';

/** SELECT: with EMIT a push query, without a pull query. */
export const query: RowsStatement<'query'> = {
  effect: 'reads',
  gives: ({ emit, limit }) => ({
    kind: emit === null ? 'pull' : 'push',
    isEndless: emit !== null && limit === null,
  }),
  async run(statement, call) {
    if (statement.from.kind === 'join') await lookAtPartitions(call);
    const planned = planSelect(statement, call);
    return planned.kind === 'lookup'
      ? pullRows(planned.pull, statement, call)
      : openRows(planned, statement, call);
  },
};

/** The rows of a topology of their own. Without EMIT: of a stream from its beginning to where it ends now. */
async function openRows(
  { analyzed, plan: { after }, lower }: RowsPlan,
  { emit, limit }: StatementOf<'query'>,
  call: StatementCall,
): Promise<RowStream> {
  const { engine, properties, parsed } = call;
  const isPull = emit === null;
  const key = after.kind === 'output' && !isPull ? after.key : [];
  const queryId = isPull
    ? engine.transientId('PULL')
    : engine.transientId(
        sourcesOf(analyzed.from)[0]!.alias,
        isScalable(analyzed, call) ? 'SCALABLE_PUSH_QUERY' : 'transient',
      );
  const rows = new PushQuery(
    {
      kind: isPull ? 'pull' : 'push',
      removes: after.kind === 'output' && after.input.changes === 'table',
      queryId,
      statementText: parsed.resolvedText,
      columns: analyzed.select.map(({ name, type }, i) => ({
        name,
        type,
        isKey: after.kind === 'output' && key.includes(after.positions[i]!),
      })),
      limit,
    },
    lower,
    {
      ...streamsOptions(engine, queryId, properties, {
        onSkip: (skipped) => engine.processingLog.add(queryId, skipped),
      }),
      ...(isPull ? { offsetReset: 'earliest' } : {}),
    },
    engine.rowBudget,
    () => {
      engine.pushQueries.delete(queryId);
      engine.openQueries.delete(queryId);
    },
  );
  engine.openQueries.add(queryId);
  engine.pushQueries.set(queryId, rows);
  try {
    await rows.start();
  } catch (error) {
    await rows.close();
    throw error;
  }
  return rows;
}

/**
 * Whether ksqlDB would answer it from the output of the one query that writes its source, and name it so: clients tell
 * those apart by their ids.
 */
function isScalable(analyzed: AnalyzedQuery, { engine, properties }: StatementCall): boolean {
  const { from, where, select } = analyzed;
  if (propertyValue(properties, 'ksql.query.push.v2.enabled') !== 'true') return false;
  if (propertyValue(properties, 'auto.offset.reset') !== 'latest') return false;
  if (from.kind !== 'source' || analyzed.emit !== 'changes') return false;
  if (analyzed.grouping !== null || analyzed.partitionBy !== null || analyzed.tableCalls.length > 0)
    return false;
  if (engine.catalog.writersOf(from.source.name).length !== 1) return false;
  const expressions = [...select.map(({ expression }) => expression), ...(where === null ? [] : [where])];
  return !expressions.some((expression) =>
    [...columnsOf(expression)].some((index) => PLACES.has(from.row[index]?.origin.kind ?? '')),
  );
}

/** The place of a record that was read, which is not that of the row that the query writes. */
const PLACES: ReadonlySet<string> = new Set(['rowpartition', 'rowoffset']);
