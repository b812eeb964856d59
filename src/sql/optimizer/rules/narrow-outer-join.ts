import { canFail } from '../../expressions/can-fail.ts';
import type { Expression } from '../../expressions/expression.ts';
import { columnsOf, conjunctsOf, isVolatile, transform } from '../../expressions/walk.ts';
import type { JoinNode } from '../../plan/node.ts';
import { evaluateWhole } from '../evaluate-whole.ts';
import type { Rule, RuleContext } from '../rule.ts';
import type { JoinKind } from '../../analyzer/analyzed-query.ts';

/**
 * What: an outer join under a filter that no row with a missing side passes becomes a join without such rows:
 * `S LEFT JOIN T … WHERE T.X > 1` is an inner join.
 * Why good: rows are not padded only to be dropped; a join of streams needs no store of rows that wait for a partner.
 * Illegal: when a conjunct may hold for a missing side (`WHERE T.X IS NULL`), which is found out by evaluating it
 * with nulls: only conjuncts over that side alone are tried, and one that fails there is no proof, nor is one behind
 * another that may fail: the failures of padded rows are told. For full joins of
 * streams unless both sides must be there: padded rows of the side that stays come out by the stream time of what
 * waits on both. Over tables a padded row is hidden before and after, so neither it nor its removal is a change.
 * After: push-filter-below-project, before push-filter-into-join-side, for which the result is a better join.
 */
export const narrowOuterJoin: Rule = {
  name: 'narrow-outer-join',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'join' || node.input.join === 'inner') return node;
    const join = node.input;
    const conjuncts = conjunctsOf(node.predicate);
    const width = join.left.columns.length;
    const needs = (isOfSide: (index: number) => boolean): boolean => {
      for (const conjunct of conjuncts.slice(0, TRIED_MAX)) {
        if (rejectsNulls(conjunct, isOfSide, context)) return true;
        if (canFail(conjunct)) return false;
      }
      return false;
    };
    const narrowed = narrow(
      join,
      needs((index) => index < width),
      needs((index) => index >= width),
    );
    if (narrowed === join.join) return node;
    const narrowedFrom = join.narrowedFrom ?? join.join;
    return { ...node, input: { ...join, join: narrowed, narrowedFrom } };
  },
};

/** How many conjuncts are tried: each is compiled and evaluated once. */
const TRIED_MAX = 100;

function narrow({ join, shape }: JoinNode, needsLeft: boolean, needsRight: boolean): JoinKind {
  switch (join) {
    case 'inner':
      return 'inner';
    case 'left':
      return needsRight ? 'inner' : 'left';
    case 'right':
      return needsLeft ? 'inner' : 'right';
    case 'outer':
      if (needsLeft && needsRight) return 'inner';
      if (shape === 'stream-stream') return 'outer';
      return needsLeft ? 'left' : needsRight ? 'right' : 'outer';
  }
}

/** Whether a conjunct over one side's columns is surely not TRUE when all of them are null. */
function rejectsNulls(
  conjunct: Expression,
  isOfSide: (index: number) => boolean,
  context: RuleContext,
): boolean {
  const columns = [...columnsOf(conjunct)];
  if (columns.length === 0 || !columns.every(isOfSide) || isVolatile(conjunct, context.functions))
    return false;
  const nulled = transform(conjunct, (expression) =>
    expression.kind === 'column' ? { kind: 'literal', type: expression.type, value: null } : expression,
  );
  const value = evaluateWhole(nulled, context);
  return value !== undefined && value !== true;
}
