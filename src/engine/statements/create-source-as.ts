import { must } from '../../common/assert.ts';
import { checkReplacement } from '../../sql/analyzer/analyze-source.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { StatementCall } from '../engine.ts';
import type { PersistentQuery } from '../persistent-query.ts';
import type { Entity } from '../result.ts';
import { nextIdentity } from '../script-queries.ts';
import { meanTheSame, type PlannedQuery, type StoredStatement } from '../stored-query.ts';
import { ensureTopic, lookAtPartitions, partitionsOf } from '../topics.ts';
import { changed } from './answer.ts';
import { beginQuery } from './begin-query.ts';
import type { EntityStatement } from './definition.ts';
import {
  checkSame,
  type EarlierQuery,
  earlierQuery,
  goesOn,
  isRerun,
  sinkOf,
  storedStatementOf,
} from './earlier-query.ts';
import { isReplacedLater } from './later-statements.ts';
import { propertyText } from './names.ts';
import { type CreatePlan, planCreate } from './plan-query.ts';

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
    const { engine, script } = call;
    const { name, ifNotExists, orReplace, nameSpan } = statement;
    if (ifNotExists && engine.catalog.has(name))
      return { '@type': 'warning_entity', message: `${name} exists already: nothing was created` };
    const commandId = commandIdOf(statement);
    await lookAtPartitions(call);
    const createdBy = engine.catalog.get(name)?.createdBy ?? null;
    const there = createdBy === null ? undefined : engine.queries.get(createdBy);
    if (!orReplace && there !== undefined && isRerun(call, `source:${name}`)) {
      const planned = planCreate(statement, call, engine.catalog.without(name));
      checkAsBefore(statement, call, planned, storedStatementOf(there));
      script?.made.add(`source:${name}`);
      return goesOn(engine, commandId, there.id, name);
    }
    // A query that cannot be planned must fail before its topic exists.
    const planned = planCreate(statement, call);
    const { replaced, analyzed } = planned;
    script?.made.add(`source:${name}`);
    if (replaced !== null && isAsItRuns(replaced, planned, call)) {
      const { partitions } = must(engine.catalog.get(name));
      engine.catalog.replace({ ...analyzed.sink, partitions, createdBy });
      return goesOn(engine, commandId, replaced.id, name);
    }
    const identity = replaced === null ? nextIdentity(call, `sink ${name}`) : null;
    const earlier = earlierQuery(call, identity, nameSpan);
    const run = runOf(statement, call, planned, earlier);
    return begin(statement, call, { planned, identity, earlier, run });
  },
};

function commandIdOf({ sourceKind, name }: StatementOf<'createSourceAs'>): string {
  return `${sourceKind}/\`${name}\`/create`;
}

/** Whether what a script replaces means the same: then it runs on as it is. */
function isAsItRuns(
  replaced: PersistentQuery,
  { stored }: CreatePlan,
  { engine, script, replayed, parsed }: StatementCall,
): boolean {
  if (script === undefined || replayed !== null) return false;
  const now = { statement: parsed.resolvedText, query: stored };
  return meanTheSame(engine, storedStatementOf(replaced), now);
}

/** Unless a later statement of the script decides what it is. */
function checkAsBefore(
  { name, sourceKind, nameSpan }: StatementOf<'createSourceAs'>,
  call: StatementCall,
  planned: CreatePlan,
  old: StoredStatement & Pick<PlannedQuery, 'plan'>,
): void {
  if (call.script !== undefined && isReplacedLater(call.script, name)) return;
  const replacing = `CREATE OR REPLACE ${sourceKind.toUpperCase()}`;
  checkSame(call, printIdentifier(name), old, planned, replacing, nameSpan);
}

/** How it runs: by itself, or with the state of what it replaces, or of what an earlier start of the script ran. */
function runOf(
  statement: StatementOf<'createSourceAs'>,
  call: StatementCall,
  planned: CreatePlan,
  earlier: EarlierQuery | null,
): PlannedQuery {
  const { engine, replayed, parsed } = call;
  const { replaced, analyzed, stored } = planned;
  if (earlier === null)
    // A statement that is replayed was checked when it was accepted.
    return replaced === null || replayed !== null ? planned : planned.inPlaceOf(replaced);
  const old = { ...earlier.kept, ...earlier.planned };
  if (statement.orReplace && !meanTheSame(engine, old, { statement: parsed.resolvedText, query: stored })) {
    checkReplacement(sinkOf(earlier.planned), analyzed.sink, statement.nameSpan);
    return planned.inPlaceOf(earlier.planned);
  }
  checkAsBefore(statement, call, planned, old);
  return earlier.planned;
}

/** Makes the topic, the source and the query, which runs from now on. */
async function begin(
  statement: StatementOf<'createSourceAs'>,
  call: StatementCall,
  {
    planned: { analyzed, replaced },
    identity,
    earlier,
    run,
  }: {
    readonly planned: CreatePlan;
    readonly identity: string | null;
    readonly earlier: EarlierQuery | null;
    readonly run: PlannedQuery;
  },
): Promise<Entity> {
  const { engine, replayed } = call;
  const { name, sourceKind } = statement;
  const { topic, reads, replaces } = analyzed;
  // As many as what it reads has, which may have come back since it was declared.
  const first = engine.catalog.get(reads[0]!);
  const wished =
    topic.partitions === 0 && replayed === null && first !== undefined
      ? await partitionsOf(engine.log.admin, first)
      : topic.partitions;
  const partitions = await ensureTopic(call, { ...topic, partitions: wished, sourceKind });
  const { sequence, queryId } = await beginQuery(call, {
    run,
    identity,
    given: replaced?.id ?? earlier?.kept.queryId ?? replayed?.queryId,
    replaced,
    reads,
    sink: analyzed.sink,
    define(createdBy) {
      const sink = { ...analyzed.sink, partitions, createdBy };
      if (replaces === null) engine.catalog.add(sink);
      else engine.catalog.replace(sink);
      return replaces === null && earlier === null ? () => engine.catalog.remove(name) : null;
    },
  });
  return changed(commandIdOf(statement), `Created query with ID ${queryId}`, sequence, queryId);
}
