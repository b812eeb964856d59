import { BOOLEAN } from '../../types/sql-type.ts';
import { conditionCanFail } from '../expressions/can-fail.ts';
import type { Expression } from '../expressions/expression.ts';

/** The operands of a chain of ANDs, left to right. A guarded AND is one operand: it fails as a whole. */
export function conjunctsOf(predicate: Expression): readonly Expression[] {
  return predicate.kind === 'logical' && predicate.operator === 'and' && predicate.guarded !== true
    ? [...conjunctsOf(predicate.left), ...conjunctsOf(predicate.right)]
    : [predicate];
}

/**
 * Which conjuncts may be evaluated before the others, so that the same rows pass and the same failures are told.
 * `test`: those that can be moved at all. `sameRows`: where they go they see every row that they saw here, once.
 */
export function movable(
  conjuncts: readonly Expression[],
  test: (conjunct: Expression) => boolean,
  sameRows: boolean,
): readonly boolean[] {
  let stays = false;
  let failing = false;
  return conjuncts.map((conjunct) => {
    const fails = conditionCanFail(conjunct);
    if (test(conjunct) && !failing && (!fails || (sameRows && !stays))) return true;
    stays = true;
    failing ||= fails;
    return false;
  });
}

export const TRUE: Expression = { kind: 'literal', type: BOOLEAN, value: true };

/** The AND of all; TRUE of none. */
export function conjunctionOf(conjuncts: readonly Expression[]): Expression {
  return conjuncts.length === 0
    ? TRUE
    : conjuncts.reduce((left, right) => ({ kind: 'logical', type: BOOLEAN, operator: 'and', left, right }));
}

export function isTrue(expression: Expression): boolean {
  return expression.kind === 'literal' && expression.value === true;
}
