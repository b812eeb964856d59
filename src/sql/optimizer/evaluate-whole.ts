import { DataError } from '../../common/error.ts';
import type { SqlValue } from '../../types/value.ts';
import { compileEvaluator } from '../expressions/compile.ts';
import type { Expression } from '../expressions/expression.ts';
import type { RuleContext } from './rule.ts';

/**
 * The value of an expression that reads no column; undefined when it fails or a guarded part of it does: such a
 * failure belongs to each row.
 */
export function evaluateWhole(expression: Expression, context: RuleContext): SqlValue | undefined {
  let failed = false;
  const onGuarded = (): void => {
    failed = true;
  };
  try {
    const value = compileEvaluator(expression, context.functions, context.evaluation, onGuarded)([]);
    return failed ? undefined : value;
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
