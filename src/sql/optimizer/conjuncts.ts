import { BOOLEAN } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';

/** The operands of a chain of ANDs, left to right. A guarded AND is one operand: it fails as a whole. */
export function conjunctsOf(predicate: Expression): readonly Expression[] {
  return predicate.kind === 'logical' && predicate.operator === 'and' && predicate.guarded !== true
    ? [...conjunctsOf(predicate.left), ...conjunctsOf(predicate.right)]
    : [predicate];
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
