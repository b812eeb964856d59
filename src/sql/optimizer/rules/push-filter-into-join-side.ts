import { columnsOf, isVolatile } from '../../expressions/walk.ts';
import { conjunctionOf, conjunctsOf } from '../conjuncts.ts';
import type { Rule } from '../rule.ts';

/**
 * What: the conjuncts over a stream-table join that read only the stream's columns go below the join, on its side.
 * Why good: rows that are dropped are not looked up; a column that only the filter reads ends there.
 * Illegal: for the table's side: `S LEFT JOIN T … WHERE T.X > 1` drops the row, the filtered table would give a row
 * of nulls; for an inner join it would be right but make the table a second, filtered one. For other joins: their
 * rows meet later, so a row that is filtered away would not be undone, or be joined with null instead.
 * After: push-filter-below-project, merge-filters.
 */
export const pushFilterIntoJoinSide: Rule = {
  name: 'push-filter-into-join-side',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'join' || node.input.shape !== 'stream-table')
      return node;
    const join = node.input;
    const width = join.left.columns.length;
    const conjuncts = conjunctsOf(node.predicate);
    const moves = conjuncts.map(
      (conjunct) =>
        !isVolatile(conjunct, context.functions) && [...columnsOf(conjunct)].every((index) => index < width),
    );
    if (!moves.includes(true)) return node;
    const kept = conjuncts.filter((_, i) => moves[i] !== true);
    const { columns, key, window, changes } = join.left;
    const left = {
      kind: 'filter' as const,
      columns,
      key,
      window,
      changes,
      input: join.left,
      predicate: conjunctionOf(conjuncts.filter((_, i) => moves[i] === true)),
      clause: node.clause,
    };
    const joined = { ...join, left };
    return kept.length === 0 ? joined : { ...node, input: joined, predicate: conjunctionOf(kept) };
  },
};
