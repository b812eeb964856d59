import { analyzeQuery } from '../../sql/analyzer/analyze-query.ts';
import { groupedAsOne } from '../../sql/analyzer/grouped-as-one.ts';
import { type AnalyzedQuery, sourcesOf } from '../../sql/analyzer/analyzed-query.ts';
import { columnsOf } from '../../sql/expressions/walk.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { buildPushPlan } from '../../sql/plan/build-plan.ts';
import type { StatementCall } from '../engine.ts';
import { lowerPlan, optimizePlan } from '../planning.ts';
import { pullRows } from '../pull-query.ts';
import { propertyValue } from '../properties.ts';
import { PushQuery } from '../push-query.ts';
import type { ResultColumn, RowStream } from '../result.ts';
import type { RowsStatement } from './definition.ts';
import { analyzeContext } from './analyze-context.ts';

/** SELECT: with EMIT a push query, without a pull query. */
export const query: RowsStatement<'query'> = {
  effect: 'reads',
  gives: ({ emit, limit }) => ({
    kind: emit === null ? 'pull' : 'push',
    isEndless: emit !== null && limit === null,
  }),
  run: (statement, call) =>
    statement.emit === null ? pullRows(statement, call, analyzeContext(call)) : pushRows(statement, call),
};

async function pushRows(statement: StatementOf<'query'>, call: StatementCall): Promise<RowStream> {
  const { engine, properties, parsed } = call;
  const analyzed = analyzeQuery(groupedAsOne(statement, engine.functions), analyzeContext(call));
  const { after } = optimizePlan(engine, buildPushPlan(analyzed), properties);
  const columns: ResultColumn[] = analyzed.select.map(({ name, type }, i) => ({
    name,
    type,
    isKey: after.kind === 'output' && after.key.includes(after.positions[i]!),
  }));
  const kind = isScalable(analyzed, call) ? 'SCALABLE_PUSH_QUERY' : 'transient';
  const queryId = engine.transientId(sourcesOf(analyzed.from)[0]!.alias, kind);
  const push = new PushQuery(
    {
      kind: 'push',
      removes: after.kind === 'output' && after.input.changes === 'table',
      queryId,
      statementText: parsed.resolvedText,
      columns,
      limit: statement.limit,
    },
    (row) => lowerPlan(engine, after, properties, row),
    engine.streamsOptions(queryId, properties),
    engine.rowBudget,
    () => {
      engine.pushQueries.delete(queryId);
      engine.openQueries.delete(queryId);
    },
  );
  engine.openQueries.add(queryId);
  engine.pushQueries.set(queryId, push);
  try {
    await push.start();
  } catch (error) {
    await push.close();
    throw error;
  }
  return push;
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

/** Where a record lies, which is not the place of the row that the query has written. */
const PLACES: ReadonlySet<string> = new Set(['rowpartition', 'rowoffset']);
