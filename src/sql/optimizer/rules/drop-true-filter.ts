import { isTrue } from '../conjuncts.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `filter TRUE (x)` becomes `x`.
 * Why good: one call less for each row.
 * Illegal: over a stream that may hold records without a value, where a filter drops them and no filter does not:
 * `SELECT * FROM S WHERE TRUE` shows no null rows. Over a table that removes what it never had: its filter swallows
 * such removals. So it applies where neither can be: over an aggregate, a join of streams, a flat map, another filter.
 * After: fold-constants, which makes TRUE out of `1 = 1`.
 */
export const dropTrueFilter: Rule = {
  name: 'drop-true-filter',
  order: 'bottom-up',
  apply(node) {
    if (node.kind !== 'filter' || !isTrue(node.predicate)) return node;
    switch (node.input.kind) {
      case 'join':
        return node.changes === 'table' ? node : node.input;
      case 'aggregate':
      case 'flat-map':
      case 'filter':
        return node.input;
      default:
        return node;
    }
  },
};
