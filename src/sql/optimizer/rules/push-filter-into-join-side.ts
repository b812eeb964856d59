import { columnsOf, conjunctsOf, isVolatile } from '../../expressions/walk.ts';
import { conjunctionOf, movable } from '../conjuncts.ts';
import type { Rule } from '../rule.ts';
import { filter } from '../../plan/make.ts';

/**
 * What: the conjuncts over a stream-table join that read only the stream's columns go below the join, on its side.
 * Why good: rows that are dropped are not looked up; a column that only the filter reads ends there.
 * Illegal: for the table's side: `S LEFT JOIN T … WHERE T.X IS NULL` drops the rows that have a partner, the filtered
 * table would leave them without one; for an inner join it would be right, but failures of a predicate are told where
 * rows are new, not where they are looked up. For joins of tables: a side that removes what it never had makes the
 * join forward a removal, which the filter above hides and nothing would without it. For joins of streams: which late
 * rows are still met is decided by the greatest time that a side has remembered, rows that WHERE drops included.
 * For a conjunct that may fail, unless it sees the same rows there, so that the same failures are told: the join is a
 * left join and no conjunct before it stays; nor past one that stays and may fail.
 * After: push-filter-below-project, merge-filters, narrow-outer-join.
 */
export const pushFilterIntoJoinSide: Rule = {
  name: 'push-filter-into-join-side',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'join' || node.input.shape !== 'stream-table')
      return node;
    if (node.passesNull === true) return node;
    const join = node.input;
    const width = join.left.columns.length;
    const conjuncts = conjunctsOf(node.predicate);
    const moves = movable(
      conjuncts,
      (conjunct) =>
        !isVolatile(conjunct, context.functions) && [...columnsOf(conjunct)].every((index) => index < width),
      join.join === 'left',
    );
    if (!moves.includes(true)) return node;
    const kept = conjuncts.filter((_, i) => moves[i] !== true);
    const moved = conjunctionOf(conjuncts.filter((_, i) => moves[i] === true));
    // Records without a value pass: the join reports them.
    const left = { ...filter(join.left, moved, node.clause), passesNull: true as const };
    const joined = { ...join, left };
    return kept.length === 0 ? joined : { ...node, input: joined, predicate: conjunctionOf(kept) };
  },
};
