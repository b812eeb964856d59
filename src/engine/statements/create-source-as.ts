import { must } from '../../common/assert.ts';
import { analyzeInsertSelect } from '../../sql/analyzer/analyze-insert-select.ts';
import {
  type AnalyzedPersistentQuery,
  analyzeCreateSourceAs,
} from '../../sql/analyzer/analyze-persistent.ts';
import { SqlError } from '../../common/error.ts';
import { checkReplacement } from '../../sql/analyzer/analyze-source.ts';
import { buildPersistentPlan } from '../../sql/plan/build-plan.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { Engine, StatementCall } from '../engine.ts';
import type { PersistentQuery } from '../persistent-query.ts';
import { optimizePlan } from '../planning.ts';
import { propertyValue } from '../properties.ts';
import { continueWith } from '../replacement.ts';
import { meanTheSame, type PlannedQuery } from '../stored-query.ts';
import { ensureTopic, partitionsOf } from '../topics.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { analyzeContext } from './analyze-context.ts';
import { checkSame, earlierQuery, goesOn, isRerun, sinkOf } from './earlier-query.ts';
import { insertPlace, isReplacedLater } from './later-statements.ts';
import { propertyText } from './names.ts';
import { openQuery, planQuery } from './open-query.ts';

/** CREATE STREAM|TABLE … AS: a source and the query that fills it. */
export const createSourceAs: EntityStatement<'createSourceAs'> = {
  effect: 'catalog',
  endsQueries: ({ orReplace }) => orReplace,
  topic: ({ name, properties }) => ({
    name: propertyText(properties, 'KAFKA_TOPIC') ?? name,
    isDeclared: false,
    partitions: null,
  }),
  async run(statement, call) {
    const { engine, properties, script, replayed } = call;
    const { name, sourceKind, ifNotExists, orReplace, nameSpan, span } = statement;
    if (ifNotExists && engine.catalog.has(name))
      return { '@type': 'warning_entity', message: `${name} exists already: nothing was created` };
    const commandId = `${sourceKind}/\`${name}\`/create`;
    const there = queryMaking(engine, name);
    const rerun = !orReplace && there !== null && isRerun(call, `source:${name}`);
    const context = analyzeContext(call);
    const analyzed = analyzeCreateSourceAs(
      statement,
      rerun ? { ...context, catalog: engine.catalog.without(name) } : context,
    );
    const { replaces } = analyzed;
    engine.reservedTopics.checkWritable(analyzed.sink.topic, analyzed.topic.span ?? nameSpan);
    // A query that cannot be planned must fail before its topic exists.
    const planned = planPersistent(call, analyzed);
    const replacing = `CREATE OR REPLACE ${sourceKind.toUpperCase()}`;
    const isDecidedLater = script !== undefined && isReplacedLater(script, name);
    if (rerun) {
      const old = { statement: there.statementText, query: there.stored, plan: there.plan };
      if (!isDecidedLater) checkSame(call, printIdentifier(name), old, planned, replacing, nameSpan);
      script?.made.add(`source:${name}`);
      return goesOn(engine, commandId, there.id, name);
    }
    script?.made.add(`source:${name}`);
    const replaced = replaces === null ? null : there;
    if (replaced !== null && script !== undefined && replayed === null) {
      const old = { statement: replaced.statementText, query: replaced.stored };
      if (meanTheSame(engine, old, { statement: call.parsed.resolvedText, query: planned.stored })) {
        const { partitions, createdBy } = must(engine.catalog.get(name));
        engine.catalog.replace({ ...analyzed.sink, partitions, createdBy });
        return goesOn(engine, commandId, replaced.id, name);
      }
    }
    const identity = replaced === null ? engine.nextIdentity(call, `sink ${name}`) : null;
    const earlier = earlierQuery(call, identity, nameSpan);
    let run = planned;
    // What is replayed was taken once.
    if (replaced !== null && replayed === null)
      run = continueWith(engine, name, replaced, planned, properties, span);
    if (earlier !== null) {
      run = earlier.planned;
      const old = { ...earlier.kept, ...earlier.planned };
      const now = { statement: call.parsed.resolvedText, query: planned.stored };
      if (orReplace && !meanTheSame(engine, old, now)) {
        checkReplacement(sinkOf(earlier.planned), analyzed.sink, nameSpan);
        run = continueWith(engine, name, earlier.planned, planned, properties, span);
      } else if (!isDecidedLater) checkSame(call, printIdentifier(name), old, planned, replacing, nameSpan);
    }
    // As many as what it reads has, which may have come back since it was declared.
    const first = engine.catalog.get(analyzed.reads[0]!);
    const wished =
      analyzed.topic.partitions === 0 && replayed === null && first !== undefined
        ? await partitionsOf(engine.log.admin, first)
        : analyzed.topic.partitions;
    const partitions = await ensureTopic(call, { ...analyzed.topic, partitions: wished, sourceKind });
    const given = replaced?.id ?? earlier?.kept.queryId ?? replayed?.queryId;
    const { sequence, queryId } = await engine.nameQuery(call, given, run.stored);
    const sink = { ...analyzed.sink, partitions, createdBy: queryId };
    const query = openQuery(call, queryId, run, analyzed.reads, analyzed.sink);
    const recorded = await engine.record(call, sequence, {
      queryId: replaced?.id,
      query: run.stored,
    });
    await engine.keep(call, identity ?? engine.kept?.identityOf(queryId) ?? null, query);
    if (replaces === null) engine.catalog.add(sink);
    else engine.catalog.replace(sink);
    // The new query has the old one's id, so it goes on with its offsets and state.
    await replaced?.close();
    const undo = replaces === null && earlier === null ? () => engine.catalog.remove(name) : null;
    await engine.addQuery(query, call, recorded, undo);
    return changed(commandId, `Created query with ID ${queryId}`, sequence, queryId);
  },
};

/** INSERT INTO … SELECT: one more query that writes a stream. */
export const insertSelect: EntityStatement<'insertSelect'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine, script } = call;
    const { target, targetSpan } = statement;
    const commandId = `stream/\`${target}\`/create`;
    const analyzed = analyzeInsertSelect(statement, analyzeContext(call));
    const there = insertThere(call, target, analyzed.queryId);
    if (there !== null && !isRerun(call, `query:${there.id}`))
      throw new SqlError('ML_NAME_TAKEN', `a query ${there.id} runs already`, { span: statement.span });
    engine.reservedTopics.checkWritable(analyzed.sink.topic, targetSpan);
    const planned = planPersistent(call, analyzed);
    if (there !== null) {
      const old = { statement: there.statementText, query: there.stored, plan: there.plan };
      checkSame(call, `query ${there.id}`, old, planned, null, targetSpan);
      script?.made.add(`query:${there.id}`);
      return goesOn(engine, commandId, there.id, target);
    }
    const identity = engine.nextIdentity(
      call,
      analyzed.queryId === null ? `insert ${target}` : `query ${analyzed.queryId}`,
    );
    const earlier = earlierQuery(call, identity, targetSpan);
    if (earlier !== null) {
      const old = { ...earlier.kept, ...earlier.planned };
      checkSame(call, `query ${earlier.kept.queryId}`, old, planned, null, targetSpan);
    }
    const run = earlier?.planned ?? planned;
    const { sequence, queryId } = await engine.nameQuery(call, earlier?.kept.queryId, run.stored);
    script?.made.add(`query:${queryId}`);
    const query = openQuery(call, queryId, run, analyzed.reads, analyzed.sink);
    const recorded = await engine.record(call, sequence, { query: run.stored });
    await engine.keep(call, identity, query);
    await engine.addQuery(query, call, recorded, earlier === null ? () => undefined : null);
    return changed(commandId, `Created query with ID ${queryId}`, sequence, queryId);
  },
};

/** The query that fills a source; null where there is none. */
function queryMaking(engine: Engine, name: string): PersistentQuery | null {
  const createdBy = engine.catalog.get(name)?.createdBy ?? null;
  return createdBy === null ? null : (engine.queries.get(createdBy) ?? null);
}

/** The query of that id, or the one that an earlier run of the script has made for the statement in its place. */
function insertThere(
  { engine, script, replayed }: StatementCall,
  target: string,
  queryId: string | null,
): PersistentQuery | null {
  if (queryId !== null) return engine.queries.get(queryId) ?? null;
  if (script === undefined || script.progress === null || replayed !== null) return null;
  const inserts = engine.catalog
    .writersOf(target)
    .filter((id) => id.startsWith('INSERTQUERY_') && id !== engine.catalog.get(target)?.createdBy);
  const id = inserts[insertPlace(script, target)];
  return id === undefined ? null : (engine.queries.get(id) ?? null);
}

function planPersistent(call: StatementCall, analyzed: AnalyzedPersistentQuery): PlannedQuery {
  const { engine, properties, replayed } = call;
  if (replayed === null) checkGuarantee(engine.isExactlyOnce, properties);
  return planQuery(call, () => optimizePlan(engine, buildPersistentPlan(analyzed), properties));
}

/** Who asks for more than the log gives must know before the first record, not after the first crash. */
function checkGuarantee(isExactlyOnce: boolean, properties: ReadonlyMap<string, string>): void {
  const wanted = propertyValue(properties, 'processing.guarantee')!;
  if (isExactlyOnce || !wanted.startsWith('exactly_once')) return;
  throw new SqlError('ML_UNSUPPORTED', `on Kafka, queries process records at least once, not ${wanted}`, {
    hint: "SET 'processing.guarantee'='at_least_once'; the embedded log commits exactly once",
  });
}
