import { SqlError, type Span } from '../../common/error.ts';
import { openComparison } from '../../types/compare-values.ts';
import { commonType } from '../../types/implicit-cast.ts';
import { printType } from '../../types/print-type.ts';
import { BIGINT, BOOLEAN, STRING, TIMESTAMP, type SqlType } from '../../types/sql-type.ts';
import { parseTimestamp } from '../../types/temporal.ts';
import type { ComparisonOperator, Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import { cast } from './cast-expression.ts';
import { isTemporal } from './coerce.ts';
import type { ExpressionAnalysis } from './expression-context.ts';
import { attempt, bend, fold } from './literal.ts';

const COMPARISONS: Readonly<Record<ast.ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  'IS DISTINCT FROM': 'is-distinct',
  'IS NOT DISTINCT FROM': 'is-not-distinct',
};

const TIME_COLUMNS: ReadonlySet<string> = new Set(['ROWTIME', 'WINDOWSTART', 'WINDOWEND']);

export function analyzeComparison(
  analysis: ExpressionAnalysis,
  operator: ast.ComparisonOperator,
  leftNode: ast.Expression,
  rightNode: ast.Expression,
  span: Span,
  /** The left side, when it is analyzed already. */
  known?: Expression,
): Expression {
  const isNullSafe = operator.startsWith('IS');
  if (isNullSafe && (leftNode.kind === 'null' || rightNode.kind === 'null')) {
    const other = leftNode.kind === 'null' ? rightNode : leftNode;
    const operand = analysis.analyzeOrNull(other, STRING);
    return { kind: 'is-null', type: BOOLEAN, operand, negated: operator === 'IS DISTINCT FROM' };
  }
  refuseNullSide(leftNode, operator);
  refuseNullSide(rightNode, operator);
  const [left, right] = comparable(
    operator,
    known ?? analysis.analyze(leftNode),
    leftNode,
    analysis.analyze(rightNode),
    rightNode,
    span,
  );
  return { kind: 'comparison', type: BOOLEAN, operator: COMPARISONS[operator], left, right };
}

export function refuseNullSide(side: ast.Expression, operator: ast.ComparisonOperator): void {
  if (side.kind === 'null')
    throw new SqlError('ML_TYPE', `${operator} NULL is never true`, {
      span: side.span,
      hint: 'use IS NULL or IS NOT NULL',
    });
}

/**
 * The result of `make` for an operand that it uses more than once, and that is evaluated once: written out each time, an
 * expression would double in size with every level of nesting.
 */
export function sharing(
  analysis: ExpressionAnalysis,
  operand: Expression,
  make: (operand: Expression) => Expression,
): Expression {
  if (operand.kind === 'column' || operand.kind === 'literal' || operand.kind === 'parameter')
    return make(operand);
  const parameter = analysis.nextParameterId();
  const body = make({ kind: 'parameter', type: operand.type, id: parameter });
  return { kind: 'let', type: body.type, parameter, value: operand, body };
}

export function analyzeIn(analysis: ExpressionAnalysis, node: ast.InList): Expression {
  const operand = analysis.analyze(node.operand);
  const present = node.items.filter((item) => item.kind !== 'null');
  if (present.length === 0)
    throw new SqlError('ML_TYPE', 'IN needs at least one value that is not NULL', { span: node.span });
  const items = present.map((item): Expression => {
    const analyzed = comparisonSide(analysis.analyze(item), item, operand, node.operand);
    return bend(analyzed, item, operand.type);
  });
  let type: SqlType = operand.type;
  items.forEach((item, i) => {
    const common = comparisonType(type, item.type);
    if (common === null)
      throw new SqlError(
        'ML_TYPE',
        `IN cannot compare ${printType(operand.type)} with ${printType(item.type)}`,
        {
          span: present[i]!.span,
          hint: 'CAST one side to the type of the other',
        },
      );
    type = common;
  });
  return {
    kind: 'in',
    type: BOOLEAN,
    operand: cast(operand, type),
    items: items.map((item) => cast(item, type)),
    negated: node.negated,
  };
}

/** Both operands in one type that the operator can compare. */
function comparable(
  operator: string,
  left: Expression,
  leftNode: ast.Expression,
  right: Expression,
  rightNode: ast.Expression,
  span: Span,
): [Expression, Expression] {
  const one = comparisonSide(left, leftNode, right, rightNode);
  const other = comparisonSide(right, rightNode, left, leftNode);
  const type = comparisonType(one.type, other.type);
  const ordered = operator !== '=' && operator !== '<>' && !operator.startsWith('IS');
  if (type === null || (ordered && openComparison(type, type) === null))
    throw new SqlError(
      'ML_TYPE',
      `${operator} cannot compare ${printType(left.type)} with ${printType(right.type)}`,
      {
        span,
        hint: type === null ? 'CAST one side to the type of the other' : 'these types know only = and <>',
      },
    );
  return [cast(one, type), cast(other, type)];
}

/** A text literal beside a time column or bytes is read as such. */
function comparisonSide(
  side: Expression,
  node: ast.Expression,
  other: Expression,
  otherNode: ast.Expression,
): Expression {
  if (node.kind !== 'string') return side;
  if (otherNode.kind === 'column' && TIME_COLUMNS.has(otherNode.name) && other.type.kind === 'bigint')
    return { kind: 'literal', type: BIGINT, value: attempt(() => parseTimestamp(node.value), node.span) };
  if (other.type.kind === 'bytes') return fold(side, other.type, node.span) ?? side;
  if (isTemporal(other.type)) return fold(side, other.type, node.span) ?? side;
  return side;
}

/** The type in which two types are compared, or null when they are not comparable. */
function comparisonType(a: SqlType, b: SqlType): SqlType | null {
  const common = commonType(a, b);
  if (common !== null) return common;
  if (a.kind === 'string' && isTemporal(b)) return b;
  if (b.kind === 'string' && isTemporal(a)) return a;
  const kinds = new Set([a.kind, b.kind]);
  return kinds.has('date') && kinds.has('timestamp') ? TIMESTAMP : null;
}
