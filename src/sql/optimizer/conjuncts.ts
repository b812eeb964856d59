import { BOOLEAN } from '../../types/sql-type.ts';
import { canFail } from '../expressions/can-fail.ts';
import type { Expression } from '../expressions/expression.ts';

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
    const fails = canFail(conjunct);
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
