import { isVolatile } from '../../expressions/walk.ts';
import { countReads, isSimple, substitute } from '../reads.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `project f (project e (x))` becomes `project f[e] (x)`.
 * Why good: one row less is built for each row.
 * Illegal: when an item that is more than a column or literal is read more than once: `SELECT Y + Y` over
 * `SLOW(X) AS Y` would compute it twice, over `RANDOM() AS Y` give another answer. A volatile item that is read in
 * a CASE would be drawn less often, so volatile items stay where they are, read or not. Items that fail are null for
 * f and stay so by being guarded.
 * After: push-filter-below-project, so that no filter keeps two projects apart.
 */
export const mergeProjects: Rule = {
  name: 'merge-projects',
  order: 'bottom-up',
  apply(node, context) {
    if (node.kind !== 'project' || node.input.kind !== 'project') return node;
    const inner = node.input;
    const reads = countReads(node.expressions);
    const harmless = inner.expressions.every(
      (expression, i) =>
        isSimple(expression) || ((reads.get(i) ?? 0) <= 1 && !isVolatile(expression, context.functions)),
    );
    if (!harmless) return node;
    const expressions = node.expressions.map((expression) => substitute(expression, inner.expressions));
    // An item of its own that became an item of its own needs no guard.
    const items = expressions.map((expression, i) =>
      node.expressions[i]!.kind === 'column' && expression.guarded === true
        ? { ...expression, guarded: false }
        : expression,
    );
    return { ...node, input: inner.input, expressions: items };
  },
};
