import { SqlError, type Span } from '../../common/error.ts';
import type { Parameter } from '../../functions/function.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { asDecimalType, canWiden, isNumeric, isReadFromText } from '../../types/implicit-cast.ts';
import { printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { cast } from './cast-expression.ts';
import { attempt, fold } from './literal.ts';

/** `expression` (which `node` stands for) where `type` is expected. `needs` begins the message when it can't be. */
export function coerce(
  expression: Expression,
  node: ast.Expression,
  type: SqlType,
  needs: string,
): Expression {
  if (equalTypes(expression.type, type)) return expression;
  if (node.kind === 'string' && isReadFromText(type)) {
    const folded = fold(expression, type, node.span);
    if (folded !== null) return folded;
  }
  if (
    canWiden(expression.type, type) ||
    (isNumeric(expression.type) &&
      isNumeric(type) &&
      type.kind === 'decimal' &&
      asDecimalType(expression.type) !== null)
  )
    return cast(expression, type);
  throw new SqlError('ML_TYPE', `${needs} ${printType(type)}, and this is ${printType(expression.type)}`, {
    span: node.span,
    hint: `CAST(… AS ${printType(type)})`,
  });
}

/**
 * The same for argument `at` (from 0) of a call of `name`. Any text is read as a time or as bytes, and a literal that the
 * parameter cannot use is an error: it would be one for every row.
 */
export function coerceArgument(
  expression: Expression,
  node: ast.Expression,
  type: SqlType,
  parameter: Parameter,
  at: number,
  name: string,
): Expression {
  const argument =
    node.kind !== 'string' && expression.type.kind === 'string' && isReadFromText(type)
      ? cast(expression, type)
      : coerce(expression, node, type, `argument ${at + 1} of ${name} must be`);
  checkLiteral(argument, node.span, parameter);
  return argument;
}

function checkLiteral(argument: Expression, span: Span, { check }: Parameter): void {
  if (check === undefined) return;
  // -1 is 1 with a sign before it.
  const [literal, sign] = argument.kind === 'negate' ? [argument.operand, -1] : [argument, 1];
  if (literal.kind !== 'literal' || literal.value === null) return;
  const value = sign < 0 ? -Number(literal.value) : literal.value;
  attempt(() => check(value as never), span);
}

export function isTemporal(type: SqlType): boolean {
  return type.kind === 'date' || type.kind === 'time' || type.kind === 'timestamp';
}
