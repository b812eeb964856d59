import type { PlanNode } from '../../plan/node.ts';
import { inputsOf, withInputs } from '../../plan/plan-inputs.ts';
import type { Rule } from '../rule.ts';

/**
 * What: a table that is only read as changes on the way to an output is not kept in a store.
 * Why good: no store, no memory, no look-up for each change.
 * Illegal: under a join (rows are looked up there), under an aggregate (the old row is needed to take it back:
 * `SELECT REGION, COUNT(*) FROM USERS GROUP BY REGION`), under a filter (`WHERE AGE > 17`: only the old row tells
 * whether a removal concerns a row that was shown), and under a sink: CREATE TABLE … AS can be asked by key.
 * After: nothing.
 */
export const dropNeedlessMaterialization: Rule = {
  name: 'drop-needless-materialization',
  order: 'top-down',
  apply(node) {
    return node.kind === 'output' ? drop(node) : node;
  },
};

function drop(node: PlanNode): PlanNode {
  switch (node.kind) {
    case 'source':
      return node.changes === 'table' && node.materialized ? { ...node, materialized: false } : node;
    case 'output':
    case 'project':
      return withInputs(node, inputsOf(node).map(drop));
    default:
      return node;
  }
}
