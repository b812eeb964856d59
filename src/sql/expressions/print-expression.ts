import { CONCATENATION } from '../../functions/scalar/concat.ts';
import { printType } from '../../types/print-type.ts';
import { printValue } from '../../types/print-value.ts';
import type { Expression } from './expression.ts';
import { fold } from './walk.ts';

/**
 * The expression as text for EXPLAIN and messages: SQL where SQL can say it. `columnNames` are the input row's. Every nested operator is in parentheses, so that the text needs no precedence table.
 */
export function printExpression(expression: Expression, columnNames: readonly string[]): string {
  return fold<string>(expression, (node, operands) => printNode(node, operands, columnNames));
}

/** `operands`: as they were printed. */
function printNode(node: Expression, operands: readonly string[], columnNames: readonly string[]): string {
  const inner = (operand: Expression, at: number): string =>
    COMPOUND.has(operand.kind) || isConcatenation(operand) ? `(${operands[at]!})` : operands[at]!;
  switch (node.kind) {
    case 'column':
      return columnNames[node.index] ?? `#${node.index}`;
    case 'literal':
      return printLiteral(node);
    case 'arithmetic':
      return `${inner(node.left, 0)} ${node.operator} ${inner(node.right, 1)}`;
    case 'negate':
      return `-${inner(node.operand, 0)}`;
    case 'comparison': {
      const operator = COMPARISONS[node.operator] ?? node.operator;
      return `${inner(node.left, 0)} ${operator} ${inner(node.right, 1)}`;
    }
    case 'logical':
      return `${inner(node.left, 0)} ${node.operator.toUpperCase()} ${inner(node.right, 1)}`;
    case 'not':
      return `NOT ${inner(node.operand, 0)}`;
    case 'is-null':
      return `${inner(node.operand, 0)} IS ${node.negated ? 'NOT ' : ''}NULL`;
    case 'in':
      return `${inner(node.operand, 0)} ${node.negated ? 'NOT ' : ''}IN (${operands.slice(1).join(', ')})`;
    case 'like': {
      const escape = node.escape === null ? '' : ` ESCAPE '${node.escape}'`;
      return `${inner(node.operand, 0)} ${node.negated ? 'NOT ' : ''}LIKE ${inner(node.pattern, 1)}${escape}`;
    }
    case 'case': {
      const branches = node.branches.map((_, i) => `WHEN ${operands[2 * i]!} THEN ${operands[2 * i + 1]!}`);
      const otherwise = node.otherwise === null ? '' : ` ELSE ${operands.at(-1)!}`;
      return `CASE ${branches.join(' ')}${otherwise} END`;
    }
    case 'cast':
      return `CAST(${operands[0]!} AS ${printType(node.type)})`;
    case 'call':
      if (isConcatenation(node))
        return joined(
          node.args.map((arg, i) => inner(arg, i)),
          ` ${CONCATENATION} `,
        );
      return `${node.name}(${joined(operands, ', ')})`;
    case 'subscript':
      return `${inner(node.operand, 0)}[${operands[1]!}]`;
    case 'field': {
      const { type } = node.operand;
      const name = type.kind === 'struct' ? type.fields[node.index]?.name : undefined;
      return `${inner(node.operand, 0)}->${name ?? node.index}`;
    }
    case 'array':
      return `ARRAY[${operands.join(', ')}]`;
    case 'map':
      return `MAP(${node.entries.map((_, i) => `${operands[2 * i]!} := ${operands[2 * i + 1]!}`).join(', ')})`;
    case 'struct': {
      const names = node.type.kind === 'struct' ? node.type.fields.map((field) => field.name) : [];
      return `STRUCT(${operands.map((operand, i) => `${names[i] ?? i} := ${operand}`).join(', ')})`;
    }
    case 'lambda':
      return `(${node.parameters.map((id) => `p${id}`).join(', ')}) => ${operands[0]!}`;
    case 'let':
      return `LET p${node.parameter} = ${operands[0]!} IN ${operands[1]!}`;
    case 'parameter':
      return `p${node.id}`;
  }
}

/** As `join`, which would copy the first text once for each call of a chain of them. */
function joined(texts: readonly string[], by: string): string {
  return texts.length === 0 ? '' : texts.reduce((all, text) => `${all}${by}${text}`);
}

function isConcatenation(node: Expression): boolean {
  return node.kind === 'call' && node.name === CONCATENATION;
}

function printLiteral({ value, type }: Extract<Expression, { kind: 'literal' }>): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string' && type.kind === 'string') return `'${value.replaceAll("'", "''")}'`;
  const text = printValue(type, value);
  if (type.kind === 'boolean') return text.toUpperCase();
  return PLAIN.has(type.kind) ? text : `${printType(type)} '${text}'`;
}

const COMPOUND: ReadonlySet<Expression['kind']> = new Set([
  'arithmetic',
  'negate',
  'comparison',
  'logical',
  'not',
  'is-null',
  'in',
  'like',
  'lambda',
  'let',
] as const);

/** Types whose literals are written without naming the type. */
const PLAIN: ReadonlySet<string> = new Set(['boolean', 'integer', 'bigint', 'double', 'decimal']);

const COMPARISONS: Readonly<Record<string, string>> = {
  'is-distinct': 'IS DISTINCT FROM',
  'is-not-distinct': 'IS NOT DISTINCT FROM',
};
