import { SqlError } from '../../common/error.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { asDecimalType, canWiden, isNumeric, isReadFromText } from '../../types/implicit-cast.ts';
import { printType } from '../../types/print-type.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { cast } from './cast-expression.ts';
import { fold } from './literal.ts';

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

/** The same for argument `at` (from 0) of a call of `name`, where any text is read as a time or as bytes. */
export function coerceArgument(
  expression: Expression,
  node: ast.Expression,
  type: SqlType,
  at: number,
  name: string,
): Expression {
  return node.kind !== 'string' && expression.type.kind === 'string' && isReadFromText(type)
    ? cast(expression, type)
    : coerce(expression, node, type, `argument ${at + 1} of ${name} must be`);
}

export function isTemporal(type: SqlType): boolean {
  return type.kind === 'date' || type.kind === 'time' || type.kind === 'timestamp';
}
