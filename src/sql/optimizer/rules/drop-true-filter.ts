import { isTrue } from '../conjuncts.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `filter TRUE (x)` becomes `x`.
 * Why good: a call a row less.
 * Illegal: over a stream that may hold records without a value, where a filter drops them and no filter does not:
 * `SELECT * FROM S WHERE TRUE` shows no null rows. So it applies where that cannot be: over an aggregate, a join, a
 * flat map, another filter, or any table (absent rows pass a table's filter as they are).
 * After: fold-constants, which makes TRUE out of `1 = 1`.
 */
export const dropTrueFilter: Rule = {
  name: 'drop-true-filter',
  order: 'bottom-up',
  apply(node) {
    if (node.kind !== 'filter' || !isTrue(node.predicate)) return node;
    if (node.changes === 'table') return node.input;
    switch (node.input.kind) {
      case 'aggregate':
      case 'join':
      case 'flat-map':
      case 'filter':
        return node.input;
      default:
        return node;
    }
  },
};
