import { BOOLEAN } from '../../../types/sql-type.ts';
import type { Expression } from '../../expressions/expression.ts';
import { isVolatile } from '../../expressions/walk.ts';
import type { RepartitionNode } from '../../plan/node.ts';
import type { Rule } from '../rule.ts';
import { filter } from '../../plan/make.ts';

/**
 * What: `filter p (repartition by k (x))` becomes `repartition by k (filter p (x))`; where the repartition drops and
 * reports rows without a key, `repartition by k (filter k IS NULL OR p (x))`, which still lets it see them.
 * Why good: what is dropped is neither written to the internal topic nor read back.
 * Illegal: for a volatile p, only for the sake of order: `WHERE RANDOM() < 0.5` draws in the order of the topic. The
 * rows on both sides are the same, so p answers the same. Over tables a row that p no longer holds for leaves as
 * the removal of the old row, which is what its old group must be told.
 * After: push-filter-below-project.
 */
export const pushFilterBelowRepartition: Rule = {
  name: 'push-filter-below-repartition',
  order: 'top-down',
  apply(node, context) {
    if (node.kind !== 'filter' || node.input.kind !== 'repartition') return node;
    if (isVolatile(node.predicate, context.functions)) return node;
    const { input: repartition } = node;
    const reports = repartition.nullKeys === 'drop' && repartition.input.changes === 'stream';
    const predicate = reports
      ? repartition.key.reduceRight((or, at) => isNullOr(repartition, at, or), node.predicate)
      : node.predicate;
    const below = {
      ...filter(repartition.input, predicate, node.clause),
      ...(reports || node.passesNull === true ? { passesNull: true as const } : {}),
    };
    return { ...repartition, input: below };
  },
};

function isNullOr({ columns }: RepartitionNode, at: number, right: Expression): Expression {
  const operand: Expression = { kind: 'column', type: columns[at]!.type, index: at };
  const left: Expression = { kind: 'is-null', type: BOOLEAN, operand, negated: false };
  return { kind: 'logical', type: BOOLEAN, operator: 'or', left, right };
}
