import type { Rule } from '../rule.ts';
import { conjunctsOf } from '../../expressions/walk.ts';
import { conjunctionOf } from '../conjuncts.ts';

/**
 * What: `filter b (filter a (x))` becomes `filter a AND b (x)`.
 * Why good: one call a row instead of two, and the conjuncts can be pushed one by one.
 * Illegal: between clauses (WHERE over HAVING), because errors are reported by clause. Order is kept: in
 * `WHERE X <> 0` under `WHERE 1/X > 2`, the division must not see the zero.
 * After: nothing; it comes first because every push splits conjunctions.
 */
export const mergeFilters: Rule = {
  name: 'merge-filters',
  order: 'bottom-up',
  apply(node) {
    if (node.kind !== 'filter' || node.input.kind !== 'filter') return node;
    const inner = node.input;
    if (inner.clause !== node.clause || inner.passesNull !== node.passesNull) return node;
    const predicate = conjunctionOf([...conjunctsOf(inner.predicate), ...conjunctsOf(node.predicate)]);
    return { ...node, input: inner.input, predicate };
  },
};
