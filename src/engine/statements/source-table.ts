import { must } from '../../common/assert.ts';
import { analyzeQuery } from '../../sql/analyzer/analyze-query.ts';
import { type CatalogSource, columnsOfSource } from '../../sql/catalog/source.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { printIdentifier } from '../../sql/parser/names.ts';
import { parseStatements } from '../../sql/parser/parse.ts';
import { buildPushPlan, mapInputs } from '../../sql/plan/build-plan.ts';
import type { PlanNode } from '../../sql/plan/node.ts';
import type { StatementCall } from '../engine.ts';
import { queryIdOf } from '../command-names.ts';
import { PersistentQuery, type QueryPlan } from '../persistent-query.ts';
import { optimizePlan } from '../planning.ts';
import { loadQuery, storePlanned } from '../stored-query.ts';
import { propertyValue } from '../properties.ts';
import type { StatementResult } from '../result.ts';
import { changed } from './answer.ts';
import { analyzeContext } from './analyze-context.ts';

/**
 * Whether a query keeps the table's rows, so that pull queries can ask for them. Those of a windowed topic would be
 * asked for by key and window, and are not kept.
 */
export function isMaterialized(source: CatalogSource, properties: ReadonlyMap<string, string>): boolean {
  return (
    source.sourceOnly &&
    source.type === 'table' &&
    source.window === null &&
    propertyValue(properties, 'ksql.source.table.materialization.enabled') !== 'false'
  );
}

/** CREATE SOURCE TABLE: the table, and the query `CST_<name>_<n>` that keeps its rows. It ends with the table. */
export async function createSourceTable(
  source: CatalogSource,
  call: StatementCall,
): Promise<StatementResult> {
  const { engine } = call;
  const { name } = source;
  const queryId = must(queryIdOf(call.parsed.statement, engine.sequence));
  const table = { ...source, createdBy: queryId };
  const query = keepingQuery(table, queryId, call);
  const sequence = engine.nextSequence();
  const recorded = await engine.record(call, sequence, { query: query.stored });
  engine.catalog.add(table);
  await engine.addQuery(query, call, recorded, () => engine.catalog.remove(name));
  return changed(`table/\`${name}\`/create`, `Table ${name} created`, sequence, queryId);
}

/** Reads the table from its beginning into a store, and does nothing else with it. */
function keepingQuery(table: CatalogSource, queryId: string, call: StatementCall): PersistentQuery {
  const { engine, properties, parsed, replayed } = call;
  const { plan, lowered, stored } =
    replayed?.query === undefined
      ? storePlanned(engine, keepingPlan(table, call), properties, ignoreRow)
      : loadQuery(engine, replayed.query, properties, ignoreRow);
  return new PersistentQuery(
    {
      id: queryId,
      statementText: parsed.resolvedText,
      sources: [table.name],
      sink: null,
      sinkTopic: null,
      plan,
      lowered,
      stored,
      properties,
    },
    { ...engine.streamsOptions(queryId, properties), offsetReset: 'earliest' },
  );
}

const ignoreRow = (): void => undefined;

function keepingPlan(table: CatalogSource, call: StatementCall): QueryPlan {
  const { engine, properties } = call;
  const catalog = engine.catalog.copy();
  catalog.add(table);
  const columns = columnsOfSource(table).map((column) => printIdentifier(column.name));
  const [select] = parseStatements(
    `SELECT ${columns.join(', ')} FROM ${printIdentifier(table.name)} EMIT CHANGES;`,
  );
  const before = buildPushPlan(
    analyzeQuery(must(select).statement as StatementOf<'query'>, { ...analyzeContext(call), catalog }),
  );
  const plan = optimizePlan(engine, before, properties);
  // To whoever optimizes, rows that go nowhere need no store.
  return { ...plan, after: keptAgain(plan.after) };
}

function keptAgain(node: PlanNode): PlanNode {
  return node.kind === 'source' ? { ...node, materialized: true } : mapInputs(node, keptAgain);
}
