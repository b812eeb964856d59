import { must } from '../../common/assert.ts';
import type { Span } from '../../common/error.ts';
import type { AnalyzeContext } from '../../sql/analyzer/analyze-context.ts';
import { analyzeInsertSelect } from '../../sql/analyzer/analyze-insert-select.ts';
import {
  type AnalyzedPersistentQuery,
  analyzeCreateSourceAs,
} from '../../sql/analyzer/analyze-persistent.ts';
import { analyzePullQuery, type PullPlan } from '../../sql/analyzer/analyze-pull-query.ts';
import { analyzeQuery } from '../../sql/analyzer/analyze-query.ts';
import type { AnalyzedQuery } from '../../sql/analyzer/analyzed-query.ts';
import { groupedAsOne } from '../../sql/analyzer/grouped-as-one.ts';
import type { Catalog } from '../../sql/catalog/catalog.ts';
import { type CatalogSource, columnsOfSource } from '../../sql/catalog/source.ts';
import type { LoweredQuery } from '../../sql/lower/lower.ts';
import { printName } from '../../sql/parser/names.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { parseStatements } from '../../sql/parser/parse.ts';
import { buildPersistentPlan, buildPushPlan } from '../../sql/plan/build-plan.ts';
import type { PlanNode } from '../../sql/plan/node.ts';
import { mapInputs } from '../../sql/plan/plan-inputs.ts';
import type { Row } from '../../types/value.ts';
import type { StatementCall } from '../engine.ts';
import type { PersistentQuery, QueryPlan } from '../persistent-query.ts';
import { lowerPlan, optimizePlan } from '../compile-plan.ts';
import { continueWith } from '../replacement.ts';
import { loadQuery, type PlannedQuery, storePlanned } from '../stored-query.ts';
import { analyzeContext } from './analyze-context.ts';

/**
 * The one way from a statement to its query: analyzed, planned and lowered. EXPLAIN goes it too, so that it shows what
 * would run and refuses what would be refused.
 */

/** A query that writes what it finds. */
export interface PersistentPlan<A extends AnalyzedPersistentQuery> extends PlannedQuery {
  readonly analyzed: A;
}

/** SELECT with a topology of its own, whose rows go to one client. */
export interface RowsPlan {
  readonly kind: 'rows';
  readonly analyzed: AnalyzedQuery;
  readonly plan: QueryPlan;
  readonly lower: (push: (row: Row, tombstone: boolean) => void) => LoweredQuery;
}

/** SELECT that looks into the rows that the query of a table keeps. */
export interface LookupPlan {
  readonly kind: 'lookup';
  readonly pull: PullPlan;
}

export interface CreatePlan extends PersistentPlan<ReturnType<typeof analyzeCreateSourceAs>> {
  /** The query in whose place it comes; null where none fills what it replaces. */
  readonly replaced: PersistentQuery | null;
  /** How it runs with the state of `old`, in whose place it comes. Throws `SqlError` when it could not go on with that. */
  inPlaceOf(old: PlannedQuery): PlannedQuery;
}

/** CREATE … AS, over other sources where `catalog` has others. */
export function planCreate(
  statement: StatementOf<'createSourceAs'>,
  call: StatementCall,
  catalog: Catalog = call.engine.catalog,
): CreatePlan {
  const analyzed = analyzeCreateSourceAs(statement, { ...analyzeContext(call), catalog });
  const { engine, properties } = call;
  const { name, nameSpan, span } = statement;
  const createdBy = analyzed.replaces?.createdBy ?? null;
  const planned = planPersistent(analyzed, analyzed.topic.span ?? nameSpan, call);
  return {
    ...planned,
    replaced: createdBy === null ? null : (engine.queries.get(createdBy) ?? null),
    inPlaceOf: (old) => continueWith(engine, name, old, planned, properties, span),
  };
}

/** INSERT INTO … SELECT. */
export function planInsert(
  statement: StatementOf<'insertSelect'>,
  call: StatementCall,
): PersistentPlan<ReturnType<typeof analyzeInsertSelect>> {
  return planPersistent(analyzeInsertSelect(statement, analyzeContext(call)), statement.targetSpan, call);
}

/** SELECT. */
export function planSelect(statement: StatementOf<'query'>, call: StatementCall): RowsPlan | LookupPlan {
  const { engine, properties } = call;
  const context = analyzeContext(call);
  if (statement.emit === null) {
    // A range is told only where the rows' store has it in order.
    const pull = analyzePullQuery(statement, context, ({ createdBy }) => {
      const kept = createdBy === null ? undefined : engine.queries.get(createdBy);
      return kept?.lowered.materialization?.sortsKeys === true;
    });
    if (pull.source.type === 'table') return { kind: 'lookup', pull };
  }
  const { analyzed, plan } = planRows(groupedAsOne(statement, engine.functions), call, context);
  return {
    kind: 'rows',
    analyzed,
    plan,
    lower: (push) => lowerPlan(engine, plan.after, properties, push),
  };
}

/** The query that keeps the rows of a SOURCE TABLE. */
export function planKeeping(table: CatalogSource, call: StatementCall): PlannedQuery {
  return runs(
    call,
    () => {
      const catalog = call.engine.catalog.copy();
      catalog.add(table);
      const columns = columnsOfSource(table).map((column) => printName(column.name));
      const [select] = parseStatements(
        `SELECT ${columns.join(', ')} FROM ${printName(table.name)} EMIT CHANGES;`,
      );
      const statement = must(select).statement as StatementOf<'query'>;
      const { plan } = planRows(statement, call, { ...analyzeContext(call), catalog });
      // The optimizer would drop the store of rows that go nowhere.
      return { ...plan, after: keptAgain(plan.after) };
    },
    ignoreRow,
  );
}

export const ignoreRow = (): void => undefined;

function keptAgain(node: PlanNode): PlanNode {
  return node.kind === 'source' ? { ...node, materialized: true } : mapInputs(node, keptAgain);
}

function planRows(
  statement: StatementOf<'query'>,
  { engine, properties }: StatementCall,
  context: AnalyzeContext,
): Pick<RowsPlan, 'analyzed' | 'plan'> {
  const analyzed = analyzeQuery(statement, context);
  return { analyzed, plan: optimizePlan(engine, buildPushPlan(analyzed), properties) };
}

/** `span`: of what names the topic that is written. */
function planPersistent<A extends AnalyzedPersistentQuery>(
  analyzed: A,
  span: Span,
  call: StatementCall,
): PersistentPlan<A> {
  const { engine, properties } = call;
  engine.reservedTopics.checkWritable(analyzed.sink.topic, span);
  const planned = runs(call, () => optimizePlan(engine, buildPersistentPlan(analyzed), properties));
  return { ...planned, analyzed };
}

/** What runs: what was stored when the statement was accepted, where it is replayed, else what `plan` makes now. */
function runs(
  { engine, properties, replayed }: StatementCall,
  plan: () => QueryPlan,
  push?: () => void,
): PlannedQuery {
  return replayed?.query === undefined
    ? storePlanned(engine, plan(), properties, push)
    : loadQuery(engine, replayed.query, properties, push);
}
