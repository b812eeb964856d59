import { SqlError } from '../../common/error.ts';
import type { PullPlan } from '../../sql/analyzer/analyze-pull-query.ts';
import type { Materialization } from '../../sql/lower/materialization.ts';
import { sessionEnds, windowStarts } from '../candidate-rows.ts';
import type { Statement } from '../../sql/parser/ast.ts';
import { printExpression } from '../../sql/expressions/print-expression.ts';
import { fieldDescription } from '../describe.ts';
import type { StatementCall } from '../engine.ts';
import { describeFailed, describePlan, describeQuery, UNDESCRIBED } from '../query-description.ts';
import type { QueryDescription } from '../result.ts';
import type { EntityStatement } from './definition.ts';
import { ignoreRow, planCreate, planInsert, planSelect } from './plan-query.ts';

/** EXPLAIN: the plan as written, what each rule made of it, and the topology. Executes nothing. */
export const explain: EntityStatement<'explain'> = {
  effect: 'reads',
  run({ target }, call) {
    const { engine } = call;
    if (target.kind === 'statement')
      return {
        '@type': 'queryDescription',
        queryDescription: explainStatement(target.statement, call),
      };
    const failed = engine.failedStatement(target.queryId);
    if (failed !== undefined)
      return { '@type': 'queryDescription', queryDescription: describeFailed(failed) };
    const query = engine.query(target.queryId);
    if (query === undefined)
      throw new SqlError('ML_NAME_UNKNOWN', `there is no query ${target.queryId}`, {
        span: target.span,
        hint: 'SHOW QUERIES lists the queries that run',
      });
    return {
      '@type': 'queryDescription',
      queryDescription: describeQuery(engine, query),
    };
  },
};

function explainStatement(statement: Statement, call: StatementCall): QueryDescription {
  const statementText = call.parsed.text;
  switch (statement.kind) {
    case 'createSourceAs': {
      const planned = planCreate(statement, call);
      const { replaced } = planned;
      const run = replaced === null ? planned : planned.inPlaceOf(replaced);
      return { ...describePlan(run.plan, run.lowered.topology.describe()), statementText };
    }
    case 'insertSelect': {
      const { plan, lowered } = planInsert(statement, call);
      return { ...describePlan(plan, lowered.topology.describe()), statementText };
    }
    case 'query': {
      const planned = planSelect(statement, call);
      if (planned.kind === 'lookup') return explainPull(planned.pull, call);
      const { topology } = planned.lower(ignoreRow);
      const queryType = statement.emit === null ? 'PULL' : 'PUSH';
      return { ...describePlan(planned.plan, topology.describe()), statementText, queryType };
    }
    default:
      throw new SqlError('ML_UNSUPPORTED', 'there is nothing to explain: the statement has no query', {
        span: statement.span,
        hint: 'explain SELECT, CREATE … AS SELECT or INSERT INTO … SELECT, or a query by its id',
      });
  }
}

/** A pull query on a table has no topology: where it looks, and what it does with the rows that it finds. */
function explainPull(plan: PullPlan, { engine, parsed }: StatementCall): QueryDescription {
  const { source, access, filter, select, row, limit } = plan;
  const names = row.map((column) => column.name);
  const query = source.createdBy === null ? undefined : engine.queries.get(source.createdBy);
  const key = source.schema.key.map((column) => column.name).join(', ');
  const kept = query?.lowered.materialization ?? null;
  const store =
    kept === null ? `the rows of ${source.name}, which are not kept` : `store ${kept.store} of ${query!.id}`;
  const how = {
    keys: () => `look up ${access.kind === 'keys' ? access.keys.length : 0} of [${key}]`,
    range: () => `read a range of [${key}]`,
    scan: () => 'read every row',
  }[access.kind]();
  const lines = [
    `project [${select.map(({ name, expression }) => (expression.kind === 'column' && names[expression.index] === name ? name : `${printExpression(expression, names)} AS ${name}`)).join(', ')}]`,
    ...(filter === null ? [] : [`filter where ${printExpression(filter, names)}`]),
    `${how} in ${store}${kept === null ? '' : windowsLookedAt(plan, kept)}`,
  ];
  if (limit !== null) lines.unshift(`limit ${limit}`);
  return {
    ...UNDESCRIBED,
    statementText: parsed.text,
    windowType: source.window?.kind.toUpperCase() ?? null,
    fields: select.map(({ name, type }) => fieldDescription({ name, type })),
    sources: [source.name],
    executionPlan: `pull query\n${lines.map((line, i) => `${'  '.repeat(i)}${line}`).join('\n')}\n`,
    queryType: 'PULL',
  };
}

/** Which windows of a windowed table are looked at, where WHERE leaves some out. */
function windowsLookedAt(plan: PullPlan, table: Materialization): string {
  if (table.window === null) return '';
  const isSession = table.kind === 'session';
  const { from, to } = isSession ? sessionEnds(plan) : windowStarts(plan, table);
  if (from === 0 && to === Number.MAX_SAFE_INTEGER) return '';
  const until = to === Number.MAX_SAFE_INTEGER ? '' : ` to ${to}`;
  return `, windows that ${isSession ? 'end' : 'start'} from ${from}${until}`;
}
