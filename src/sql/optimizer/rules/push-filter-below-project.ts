import { canFail } from '../../expressions/can-fail.ts';
import { columnsOf, conjunctsOf, isVolatile } from '../../expressions/walk.ts';
import { conjunctionOf, movable } from '../conjuncts.ts';
import { isCostly, substitute } from '../reads.ts';
import type { Rule } from '../rule.ts';
import { filter } from '../../plan/make.ts';

/**
 * What: `filter p (project e (x))` becomes `project e (filter p[e] (x))`, conjunct by conjunct.
 * Why good: rows that are dropped are not computed first, and the filter can go on towards the source.
 * Illegal: when p reads a volatile item (`WHERE R > 0.5` over `RANDOM() AS R` would draw twice), or a costly one,
 * which would be computed twice for the rows that stay. When an item may fail: its failures are told for the rows
 * that p drops, too. Over tables the same holds for old and new rows alike: projections are pure, so both are judged
 * as before and removals stay removals.
 * After: merge-filters.
 */
export const pushFilterBelowProject: Rule = {
  name: 'push-filter-below-project',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'project') return node;
    const project = node.input;
    if (project.expressions.some(canFail)) return node;
    const cheap = project.expressions.map(
      (expression) => !isCostly(expression) && !isVolatile(expression, context.functions),
    );
    const conjuncts = conjunctsOf(node.predicate);
    const moves = movable(
      conjuncts,
      (conjunct) =>
        !isVolatile(conjunct, context.functions) &&
        [...columnsOf(conjunct)].every((index) => cheap[index] === true),
      true,
    );
    if (!moves.includes(true)) return node;
    const moved = conjuncts.filter((_, i) => moves[i] === true);
    const kept = conjuncts.filter((_, i) => moves[i] !== true);
    const predicate = substitute(conjunctionOf(moved), project.expressions);
    const below = {
      ...filter(project.input, predicate, node.clause),
      ...(node.passesNull === true ? { passesNull: true as const } : {}),
    };
    const above = { ...project, input: below };
    return kept.length === 0 ? above : { ...node, input: above, predicate: conjunctionOf(kept) };
  },
};
