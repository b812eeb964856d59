import { isVolatile } from '../../expressions/walk.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `filter p (repartition (x))` becomes `repartition (filter p (x))`.
 * Why good: what is dropped is neither written to the internal topic nor read back.
 * Illegal: for a volatile p, only for the sake of order: `WHERE RANDOM() < 0.5` draws in the order of the topic. The
 * rows on both sides are the same, so p answers the same. Over tables a row that p no longer holds for leaves as
 * the removal of the old row, which is what its old group must be told.
 * After: push-filter-below-project.
 */
export const pushFilterBelowRepartition: Rule = {
  name: 'push-filter-below-repartition',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'repartition') return node;
    if (isVolatile(node.predicate, context.functions)) return node;
    const { input: repartition } = node;
    const { columns, key, window, changes } = repartition.input;
    const { predicate, clause } = node;
    return {
      ...repartition,
      input: { kind: 'filter', columns, key, window, changes, input: repartition.input, predicate, clause },
    };
  },
};
