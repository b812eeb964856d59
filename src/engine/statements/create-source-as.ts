import { must } from '../../common/assert.ts';
import { analyzeInsertSelect } from '../../sql/analyzer/analyze-insert-select.ts';
import {
  type AnalyzedPersistentQuery,
  analyzeCreateSourceAs,
} from '../../sql/analyzer/analyze-persistent.ts';
import { SqlError } from '../../common/error.ts';
import { buildPersistentPlan } from '../../sql/plan/build-plan.ts';
import type { StatementCall } from '../engine.ts';
import { queryIdOf } from '../command-names.ts';
import { PersistentQuery } from '../persistent-query.ts';
import { optimizePlan } from '../planning.ts';
import { propertyValue } from '../properties.ts';
import { continueWith } from '../replacement.ts';
import { loadQuery, type PlannedQuery, storePlanned } from '../stored-query.ts';
import { ensureTopic, partitionsOf } from '../topics.ts';
import { answer, changed, type StatementHandler } from './answer.ts';
import { analyzeContext } from './analyze-context.ts';

/** CREATE STREAM|TABLE … AS: a source and the query that fills it. */
export const createSourceAs: StatementHandler<'createSourceAs'> = async (statement, call) => {
  const { engine, properties } = call;
  const { name, sourceKind, ifNotExists, span } = statement;
  if (ifNotExists && engine.catalog.has(name))
    return answer({ '@type': 'warning_entity', message: `${name} exists already: nothing was created` });
  const analyzed = analyzeCreateSourceAs(statement, analyzeContext(call));
  const { replaces } = analyzed;
  engine.reservedTopics.checkWritable(analyzed.sink.topic, analyzed.topic.span ?? statement.nameSpan);
  // A query that cannot be planned must fail before its topic exists.
  const planned = planQuery(call, analyzed);
  const replaced =
    replaces === null || replaces.createdBy === null ? undefined : engine.queries.get(replaces.createdBy);
  // What is replayed was taken once.
  const run =
    replaced === undefined || call.replayed !== null
      ? planned
      : continueWith(engine, name, replaced, planned, properties, span);
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
  const query = openQuery(call, analyzed, run, queryId);
  const recorded = await engine.record(call, sequence, { queryId: replaced?.id, query: run.stored });
  if (replaces === null) engine.catalog.add(sink);
  else engine.catalog.replace(sink);
  // The new query has the old one's id, so it goes on with its offsets and state.
  await replaced?.close();
  const undo = replaces === null ? () => engine.catalog.remove(name) : null;
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
  const planned = planQuery(call, analyzed);
  const sequence = engine.nextSequence();
  const queryId = must(queryIdOf(statement, sequence));
  const query = openQuery(call, analyzed, planned, queryId);
  const recorded = await engine.record(call, sequence, { query: planned.stored });
  await engine.addQuery(query, call, recorded, () => undefined);
  return changed(
    `stream/\`${statement.target}\`/create`,
    `Created query with ID ${queryId}`,
    sequence,
    queryId,
  );
};

/** What was stored when the statement was accepted, where it is replayed. */
function planQuery(call: StatementCall, analyzed: AnalyzedPersistentQuery): PlannedQuery {
  const { engine, properties, replayed } = call;
  if (replayed?.query !== undefined) return loadQuery(engine, replayed.query, properties);
  if (replayed === null) checkGuarantee(engine.isExactlyOnce, properties);
  return storePlanned(engine, optimizePlan(engine, buildPersistentPlan(analyzed), properties), properties);
}

function openQuery(
  { engine, properties, parsed }: StatementCall,
  { reads, sink }: AnalyzedPersistentQuery,
  { plan, lowered, stored }: PlannedQuery,
  queryId: string,
): PersistentQuery {
  return new PersistentQuery(
    {
      id: queryId,
      statementText: parsed.resolvedText,
      sources: reads,
      sink: sink.name,
      sinkTopic: sink.topic,
      plan,
      lowered,
      stored,
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
