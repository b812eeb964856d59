import { must } from '../../common/assert.ts';
import { analyzeQuery } from '../../sql/analyzer/analyze-query.ts';
import { type CatalogSource, columnsOfSource } from '../../sql/catalog/source.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { printIdentifier } from '../../sql/parser/names.ts';
import { parseStatements } from '../../sql/parser/parse.ts';
import { buildPushPlan } from '../../sql/plan/build-plan.ts';
import type { PlanNode } from '../../sql/plan/node.ts';
import type { StatementCall } from '../engine.ts';
import type { QueryPlan } from '../persistent-query.ts';
import { optimizePlan } from '../planning.ts';
import { propertyValue } from '../properties.ts';
import type { Entity } from '../result.ts';
import { changed } from './answer.ts';
import { analyzeContext } from './analyze-context.ts';
import { earlierQuery } from './earlier-query.ts';
import { openQuery, planQuery } from './open-query.ts';
import { mapInputs } from '../../sql/plan/plan-inputs.ts';

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
export async function createSourceTable(source: CatalogSource, call: StatementCall): Promise<Entity> {
  const { engine } = call;
  const { name } = source;
  const { statement } = call.parsed;
  const identity = engine.nextIdentity(call, `rows of ${name}`);
  const earlier = earlierQuery(call, identity, statement.span, ignoreRow);
  const fresh = planQuery(call, () => keepingPlan({ ...source, createdBy: 'CST' }, call), ignoreRow);
  // Its rows are a copy of the topic: what is kept of other columns is made anew.
  const isSame = earlier !== null && earlier.kept.query.fingerprint === fresh.stored.fingerprint;
  if (earlier !== null && !isSame) await engine.forgetState(earlier.kept.queryId, earlier.kept.query);
  const run = isSame ? earlier.planned : fresh;
  const { sequence, queryId } = await engine.nameQuery(call, earlier?.kept.queryId, run.stored);
  const table = { ...source, createdBy: queryId };
  // It reads the table from its beginning, and does nothing with it but keep it.
  const query = openQuery(call, queryId, run, [name], null, { offsetReset: 'earliest' });
  const recorded = await engine.record(call, sequence, { query: query.stored });
  await engine.keep(call, identity, query);
  engine.catalog.add(table);
  await engine.addQuery(query, call, recorded, () => engine.catalog.remove(name));
  return changed(`table/\`${name}\`/create`, `Table ${name} created`, sequence, queryId);
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
