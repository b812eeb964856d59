import { SqlError, type Span } from '../common/error.ts';
import type { PlanNode } from '../sql/plan/node.ts';
import { explainPlan } from '../sql/plan/explain.ts';
import { keepingRowsOf } from '../sql/plan/kept-columns.ts';
import { changeOfState } from '../sql/plan/kept-state.ts';
import type { Engine } from './engine.ts';
import type { QueryPlan } from './persistent-query.ts';
import { applyRules } from './compile-plan.ts';
import { declarationsOf, type PlannedQuery, storePlanned } from './stored-query.ts';

/**
 * How a query runs that takes the place of another one and goes on with its state: from the same stores and topics, so
 * with the rules or without them, whichever was done before. Throws `SqlError` when it could not go on with the state.
 * `name`: of what both write.
 */
export function continueWith(
  engine: Engine,
  name: string,
  old: PlannedQuery,
  next: PlannedQuery,
  properties: ReadonlyMap<string, string>,
  span: Span,
): PlannedQuery {
  const change = changeOfState(old.plan.before, next.plan.before);
  const found = change === null ? runningOn(engine, old, next, properties) : null;
  if (found !== null) return found;
  throw new SqlError(
    'ML_UNSUPPORTED',
    `the query of ${name} cannot be replaced by this one, whose state would be another: ${change ?? 'it would lie in other stores'}`,
    {
      span,
      hint: 'filters and projections may change; for the rest DROP it and create it anew; a script begins anew with --fresh',
    },
  );
}

function runningOn(
  engine: Engine,
  old: PlannedQuery,
  next: PlannedQuery,
  properties: ReadonlyMap<string, string>,
): PlannedQuery | null {
  const { stores, topics } = old.stored;
  const { before } = next.plan;
  const unruled: QueryPlan = { before, after: before, steps: [] };
  for (const plan of [next.plan, applyRules(engine, before, properties), unruled]) {
    const after = keepingRowsOf(old.plan.after, plan.after);
    if (after === null) continue;
    const planned = after === next.plan.after ? next : storePlanned(engine, { ...plan, after }, properties);
    const { stored } = planned;
    // Records may be on their way through any topic that there was; another one is empty when the query begins.
    if (stored.stores.join() === stores.join() && topics.every((topic) => stored.topics.includes(topic)))
      return planned;
  }
  return null;
}

/** The first thing that is different in two queries, in a sentence. */
export function differenceOf(before: PlanNode, after: PlanNode): string {
  const was = linesOf(before);
  const is = linesOf(after);
  const at = was.findIndex((line, i) => line !== is[i]);
  if (at < 0 && was.length === is.length)
    return JSON.stringify(declarationsOf(before)) === JSON.stringify(declarationsOf(after))
      ? 'a function that it calls, or a setting of one, has changed'
      : 'what its sources declare has changed';
  if (at < 0) return `it has now: ${is[was.length]!}`;
  return is[at] === undefined ? `it had: ${was[at]!}` : `it had: ${was[at]!}; it has now: ${is[at]}`;
}

function linesOf(plan: PlanNode): readonly string[] {
  return explainPlan(plan)
    .split('\n')
    .map((line) => line.trim());
}
