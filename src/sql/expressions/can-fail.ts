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

/** `operands`: whether they can fail. */
function nodeCanFail(node: Expression, operands: readonly boolean[]): boolean {
  switch (node.kind) {
    case 'column':
    case 'literal':
    case 'parameter':
      return false;
    case 'comparison':
    case 'logical':
    case 'not':
    case 'is-null':
    case 'in':
    case 'like':
    case 'case':
    case 'field':
    case 'array':
    case 'struct':
    case 'let':
      return operands.includes(true);
    case 'subscript':
      return node.operand.type.kind !== 'map' || operands.includes(true);
    case 'arithmetic':
    case 'negate':
    case 'cast':
    case 'call':
    case 'map':
    case 'lambda':
      return true;
  }
}
