import { type LoweredQuery, lower } from '../sql/lower/lower.ts';
import { type OptimizedPlan, optimize } from '../sql/optimizer/optimizer.ts';
import type { EvaluationContext } from '../functions/function.ts';
import type { PlanNode } from '../sql/plan/node.ts';
import type { Row } from '../types/value.ts';
import type { Engine } from './engine.ts';
import { propertyValue } from './properties.ts';
import type { QueryPlan } from './persistent-query.ts';

/** From a naive plan to the optimized one, unless the session switched the optimizer off. */
export function optimizePlan(
  engine: Engine,
  before: PlanNode,
  properties: ReadonlyMap<string, string>,
): QueryPlan {
  const off = propertyValue(properties, 'ksql.optimizer.enabled') === 'false';
  return off ? { before, after: before, steps: [] } : applyRules(engine, before, properties);
}

/** From a naive plan to the optimized one. */
export function applyRules(
  engine: Engine,
  before: PlanNode,
  properties: ReadonlyMap<string, string>,
): QueryPlan {
  const { functions, options } = engine;
  const evaluation = evaluationFor(engine, properties);
  const { plan: after, steps }: OptimizedPlan = optimize(before, { functions, evaluation }, options.rules);
  return { before, after, steps };
}

/** From a plan to a topology. `push` takes the rows of a push query. */
export function lowerPlan(
  engine: Engine,
  plan: PlanNode,
  properties: ReadonlyMap<string, string>,
  push?: (row: Row, tombstone: boolean) => void,
): LoweredQuery {
  const { functions } = engine;
  const evaluation = evaluationFor(engine, properties);
  const coalesce = Number(propertyValue(properties, 'cache.max.bytes.buffering')) > 0;
  return lower(plan, { functions, evaluation, coalesce, ...(push === undefined ? {} : { push }) });
}

/** What a query's functions are given: the engine's clock and randomness, and the query's own properties. */
function evaluationFor(engine: Engine, properties: ReadonlyMap<string, string>): EvaluationContext {
  return { ...engine.evaluation, setting: (name) => properties.get(name) };
}
