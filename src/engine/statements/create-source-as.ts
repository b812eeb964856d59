import { SqlError } from '../../common/error.ts';
import {
  type AnalyzedPersistentQuery,
  analyzeCreateSourceAs,
  analyzeInsertSelect,
} from '../../sql/analyzer/analyze-persistent.ts';
import { buildPersistentPlan } from '../../sql/plan/build-plan.ts';
import type { StatementCall } from '../engine.ts';
import { PersistentQuery } from '../persistent-query.ts';
import { lowerPlan, optimizePlan } from '../planning.ts';
import { ensureTopic } from '../topics.ts';
import { answer, changed, type StatementHandler } from './answer.ts';
import { analyzeContext } from './create-source.ts';

/** CREATE STREAM|TABLE … AS: a source and the query that fills it. */
export const createSourceAs: StatementHandler<'createSourceAs'> = async (statement, call) => {
  const { engine } = call;
  const { name, sourceKind, ifNotExists } = statement;
  if (ifNotExists && engine.catalog.has(name))
    return answer({ '@type': 'warning_entity', message: `${name} exists already: nothing was created` });
  const analyzed = analyzeCreateSourceAs(statement, analyzeContext(call));
  if (analyzed.replaces !== null)
    throw new SqlError('ML_UNSUPPORTED', `replacing the running query of ${name} is not available in this release`, {
      span: statement.span,
      hint: `DROP ${sourceKind.toUpperCase()} ${name}; and create it again`,
    });
  // A query that cannot be planned must fail before its topic exists.
  planQuery(call, analyzed, 'CHECK');
  const partitions = await ensureTopic(engine.log.admin, { ...analyzed.topic, sourceKind });
  const sequence = engine.nextSequence();
  const queryId = `${sourceKind === 'table' ? 'CTAS' : 'CSAS'}_${name}_${sequence}`;
  const sink = { ...analyzed.sink, partitions, createdBy: queryId };
  const query = planQuery(call, { ...analyzed, sink }, queryId);
  await engine.record(call, sequence);
  engine.catalog.add(sink);
  await engine.addQuery(query);
  return changed(`${sourceKind}/\`${name}\`/create`, `Created query with ID ${queryId}`, sequence, queryId);
};

/** INSERT INTO … SELECT: one more query that writes a stream. */
export const insertSelect: StatementHandler<'insertSelect'> = async (statement, call) => {
  const { engine } = call;
  const analyzed = analyzeInsertSelect(statement, analyzeContext(call));
  if (analyzed.queryId !== null && engine.queries.has(analyzed.queryId))
    throw new SqlError('ML_NAME_TAKEN', `a query ${analyzed.queryId} runs already`, { span: statement.span });
  planQuery(call, analyzed, 'CHECK');
  const sequence = engine.nextSequence();
  const queryId = analyzed.queryId ?? `INSERTQUERY_${sequence}`;
  const query = planQuery(call, analyzed, queryId);
  await engine.record(call, sequence);
  await engine.addQuery(query);
  return changed(
    `stream/\`${statement.target}\`/create`,
    `Created query with ID ${queryId}`,
    sequence,
    queryId,
  );
};

function planQuery(call: StatementCall, analyzed: AnalyzedPersistentQuery, queryId: string): PersistentQuery {
  const { engine, session, parsed } = call;
  const properties = new Map(session.properties);
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
