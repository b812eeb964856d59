import { SqlError } from '../../common/error.ts';
import { analyzeInsertSelect } from '../../sql/analyzer/analyze-insert-select.ts';
import { analyzeCreateSourceAs } from '../../sql/analyzer/analyze-persistent.ts';
import { analyzeQuery } from '../../sql/analyzer/analyze-query.ts';
import type { Statement } from '../../sql/parser/ast.ts';
import { buildPersistentPlan, buildPushPlan } from '../../sql/plan/build-plan.ts';
import { explainPlan } from '../../sql/plan/explain.ts';
import type { PlanNode } from '../../sql/plan/node.ts';
import { fieldDescription } from '../describe.ts';
import { sinksOf } from '../listings.ts';
import type { StatementCall } from '../engine.ts';
import type { QueryPlan } from '../persistent-query.ts';
import { lowerPlan, optimizePlan } from '../planning.ts';
import type { QueryDescription } from '../result.ts';
import { answer, type StatementHandler } from './answer.ts';
import { analyzeContext } from './analyze-context.ts';

/** EXPLAIN: the plan as written, what each rule made of it, and the topology. Executes nothing. */
export const explain: StatementHandler<'explain'> = ({ target }, call) => {
  const { engine } = call;
  if (target.kind === 'statement')
    return answer({
      '@type': 'queryDescription',
      queryDescription: explainStatement(target.statement, call),
    });
  const query = engine.queries.get(target.queryId);
  if (query === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `there is no query ${target.queryId}`, {
      span: target.span,
      hint: 'SHOW QUERIES lists the queries that run',
    });
  return answer({
    '@type': 'queryDescription',
    queryDescription: {
      ...describe(query.plan, query.lowered.topology.describe()),
      id: query.id,
      statementText: query.statementText,
      sources: query.sources,
      sinks: sinksOf(query),
      queryType: 'PERSISTENT',
      overriddenProperties: Object.fromEntries(query.properties),
      ksqlHostQueryStatus: { [query.id]: query.state },
      queryErrors: query.errors.map(({ timestamp, message }) => ({
        timestamp,
        errorMessage: message,
        type: 'SYSTEM',
      })),
      state: query.state,
    },
  });
};

function explainStatement(statement: Statement, call: StatementCall): QueryDescription {
  const { engine, properties, parsed } = call;
  const context = analyzeContext(call);
  let before: PlanNode;
  switch (statement.kind) {
    case 'createSourceAs':
      before = buildPersistentPlan(analyzeCreateSourceAs(statement, context));
      break;
    case 'insertSelect':
      before = buildPersistentPlan(analyzeInsertSelect(statement, context));
      break;
    case 'query':
      before = buildPushPlan(analyzeQuery(statement, context));
      break;
    default:
      throw new SqlError('ML_UNSUPPORTED', 'there is nothing to explain: the statement has no query', {
        span: statement.span,
        hint: 'explain SELECT, CREATE … AS SELECT or INSERT INTO … SELECT, or a query by its id',
      });
  }
  const plan = optimizePlan(engine, before, properties);
  const { topology } = lowerPlan(engine, plan.after, properties, () => undefined);
  return { ...describe(plan, topology.describe()), statementText: parsed.text };
}

function describe(plan: QueryPlan, topology: string): QueryDescription {
  const { columns, key, window, kind } = plan.after;
  const positions =
    plan.after.kind === 'sink'
      ? [...plan.after.keyPositions, ...plan.after.valuePositions]
      : columns.map((_, i) => i);
  return {
    id: '',
    statementText: '',
    windowType: window?.kind.toUpperCase() ?? null,
    fields: positions.map((position) =>
      fieldDescription(columns[position]!, key.includes(position) ? 'KEY' : undefined),
    ),
    sources: [],
    sinks: [],
    topology,
    executionPlan: planText(plan),
    overriddenProperties: {},
    ksqlHostQueryStatus: {},
    queryType: kind === 'sink' ? 'PERSISTENT' : 'PUSH',
    queryErrors: [],
    tasksMetadata: [],
    state: null,
  };
}

function planText({ before, after, steps }: QueryPlan): string {
  const parts = [`logical plan\n${explainPlan(before)}`];
  for (const step of steps) parts.push(`after ${step.rule}\n${explainPlan(step.after)}`);
  parts.push(`optimized plan\n${explainPlan(after)}`);
  return parts.join('\n');
}
