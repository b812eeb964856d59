import type * as ast from './ast.ts';
import { printName, quote } from './names.ts';

/**
 * Prints AST nodes as SQL on one line, without a closing semicolon. Parsing what is printed gives the same tree
 * (but for spans); the text is canonical, so equal trees print equally.
 */

export function printQuery(query: ast.Query): string {
  return words(
    'SELECT',
    query.select.map(printSelectItem).join(', '),
    'FROM',
    printRelation(query.from),
    query.window !== null && printWindow(query.window),
    query.where !== null && `WHERE ${printExpression(query.where)}`,
    query.groupBy.length > 0 && `GROUP BY ${printExpressions(query.groupBy)}`,
    query.partitionBy.length > 0 && `PARTITION BY ${printExpressions(query.partitionBy)}`,
    query.having !== null && `HAVING ${printExpression(query.having)}`,
    query.emit !== null && `EMIT ${query.emit.toUpperCase()}`,
    query.limit !== null && `LIMIT ${query.limit}`,
  );
}

function printSelectItem(item: ast.SelectItem): string {
  switch (item.kind) {
    case 'selectAll':
      return item.source === null ? '*' : `${printName(item.source.name)}.*`;
    case 'selectFields':
      return `${printAt(item.base, PRIMARY)}->*`;
    case 'selectExpression': {
      const expression = printExpression(item.expression);
      return item.alias === null ? expression : `${expression} AS ${printName(item.alias.name)}`;
    }
  }
}

function printRelation(relation: ast.Relation): string {
  if (relation.kind === 'source') {
    const name = printName(relation.name);
    return relation.alias === null ? name : `${name} AS ${printName(relation.alias.name)}`;
  }
  const { within } = relation;
  return words(
    printRelation(relation.left),
    `${relation.joinType.toUpperCase()} JOIN`,
    printRelation(relation.right),
    within !== null && `WITHIN (${printDuration(within.beforeMs)}, ${printDuration(within.afterMs)})`,
    within !== null && within.graceMs !== null && `GRACE PERIOD ${printDuration(within.graceMs)}`,
    `ON ${printExpression(relation.on)}`,
  );
}

function printWindow(window: ast.WindowExpression): string {
  const clauses = [
    window.kind === 'session' ? printDuration(window.gapMs) : `SIZE ${printDuration(window.sizeMs)}`,
  ];
  if (window.kind === 'hopping') clauses.push(`ADVANCE BY ${printDuration(window.advanceMs)}`);
  if (window.retentionMs !== null) clauses.push(`RETENTION ${printDuration(window.retentionMs)}`);
  if (window.graceMs !== null) clauses.push(`GRACE PERIOD ${printDuration(window.graceMs)}`);
  return `WINDOW ${window.kind.toUpperCase()} (${clauses.join(', ')})`;
}

// How tightly an expression holds together; one that stands where a tighter one is wanted gets parentheses.
const OR = 1;
const AND = 2;
const NOT = 3;
const PREDICATE = 4;
const VALUE = 5;
const SUM = 6;
const PRODUCT = 7;
const SIGNED = 8;
const ZONED = 9;
const PRIMARY = 10;

export function printExpression(expression: ast.Expression): string {
  return printAt(expression, OR);
}

/** From the outside to what is printed first, and back: chains of operators may be of any length. */
function printAt(expression: ast.Expression, wanted: number): string {
  const line: Part[] = [];
  for (let part: Part | undefined = [expression, wanted]; part !== undefined; part = innerPart(part[0]))
    line.push(part);
  let text = '';
  for (let part = line.pop(); part !== undefined; part = line.pop()) {
    text = printBare(part[0], text);
    if (tightness(part[0]) < part[1]) text = `(${text})`;
  }
  return text;
}

/** An expression to print, and how tightly it must bind to stand there without parentheses. */
type Part = readonly [expression: ast.Expression, wanted: number];

/** The operand that an operator begins with, or that a sign stands before. */
function innerPart(expression: ast.Expression): Part | undefined {
  switch (expression.kind) {
    case 'fieldAccess':
    case 'subscript':
      return [expression.base, PRIMARY];
    case 'unary': {
      // A minus that touches a number would become part of it.
      const isNumber = ['integer', 'bigint', 'decimal', 'double'].includes(expression.operand.kind);
      return [expression.operand, isNumber ? Infinity : SIGNED];
    }
    case 'arithmetic':
    case 'logical':
      return [expression.left, tightness(expression)];
    case 'concatenation':
      return [expression.left, VALUE];
    case 'atTimeZone':
      return [expression.operand, ZONED];
    case 'not':
      return [expression.operand, NOT];
    default:
      return undefined;
  }
}

function tightness(expression: ast.Expression): number {
  switch (expression.kind) {
    case 'lambda':
      return OR;
    case 'logical':
      return expression.operator === 'OR' ? OR : AND;
    case 'not':
      return NOT;
    case 'comparison':
    case 'isNull':
    case 'between':
    case 'in':
    case 'like':
      return PREDICATE;
    case 'concatenation':
      return VALUE;
    case 'arithmetic':
      return expression.operator === '+' || expression.operator === '-' ? SUM : PRODUCT;
    case 'unary':
      return SIGNED;
    case 'atTimeZone':
      return ZONED;
    case 'integer':
    case 'bigint':
    case 'double':
      return expression.value < 0 || Object.is(expression.value, -0) ? SIGNED : PRIMARY;
    case 'decimal':
      return /^-\d+\./.test(expression.text) ? SIGNED : PRIMARY;
    case 'null':
    case 'boolean':
    case 'string':
    case 'column':
    case 'fieldAccess':
    case 'subscript':
    case 'call':
    case 'case':
    case 'cast':
    case 'array':
    case 'map':
    case 'struct':
      return PRIMARY;
  }
}

/** `inner`: its `innerPart`, printed. */
function printBare(expression: ast.Expression, inner: string): string {
  switch (expression.kind) {
    case 'null':
      return 'NULL';
    case 'boolean':
      return expression.value ? 'TRUE' : 'FALSE';
    case 'integer':
    case 'bigint':
      return String(expression.value);
    case 'decimal':
      // Without a point it would read as a whole number.
      return expression.text.includes('.') ? expression.text : `DECIMAL ${printString(expression.text)}`;
    case 'double':
      return printDouble(expression.value);
    case 'string':
      return printString(expression.value);
    case 'column': {
      const name = printName(expression.name);
      return expression.source === null ? name : `${printName(expression.source)}.${name}`;
    }
    case 'fieldAccess':
      return `${inner}->${printName(expression.field)}`;
    case 'subscript':
      return `${inner}[${printExpression(expression.index)}]`;
    case 'call': {
      const parameters = expression.star ? '*' : printExpressions(expression.arguments);
      return `${printName(expression.name)}(${parameters})`;
    }
    case 'lambda': {
      const parameters = expression.parameters.map((parameter) => printName(parameter.name));
      const list = parameters.length === 1 ? parameters[0]! : `(${parameters.join(', ')})`;
      return `${list} => ${printExpression(expression.body)}`;
    }
    case 'unary':
      // Two that touch would begin a comment.
      return `${expression.operator}${expression.operand.kind === 'unary' ? ' ' : ''}${inner}`;
    case 'arithmetic':
    case 'logical':
      return `${inner} ${expression.operator} ${printAt(expression.right, tightness(expression) + 1)}`;
    case 'concatenation':
      return `${inner} || ${printAt(expression.right, SUM)}`;
    case 'atTimeZone':
      return `${inner} AT TIME ZONE ${printString(expression.zone)}`;
    case 'comparison': {
      const left = printAt(expression.left, VALUE);
      return `${left} ${expression.operator} ${printAt(expression.right, VALUE)}`;
    }
    case 'isNull':
      return words(printAt(expression.operand, VALUE), 'IS', expression.negated && 'NOT', 'NULL');
    case 'between':
      return words(
        printAt(expression.operand, VALUE),
        expression.negated && 'NOT',
        'BETWEEN',
        printAt(expression.lower, VALUE),
        'AND',
        printAt(expression.upper, VALUE),
      );
    case 'in':
      return words(
        printAt(expression.operand, VALUE),
        expression.negated && 'NOT',
        `IN (${printExpressions(expression.items)})`,
      );
    case 'like':
      return words(
        printAt(expression.operand, VALUE),
        expression.negated && 'NOT',
        'LIKE',
        printAt(expression.pattern, VALUE),
        expression.escape !== null && `ESCAPE ${printString(expression.escape)}`,
      );
    case 'not':
      return `NOT ${inner}`;
    case 'case':
      return words(
        'CASE',
        expression.operand !== null && printExpression(expression.operand),
        expression.branches
          .map((branch) => `WHEN ${printExpression(branch.when)} THEN ${printExpression(branch.result)}`)
          .join(' '),
        expression.otherwise !== null && `ELSE ${printExpression(expression.otherwise)}`,
        'END',
      );
    case 'cast':
      return `CAST(${printExpression(expression.operand)} AS ${printType(expression.type)})`;
    case 'array':
      return `ARRAY[${printExpressions(expression.items)}]`;
    case 'map': {
      const entries = expression.entries.map(
        ({ key, value }) => `${printExpression(key)} := ${printExpression(value)}`,
      );
      return `MAP(${entries.join(', ')})`;
    }
    case 'struct': {
      const fields = expression.fields.map(
        ({ name, value }) => `${printName(name)} := ${printExpression(value)}`,
      );
      return `STRUCT(${fields.join(', ')})`;
    }
  }
}

export function printType(type: ast.TypeExpression): string {
  switch (type.kind) {
    case 'primitiveType':
      return type.type.toUpperCase();
    case 'decimalType':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'arrayType':
      return `ARRAY<${printType(type.element)}>`;
    case 'mapType':
      return `MAP<${printType(type.key)}, ${printType(type.value)}>`;
    case 'structType': {
      const fields = type.fields.map(({ name, type: field }) => `${printName(name)} ${printType(field)}`);
      // `<>` alone would be a sign of comparison elsewhere; the grammar takes both.
      return `STRUCT<${fields.join(', ')}>`;
    }
    case 'namedType':
      // Quoted, so that a type that is called INT stays a named one.
      return quote(type.name, '`');
  }
}

export function printExpressions(expressions: readonly ast.Expression[]): string {
  return expressions.map(printExpression).join(', ');
}

function printDouble(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  // The exponent is what makes it a DOUBLE.
  return text.includes('e') ? text.toUpperCase() : `${text}E0`;
}

export function printString(value: string): string {
  return quote(value, "'");
}

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['DAYS', 86_400_000],
  ['HOURS', 3_600_000],
  ['MINUTES', 60_000],
  ['SECONDS', 1_000],
];

export function printDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms > 0 && ms % unitMs === 0) ?? ['MILLISECONDS', 1];
  return `${ms / size} ${unit}`;
}

/** The words that are there, with one space between. */
export function words(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(' ');
}
