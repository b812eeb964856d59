import type { EvaluationContext, FunctionRegistry } from '../../functions/function.ts';
import type { PlanNode } from '../plan/node.ts';

/** Given to rules beside the node. */
export interface RuleContext {
  readonly functions: FunctionRegistry;
  /** For folding: pure functions see nothing of it. */
  readonly evaluation: EvaluationContext;
}

/**
 * An equivalence of plans, used from left to right. A rule sees one node with what is below it and gives the node
 * that shall stand in its place, or **the node itself** when it does not apply: that is how the driver knows.
 *
 * What must hold: the new node has the same row shape (names, types, key, window, changes) unless the rule rewrites
 * the whole plan from its root, and then the root has; for every input the rows that leave the root are the same,
 * in the same order, tombstones included. Where a rule's comment says "illegal", a query shows why.
 */
export interface Rule {
  /** As its file: a verb and a noun. */
  readonly name: string;
  /** Whether a node is tried before or after the nodes below it. */
  readonly order: 'top-down' | 'bottom-up';
  apply(node: PlanNode, context: RuleContext): PlanNode;
}
