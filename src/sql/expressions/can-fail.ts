import type { Expression } from './expression.ts';
import { fold } from './walk.ts';

/**
 * Whether evaluating the expression over some row may report an error, in it or in a guarded part of it. Errors are
 * shown to the user, so what may fail is only moved to where it is evaluated for the same rows. True when in doubt:
 * a column may be null, and a function may do anything.
 */
export function canFail(expression: Expression): boolean {
  return fold<boolean>(expression, nodeCanFail);
}

/** The same where a truth value is needed, and null is an error too. */
export function conditionCanFail(expression: Expression): boolean {
  return asCondition(expression, canFail(expression));
}

function asCondition(expression: Expression, fails: boolean): boolean {
  return !NEVER_NULL.has(expression.kind) || expression.guarded === true || fails;
}

/** `operands`: whether they can fail. */
function nodeCanFail(node: Expression, operands: readonly boolean[]): boolean {
  switch (node.kind) {
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
      return operands.includes(true);
    case 'let':
      return (
        operands[0]! || (node.type.kind === 'boolean' ? asCondition(node.body, operands[1]!) : operands[1]!)
      );
    case 'logical':
      return asCondition(node.left, operands[0]!) || asCondition(node.right, operands[1]!);
    case 'not':
      return asCondition(node.operand, operands[0]!);
    case 'case':
      return (
        operands.includes(true) || node.branches.some(({ when }, i) => asCondition(when, operands[2 * i]!))
      );
    case 'subscript':
      return node.operand.type.kind !== 'map' || operands.includes(true);
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

const NEVER_NULL: ReadonlySet<Expression['kind']> = new Set([
  'comparison',
  'logical',
  'not',
  'is-null',
  'in',
] as const);
