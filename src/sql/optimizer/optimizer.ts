import { assert } from '../../common/assert.ts';
import { explainPlan, shapeText } from '../plan/explain.ts';
import type { PlanNode } from '../plan/node.ts';
import { inputsOf, withInputs } from '../plan/plan-inputs.ts';
import { defaultRules } from './default-rules.ts';
import type { Rule, RuleContext } from './rule.ts';

/** One change of the plan, whole plans before and after: what EXPLAIN shows. */
export interface OptimizerStep {
  readonly rule: string;
  readonly before: PlanNode;
  readonly after: PlanNode;
}

export interface OptimizedPlan {
  readonly plan: PlanNode;
  /** In the order they were taken; empty when no rule applied. */
  readonly steps: readonly OptimizerStep[];
}

/** Far more than any plan needs: a rule set that is still busy then does not end. */
const PASSES_MAX = 50;

/**
 * Applies the rules, in order, again and again until none applies. After each rule that changed something the
 * shape of the plan's rows is checked. Rules that undo each other, or grow the plan for ever, are our own mistake:
 * `AssertionError` naming them.
 */
export function optimize(
  plan: PlanNode,
  context: RuleContext,
  rules: readonly Rule[] = defaultRules,
): OptimizedPlan {
  const steps: OptimizerStep[] = [];
  const seen = new Set<string>([explainPlan(plan)]);
  let current = plan;
  for (let pass = 0; ; pass++) {
    const before = current;
    for (const rule of rules) {
      const after = applyEverywhere(rule, current, context);
      if (after === current) continue;
      checkShape(rule, current, after);
      steps.push({ rule: rule.name, before: current, after });
      current = after;
    }
    if (current === before) return { plan: current, steps };
    const text = explainPlan(current);
    const busy = steps.slice(-2 * rules.length).map((step) => step.rule);
    assert(!seen.has(text), `the optimizer goes in circles: ${[...new Set(busy)].join(', ')}`);
    assert(pass < PASSES_MAX, `the optimizer does not end: ${[...new Set(busy)].join(', ')}`);
    seen.add(text);
  }
}

/** Tries the rule at each node once. */
function applyEverywhere(rule: Rule, node: PlanNode, context: RuleContext): PlanNode {
  if (rule.order === 'top-down') {
    const changed = rule.apply(node, context);
    return withInputs(
      changed,
      inputsOf(changed).map((input) => applyEverywhere(rule, input, context)),
    );
  }
  const rebuilt = withInputs(
    node,
    inputsOf(node).map((input) => applyEverywhere(rule, input, context)),
  );
  return rule.apply(rebuilt, context);
}

function checkShape(rule: Rule, before: PlanNode, after: PlanNode): void {
  assert(
    shapeText(before) === shapeText(after),
    `rule ${rule.name} changed the plan's rows from ${shapeText(before)} to ${shapeText(after)}`,
  );
}
