import { explainPlan } from '../sql/plan/explain.ts';
import { fieldDescription } from './describe.ts';
import type { Engine } from './engine.ts';
import { ownerOf, restoringOf, sinksOf } from './listings.ts';
import { applicationIdOf } from './query-application.ts';
import type { FailedStatement } from './failed-statements.ts';
import type { PersistentQuery, QueryError, QueryPlan } from './persistent-query.ts';
import type { PushQuery } from './push-query.ts';
import type { QueryDescription } from './result.ts';

/** Queries as EXPLAIN and SHOW QUERIES EXTENDED describe them. */

export const UNDESCRIBED: QueryDescription = {
  id: '',
  statementText: '',
  windowType: null,
  fields: [],
  sources: [],
  sinks: [],
  topology: '',
  executionPlan: '',
  overriddenProperties: {},
  ksqlHostQueryStatus: {},
  queryType: 'PUSH',
  queryErrors: [],
  tasksMetadata: [],
  consumerGroupId: null,
  state: null,
};

export function describeQuery(engine: Engine, query: PersistentQuery): QueryDescription {
  return {
    ...describePlan(query.plan, query.lowered.topology.describe()),
    id: query.id,
    statementText: query.statementText,
    sources: query.sources,
    sinks: sinksOf(query),
    queryType: 'PERSISTENT',
    overriddenProperties: Object.fromEntries(query.properties),
    ksqlHostQueryStatus: { [query.id]: query.state },
    queryErrors: queryErrors(query.errors, 'SYSTEM'),
    consumerGroupId: applicationIdOf(query.id, engine),
    state: query.state,
    ...ownerOf(engine),
    ...restoringOf(query),
  };
}

/** A statement that could not be replayed has no plan, only its text and the reason. */
export function describeFailed({ id, text, sinks, errors }: FailedStatement): QueryDescription {
  return {
    ...UNDESCRIBED,
    id,
    statementText: text,
    sinks,
    queryType: 'PERSISTENT',
    ksqlHostQueryStatus: { [id]: 'ERROR' },
    queryErrors: queryErrors(errors, 'USER'),
    state: 'ERROR',
  };
}

function queryErrors(errors: readonly QueryError[], type: string): QueryDescription['queryErrors'] {
  return errors.map(({ timestamp, message }) => ({ timestamp, errorMessage: message, type }));
}

export function describePushQuery(query: PushQuery): QueryDescription {
  return {
    ...UNDESCRIBED,
    id: query.queryId,
    statementText: query.statementText,
    fields: query.columns.map((column) => fieldDescription(column, column.isKey ? 'KEY' : undefined)),
    topology: query.streams.topology.describe(),
    ksqlHostQueryStatus: { [query.queryId]: 'RUNNING' },
    queryType: query.kind === 'pull' ? 'PULL' : 'PUSH',
    state: 'RUNNING',
  };
}

/** The parts of a description that come from the plan and its topology. */
export function describePlan(plan: QueryPlan, topology: string): QueryDescription {
  const { columns, key, window, kind } = plan.after;
  const positions =
    plan.after.kind === 'sink'
      ? [...plan.after.keyPositions, ...plan.after.valuePositions]
      : columns.map((_, i) => i);
  return {
    ...UNDESCRIBED,
    windowType: window?.kind.toUpperCase() ?? null,
    fields: positions.map((position) =>
      fieldDescription(columns[position]!, key.includes(position) ? 'KEY' : undefined),
    ),
    topology,
    executionPlan: planText(plan),
    queryType: kind === 'sink' ? 'PERSISTENT' : 'PUSH',
  };
}

function planText({ before, after, steps }: QueryPlan): string {
  const parts = [`logical plan\n${explainPlan(before)}`];
  for (const step of steps) parts.push(`after ${step.rule}\n${explainPlan(step.after)}`);
  parts.push(`optimized plan\n${explainPlan(after)}`);
  return parts.join('\n');
}
