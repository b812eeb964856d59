import { printType } from '../../types/print-type.ts';
import { printValue } from '../../types/print-value.ts';
import type { Expression } from './expression.ts';

/**
 * The expression as text for EXPLAIN and messages: SQL where SQL can say it. `columnNames` are the input row's. Every nested operator is in parentheses, so that the text needs no precedence table.
 */
export function printExpression(expression: Expression, columnNames: readonly string[]): string {
  const print = (node: Expression): string => printExpression(node, columnNames);
  const inner = (node: Expression): string => {
    const text = print(node);
    return COMPOUND.has(node.kind) ? `(${text})` : text;
  };
  switch (expression.kind) {
    case 'column':
      return columnNames[expression.index] ?? `#${expression.index}`;
    case 'literal': {
      const { value, type } = expression;
      if (value === null) return 'NULL';
      if (typeof value === 'string' && type.kind === 'string') return `'${value.replaceAll("'", "''")}'`;
      const text = printValue(type, value);
      return type.kind === 'boolean'
        ? text.toUpperCase()
        : PLAIN.has(type.kind)
          ? text
          : `${printType(type)} '${text}'`;
    }
    case 'arithmetic':
      return `${inner(expression.left)} ${expression.operator} ${inner(expression.right)}`;
    case 'negate':
      return `-${inner(expression.operand)}`;
    case 'comparison': {
      const operator = COMPARISONS[expression.operator] ?? expression.operator;
      return `${inner(expression.left)} ${operator} ${inner(expression.right)}`;
    }
    case 'logical':
      return `${inner(expression.left)} ${expression.operator.toUpperCase()} ${inner(expression.right)}`;
    case 'not':
      return `NOT ${inner(expression.operand)}`;
    case 'is-null':
      return `${inner(expression.operand)} IS ${expression.negated ? 'NOT ' : ''}NULL`;
    case 'in':
      return `${inner(expression.operand)} ${expression.negated ? 'NOT ' : ''}IN (${expression.items.map(print).join(', ')})`;
    case 'like': {
      const escape = expression.escape === null ? '' : ` ESCAPE '${expression.escape}'`;
      return `${inner(expression.operand)} ${expression.negated ? 'NOT ' : ''}LIKE ${inner(expression.pattern)}${escape}`;
    }
    case 'case': {
      const branches = expression.branches.map(
        (branch) => `WHEN ${print(branch.when)} THEN ${print(branch.result)}`,
      );
      const otherwise = expression.otherwise === null ? '' : ` ELSE ${print(expression.otherwise)}`;
      return `CASE ${branches.join(' ')}${otherwise} END`;
    }
    case 'cast':
      return `CAST(${print(expression.operand)} AS ${printType(expression.type)})`;
    case 'call':
      return `${expression.name}(${expression.args.map(print).join(', ')})`;
    case 'subscript':
      return `${inner(expression.operand)}[${print(expression.index)}]`;
    case 'field': {
      const { type } = expression.operand;
      const name = type.kind === 'struct' ? type.fields[expression.index]?.name : undefined;
      return `${inner(expression.operand)}->${name ?? expression.index}`;
    }
    case 'array':
      return `ARRAY[${expression.items.map(print).join(', ')}]`;
    case 'map':
      return `MAP(${expression.entries.map((entry) => `${print(entry.key)} := ${print(entry.value)}`).join(', ')})`;
    case 'struct': {
      const { type } = expression;
      const names = type.kind === 'struct' ? type.fields.map((field) => field.name) : [];
      return `STRUCT(${expression.fields.map((field, i) => `${names[i] ?? i} := ${print(field)}`).join(', ')})`;
    }
    case 'lambda':
      return `(${expression.parameters.map((id) => `p${id}`).join(', ')}) => ${print(expression.body)}`;
    case 'parameter':
      return `p${expression.id}`;
  }
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
] as const);

/** Types whose literals are written without naming the type. */
const PLAIN: ReadonlySet<string> = new Set(['boolean', 'integer', 'bigint', 'double', 'decimal']);

const COMPARISONS: Readonly<Record<string, string>> = {
  'is-distinct': 'IS DISTINCT FROM',
  'is-not-distinct': 'IS NOT DISTINCT FROM',
};
