import { must } from '../../common/assert.ts';
import { SqlError, type Span } from '../../common/error.ts';
import { analyzeInsertSelect } from '../../sql/analyzer/analyze-insert-select.ts';
import {
  type AnalyzedPersistentQuery,
  analyzeCreateSourceAs,
} from '../../sql/analyzer/analyze-persistent.ts';
import type { CatalogSource } from '../../sql/catalog/source.ts';
import { buildPersistentPlan } from '../../sql/plan/build-plan.ts';
import { explainPlan } from '../../sql/plan/explain.ts';
import type { PlanNode } from '../../sql/plan/node.ts';
import type { StatementCall } from '../engine.ts';
import { queryIdOf } from '../command-names.ts';
import { PersistentQuery } from '../persistent-query.ts';
import { lowerPlan, optimizePlan } from '../planning.ts';
import { propertyValue } from '../properties.ts';
import { ensureTopic, partitionsOf } from '../topics.ts';
import { answer, changed, type StatementHandler } from './answer.ts';
import { analyzeContext } from './analyze-context.ts';

/** CREATE STREAM|TABLE … AS: a source and the query that fills it. */
export const createSourceAs: StatementHandler<'createSourceAs'> = async (statement, call) => {
  const { engine } = call;
  const { name, sourceKind, ifNotExists } = statement;
  if (ifNotExists && engine.catalog.has(name))
    return answer({ '@type': 'warning_entity', message: `${name} exists already: nothing was created` });
  const analyzed = analyzeCreateSourceAs(statement, analyzeContext(call));
  engine.reservedTopics.checkWritable(analyzed.sink.topic, analyzed.topic.span ?? statement.nameSpan);
  // A query that cannot be planned must fail before its topic exists.
  const planned = planQuery(call, analyzed, 'CHECK');
  const replaced = queryToReplace(call, analyzed.replaces, planned, statement.span);
  // As many as what it reads has, which may have come back since it was declared.
  const first = engine.catalog.get(analyzed.reads[0]!);
  const wished =
    analyzed.topic.partitions === 0 && call.replayed === null && first !== undefined
      ? await partitionsOf(engine.log.admin, first)
      : analyzed.topic.partitions;
  const partitions = await ensureTopic(call, { ...analyzed.topic, partitions: wished, sourceKind });
  const sequence = engine.nextSequence();
  const queryId = replaced?.id ?? call.replayed?.queryId ?? must(queryIdOf(statement, sequence));
  const sink = { ...analyzed.sink, partitions, createdBy: queryId };
  const query = planQuery(call, { ...analyzed, sink }, queryId);
  const recorded = await engine.record(call, sequence, { queryId: replaced?.id });
  if (analyzed.replaces === null) engine.catalog.add(sink);
  else engine.catalog.replace(sink);
  // The new query has the old one's id, so it goes on with its offsets and state.
  await replaced?.close();
  const undo = analyzed.replaces === null ? () => engine.catalog.remove(name) : null;
  await engine.addQuery(query, call, recorded, undo);
  return changed(`${sourceKind}/\`${name}\`/create`, `Created query with ID ${queryId}`, sequence, queryId);
};

/** INSERT INTO … SELECT: one more query that writes a stream. */
export const insertSelect: StatementHandler<'insertSelect'> = async (statement, call) => {
  const { engine } = call;
  const analyzed = analyzeInsertSelect(statement, analyzeContext(call));
  if (analyzed.queryId !== null && engine.queries.has(analyzed.queryId))
    throw new SqlError('ML_NAME_TAKEN', `a query ${analyzed.queryId} runs already`, { span: statement.span });
  engine.reservedTopics.checkWritable(analyzed.sink.topic, statement.targetSpan);
  planQuery(call, analyzed, 'CHECK');
  const sequence = engine.nextSequence();
  const queryId = must(queryIdOf(statement, sequence));
  const query = planQuery(call, analyzed, queryId);
  const recorded = await engine.record(call, sequence);
  await engine.addQuery(query, call, recorded, () => undefined);
  return changed(
    `stream/\`${statement.target}\`/create`,
    `Created query with ID ${queryId}`,
    sequence,
    queryId,
  );
};

/** The query that OR REPLACE replaces. Throws `SqlError` when the new one could not go on with its state. */
function queryToReplace(
  { engine, replayed }: StatementCall,
  replaces: CatalogSource | null,
  planned: PersistentQuery,
  span: Span,
): PersistentQuery | undefined {
  const old =
    replaces === null || replaces.createdBy === null ? undefined : engine.queries.get(replaces.createdBy);
  if (old === undefined) return undefined;
  // It was taken once: how a release plans queries may change.
  if (replayed !== null) return old;
  const change = changeOf(stateOf(old.plan.after), stateOf(planned.plan.after));
  if (change !== null)
    throw new SqlError(
      'ML_UNSUPPORTED',
      `the query of ${replaces!.name} cannot be replaced by this one, whose state would be another: ${change}`,
      {
        span,
        hint: 'filters and projections may change; for the rest DROP it and create it anew',
      },
    );
  return old;
}

/**
 * What a plan keeps between records, as text: its topmost aggregate, join or repartition with everything below it, else
 * its source. Filters and projections above may change.
 */
function stateOf(plan: PlanNode): string {
  switch (plan.kind) {
    case 'sink':
    case 'output':
    case 'filter':
    case 'project':
    case 'flat-map':
      return stateOf(plan.input);
    case 'source':
      return `source ${plan.source} ${plan.topic} ${plan.changes}`;
    case 'aggregate':
    case 'repartition':
    case 'join':
      return explainPlan(plan);
  }
}

/** The first part of a state that would change, or null when none would. */
function changeOf(before: string, after: string): string | null {
  if (before === after) return null;
  const now = before.split('\n').map((line) => line.trim());
  const then = after.split('\n').map((line) => line.trim());
  const at = now.findIndex((line, i) => line !== then[i]);
  if (at < 0) return `${then[now.length]!} would be added`;
  return then[at] === undefined ? `${now[at]!} would go` : `${now[at]!} would become ${then[at]}`;
}

function planQuery(call: StatementCall, analyzed: AnalyzedPersistentQuery, queryId: string): PersistentQuery {
  const { engine, properties, parsed } = call;
  if (call.replayed === null) checkGuarantee(engine.isExactlyOnce, properties);
  const plan = optimizePlan(engine, buildPersistentPlan(analyzed), properties);
  return new PersistentQuery(
    {
      id: queryId,
      statementText: parsed.resolvedText,
      sources: analyzed.reads,
      sink: analyzed.sink.name,
      sinkTopic: analyzed.sink.topic,
      plan,
      lowered: lowerPlan(engine, plan.after, properties),
      properties,
    },
    engine.streamsOptions(queryId, properties),
  );
}

/** Who asks for more than the log gives must know before the first record, not after the first crash. */
function checkGuarantee(isExactlyOnce: boolean, properties: ReadonlyMap<string, string>): void {
  const wanted = propertyValue(properties, 'processing.guarantee')!;
  if (isExactlyOnce || !wanted.startsWith('exactly_once')) return;
  throw new SqlError('ML_UNSUPPORTED', `on Kafka, queries process records at least once, not ${wanted}`, {
    hint: "SET 'processing.guarantee'='at_least_once'; the embedded log commits exactly once",
  });
}
