import { shapeText } from '../../plan/explain.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `project (x)` whose items are the columns of x, all, in order and under their names, becomes `x`.
 * Why good: one row less is built for each row.
 * Illegal: when a name, the key's positions or the window's differ: `SELECT A AS B` is another row shape.
 * After: merge-projects, which leaves such projects.
 */
export const dropIdentityProject: Rule = {
  name: 'drop-identity-project',
  order: 'bottom-up',
  apply(node) {
    if (node.kind !== 'project') return node;
    const same =
      node.expressions.length === node.input.columns.length &&
      node.expressions.every((expression, i) => expression.kind === 'column' && expression.index === i);
    return same && shapeText(node) === shapeText(node.input) ? node.input : node;
  },
};
