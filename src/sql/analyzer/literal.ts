import { DataError, SqlError, type Span } from '../../common/error.ts';
import { parseBigint, parseInteger } from '../../types/bigint.ts';
import { openCast } from '../../types/cast.ts';
import { Decimal } from '../../types/decimal.ts';
import { commonType, commonTypeOf, isNumeric } from '../../types/implicit-cast.ts';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, STRING, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { cast } from './cast-expression.ts';

/** The type and value of a literal, or undefined for any other expression. NULL has no type. */
export function literalValue(node: ast.Expression): { type: SqlType | null; value: SqlValue } | undefined {
  switch (node.kind) {
    case 'null':
      return { type: null, value: null };
    case 'boolean':
      return { type: BOOLEAN, value: node.value };
    case 'integer':
      return { type: INTEGER, value: node.value };
    case 'bigint':
      return { type: BIGINT, value: node.value };
    case 'double':
      return { type: DOUBLE, value: node.value };
    case 'string':
      return { type: STRING, value: node.value };
    case 'decimal': {
      const value = attempt(() => Decimal.parse(node.text), node.span);
      return { type: decimalTypeOf(value), value };
    }
    default:
      return undefined;
  }
}

function isLiteral(node: ast.Expression): boolean {
  return literalValue(node) !== undefined;
}

/**
 * A literal in a list whose other items are of `type`: a number written as text is a number, anything may become
 * text, and a constructor of literals bends as they do. Whatever cannot bend stays as it is.
 */
export function bend(expression: Expression, node: ast.Expression, type: SqlType): Expression {
  if (commonType(type, expression.type) !== null) return expression;
  if (node.kind === 'string' && isNumeric(type))
    return numberOf(node) ?? fold(expression, type, node.span) ?? expression;
  if (node.kind === 'string' && type.kind === 'boolean')
    return TRUTH.test(node.value) ? fold(expression, type, node.span)! : expression;
  if (isLiteral(node)) return fold(expression, type, node.span) ?? expression;
  if (node.kind === 'array' && expression.kind === 'array' && type.kind === 'array') {
    const items = expression.items.map((item, i) => bend(item, node.items[i]!, type.element));
    const element = commonTypeOf([type.element, ...items.map((item) => item.type)]);
    if (element === null) return expression;
    return {
      ...expression,
      type: { kind: 'array', element },
      items: items.map((item) => cast(item, element)),
    };
  }
  if (node.kind === 'struct' && expression.kind === 'struct' && type.kind === 'struct') {
    const fields = expression.fields.map((item, i) => {
      const field = type.fields.find(({ name }) => name === node.fields[i]!.name);
      return field === undefined ? item : bend(item, node.fields[i]!.value, field.type);
    });
    const types = fields.map((field, i) => ({ name: node.fields[i]!.name, type: field.type }));
    return { ...expression, type: { kind: 'struct', fields: types }, fields };
  }
  return expression;
}

/** Texts that ksqlDB reads as a BOOLEAN: the beginning of a word for yes or no. */
const TRUTH = /^(t(r(ue?)?)?|y(es?)?|f(a(l(se?)?)?)?|no?)$/i;

/** A number written as text, in the type that it has as a literal; null when it is none. */
function numberOf(node: ast.StringLiteral): Expression | null {
  const text = node.value.trim();
  const whole = parseBigint(text);
  if (whole !== undefined)
    return { kind: 'literal', type: parseInteger(text) === undefined ? BIGINT : INTEGER, value: whole };
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(text)) return null;
  const value = attempt(() => Decimal.parse(text), node.span);
  return { kind: 'literal', type: decimalTypeOf(value), value };
}

function decimalTypeOf(value: Decimal): SqlType {
  return { kind: 'decimal', precision: Math.max(value.precision, value.scale + 1), scale: value.scale };
}

/** A literal in another type, or null when there is no such cast. A value that the type cannot take is an error. */
export function fold(expression: Expression, type: SqlType, span: Span): Expression | null {
  const convert =
    openCast(expression.type, type) ?? (expression.type.kind === 'string' ? openCast(STRING, type) : null);
  if (expression.kind !== 'literal' || convert === null) return null;
  const { value } = expression;
  return { kind: 'literal', type, value: attempt(() => convert(value), span) };
}

/** A value computed from the text of a statement: bad data there is a mistake in the statement. */
export function attempt<T>(compute: () => T, span: Span): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof DataError) throw new SqlError('ML_DATA', error.message, { span });
    throw error;
  }
}
