import { columnsOf, isVolatile } from '../../expressions/walk.ts';
import { conjunctionOf, conjunctsOf } from '../conjuncts.ts';
import { isCostly, substitute } from '../reads.ts';
import type { Rule } from '../rule.ts';

/**
 * What: `filter p (project e (x))` becomes `project e (filter p[e] (x))`, conjunct by conjunct.
 * Why good: rows that are dropped are not computed first, and the filter can go on towards the source.
 * Illegal: when p reads a volatile item (`WHERE R > 0.5` over `RANDOM() AS R` would draw twice), or a costly one,
 * which would be computed twice for the rows that stay. An item that fails is null for p and must stay so
 * (`WHERE Q IS NULL` over `A/B AS Q`), so what is moved is guarded. Over tables the same holds for old and new
 * rows alike: projections are pure, so both are judged as before and removals stay removals.
 * After: merge-filters.
 */
export const pushFilterBelowProject: Rule = {
  name: 'push-filter-below-project',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'project') return node;
    const project = node.input;
    const movable = project.expressions.map(
      (expression) => !isCostly(expression) && !isVolatile(expression, context.functions),
    );
    const conjuncts = conjunctsOf(node.predicate);
    const moves = conjuncts.map(
      (conjunct) =>
        !isVolatile(conjunct, context.functions) &&
        [...columnsOf(conjunct)].every((index) => movable[index] === true),
    );
    if (!moves.includes(true)) return node;
    const moved = conjuncts.filter((_, i) => moves[i] === true);
    const kept = conjuncts.filter((_, i) => moves[i] !== true);
    const { columns, key, window, changes } = project.input;
    const below = {
      kind: 'filter' as const,
      columns,
      key,
      window,
      changes,
      input: project.input,
      predicate: substitute(conjunctionOf(moved), project.expressions),
      clause: node.clause,
    };
    const above = { ...project, input: below };
    return kept.length === 0 ? above : { ...node, input: above, predicate: conjunctionOf(kept) };
  },
};
