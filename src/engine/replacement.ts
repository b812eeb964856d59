import { SqlError, type Span } from '../common/error.ts';
import type { PlanNode } from '../sql/plan/node.ts';
import { explainPlan } from '../sql/plan/explain.ts';
import { changeOfState } from '../sql/plan/kept-state.ts';
import type { Engine } from './engine.ts';
import { applyRules } from './planning.ts';
import { type PlannedQuery, type StoredQuery, storePlanned } from './stored-query.ts';

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
  const found = change === null ? runningOn(engine, old.stored, next, properties) : null;
  if (found !== null) return found;
  throw new SqlError(
    'ML_UNSUPPORTED',
    `the query of ${name} cannot be replaced by this one, whose state would be another: ${change ?? 'it would lie in other stores'}`,
    {
      span,
      hint: 'filters and projections may change; for the rest DROP it and create it anew',
    },
  );
}

function runningOn(
  engine: Engine,
  { stores, topics }: StoredQuery,
  next: PlannedQuery,
  properties: ReadonlyMap<string, string>,
): PlannedQuery | null {
  // Records may be on their way through any topic that there was; another one is empty when the query begins.
  const goesOn = ({ stored }: PlannedQuery): boolean =>
    stored.stores.join() === stores.join() && topics.every((topic) => stored.topics.includes(topic));
  if (goesOn(next)) return next;
  const { before } = next.plan;
  for (const plan of [applyRules(engine, before, properties), { before, after: before, steps: [] }]) {
    const other = storePlanned(engine, plan, properties);
    if (goesOn(other)) return other;
  }
  return null;
}

/** The first thing that is different in two queries, in a sentence. */
export function differenceOf(before: PlanNode, after: PlanNode): string {
  const was = linesOf(before);
  const is = linesOf(after);
  const at = was.findIndex((line, i) => line !== is[i]);
  if (at < 0 && was.length === is.length) return 'what its sources declare has changed';
  if (at < 0) return `it has now: ${is[was.length]!}`;
  return is[at] === undefined ? `it had: ${was[at]!}` : `it had: ${was[at]!}; it has now: ${is[at]}`;
}

function linesOf(plan: PlanNode): readonly string[] {
  return explainPlan(plan)
    .split('\n')
    .map((line) => line.trim());
}
