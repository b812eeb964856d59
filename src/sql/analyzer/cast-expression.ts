import { DataError } from '../../common/error.ts';
import { openCast } from '../../types/cast.ts';
import { equalTypes } from '../../types/equal-types.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Expression } from '../expressions/expression.ts';

/** The expression cast to a type that it can always become. Literals are cast at once. */
export function cast(expression: Expression, type: SqlType): Expression {
  if (equalTypes(expression.type, type)) return expression;
  if (expression.kind === 'literal') {
    try {
      return { kind: 'literal', type, value: openCast(expression.type, type)!(expression.value) };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  }
  return { kind: 'cast', type, operand: expression };
}

/** An expression whose errors make a null of it alone, not of all that it stands in. */
export function guard(expression: Expression): Expression {
  return expression.kind === 'column' || expression.kind === 'literal' || expression.guarded === true
    ? expression
    : { ...expression, guarded: true };
}
