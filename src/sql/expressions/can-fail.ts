import type { Expression } from './expression.ts';
import { childrenOf } from './walk.ts';

/**
 * Whether evaluating the expression over some row may report an error, in it or in a guarded part of it. Errors are
 * shown to the user, so what may fail is only moved to where it is evaluated for the same rows. True when in doubt:
 * a column may be null, and a function may do anything.
 */
export function canFail(expression: Expression): boolean {
  switch (expression.kind) {
    case 'column':
    case 'literal':
    case 'parameter':
      return false;
    case 'comparison':
    case 'is-null':
    case 'in':
    case 'field':
    case 'array':
    case 'struct':
      return childrenOf(expression).some(canFail);
    case 'logical':
      return conditionCanFail(expression.left) || conditionCanFail(expression.right);
    case 'not':
      return conditionCanFail(expression.operand);
    case 'case':
      return (
        expression.branches.some(({ when, result }) => conditionCanFail(when) || canFail(result)) ||
        (expression.otherwise !== null && canFail(expression.otherwise))
      );
    case 'subscript':
      return expression.operand.type.kind !== 'map' || childrenOf(expression).some(canFail);
    case 'arithmetic':
    case 'negate':
    case 'like':
    case 'cast':
    case 'call':
    case 'map':
    case 'lambda':
      return true;
  }
}

/** The same where a truth value is needed, and null is an error too. */
export function conditionCanFail(expression: Expression): boolean {
  return !NEVER_NULL.has(expression.kind) || expression.guarded === true || canFail(expression);
}

const NEVER_NULL: ReadonlySet<Expression['kind']> = new Set([
  'comparison',
  'logical',
  'not',
  'is-null',
  'in',
] as const);
