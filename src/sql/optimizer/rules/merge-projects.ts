import { canFail } from '../../expressions/can-fail.ts';
import { isVolatile } from '../../expressions/walk.ts';
import { countReads, isSimple, substitute } from '../reads.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `project f (project e (x))` becomes `project f[e] (x)`.
 * Why good: one row less is built for each row.
 * Illegal: when an item that is more than a column or literal is read more than once: `SELECT Y + Y` over
 * `SLOW(X) AS Y` would compute it twice, over `RANDOM() AS Y` give another answer. A volatile item that is read in
 * a CASE would be drawn less often, so volatile items stay where they are, read or not. An item that may fail must be
 * passed on as it is, under its name: its failures are told by name, and whether or not f would get to evaluate it.
 * After: push-filter-below-project, so that no filter keeps two projects apart.
 */
export const mergeProjects: Rule = {
  name: 'merge-projects',
  order: 'bottom-up',
  apply(node, context) {
    if (node.kind !== 'project' || node.input.kind !== 'project') return node;
    const inner = node.input;
    const reads = countReads(node.expressions);
    const passed = new Set<number>();
    node.expressions.forEach((expression, i) => {
      if (expression.kind === 'column' && node.columns[i]!.name === inner.columns[expression.index]!.name)
        passed.add(expression.index);
    });
    const harmless = inner.expressions.every((expression, i) => {
      if (isSimple(expression)) return true;
      const count = reads.get(i) ?? 0;
      if (count > 1 || isVolatile(expression, context.functions)) return false;
      return count === 0 || passed.has(i) || !canFail(expression);
    });
    if (!harmless) return node;
    const expressions = node.expressions.map((expression) => substitute(expression, inner.expressions));
    return { ...node, input: inner.input, expressions };
  },
};
