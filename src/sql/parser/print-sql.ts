import type * as ast from './ast.ts';
import { printIdentifier, quote } from './names.ts';

/**
 * Prints AST nodes as SQL on one line, without a closing semicolon. Parsing what is printed gives the same tree
 * (but for spans); the text is canonical, so equal trees print equally.
 */

export function printStatement(statement: ast.Statement): string {
  switch (statement.kind) {
    case 'query':
      return printQuery(statement);
    case 'createSource':
      return words(
        'CREATE',
        statement.orReplace && 'OR REPLACE',
        statement.readOnly && 'SOURCE',
        sourceWord(statement.sourceKind),
        statement.ifNotExists && 'IF NOT EXISTS',
        printIdentifier(statement.name),
        printElements(statement.elements),
        printProperties(statement.properties),
      );
    case 'createSourceAs':
      return words(
        'CREATE',
        statement.orReplace && 'OR REPLACE',
        sourceWord(statement.sourceKind),
        statement.ifNotExists && 'IF NOT EXISTS',
        printIdentifier(statement.name),
        printProperties(statement.properties),
        'AS',
        printQuery(statement.query),
      );
    case 'alterSource': {
      const columns = statement.columns.map(
        (column) => `ADD COLUMN ${printIdentifier(column.name)} ${printType(column.type)}`,
      );
      const name = printIdentifier(statement.name);
      return words('ALTER', sourceWord(statement.sourceKind), name, columns.join(', '));
    }
    case 'dropSource':
      return words(
        'DROP',
        sourceWord(statement.sourceKind),
        statement.ifExists && 'IF EXISTS',
        printIdentifier(statement.name),
        statement.deleteTopic && 'DELETE TOPIC',
      );
    case 'insertSelect':
      return words(
        'INSERT INTO',
        printIdentifier(statement.target),
        printProperties(statement.properties),
        printQuery(statement.query),
      );
    case 'insertValues':
      return words(
        'INSERT INTO',
        printIdentifier(statement.target),
        printColumns(statement.columns),
        'VALUES',
        printValues(statement.values),
      );
    case 'createType':
      return words(
        'CREATE TYPE',
        statement.ifNotExists && 'IF NOT EXISTS',
        printIdentifier(statement.name),
        'AS',
        printType(statement.type),
      );
    case 'dropType':
      return words('DROP TYPE', statement.ifExists && 'IF EXISTS', printIdentifier(statement.name));
    case 'createFunction':
      return words(
        'CREATE',
        statement.orReplace && 'OR REPLACE',
        statement.aggregate && 'AGGREGATE',
        'FUNCTION',
        statement.ifNotExists && 'IF NOT EXISTS',
        printIdentifier(statement.name),
        `(${statement.parameters.map(({ name, type }) => `${quote(name, '`')} ${printType(type)}`).join(', ')})`,
        'RETURNS',
        printResult(statement.returns),
        statement.state !== null && `STATE ${printType(statement.state)}`,
        'LANGUAGE',
        printIdentifier(statement.language),
        statement.strict && 'STRICT',
        'AS',
        printBody(statement.body),
      );
    case 'dropFunction':
      return words('DROP FUNCTION', statement.ifExists && 'IF EXISTS', printIdentifier(statement.name));
    case 'createConnector':
      return words(
        'CREATE',
        statement.connectorKind.toUpperCase(),
        'CONNECTOR',
        statement.ifNotExists && 'IF NOT EXISTS',
        printIdentifier(statement.name),
        printProperties(statement.properties, printString),
      );
    case 'dropConnector':
      return words('DROP CONNECTOR', statement.ifExists && 'IF EXISTS', printIdentifier(statement.name));
    case 'describeConnector':
      return words('DESCRIBE CONNECTOR', printIdentifier(statement.name));
    case 'showConnectors':
      return words('SHOW', statement.scope !== 'all' && statement.scope.toUpperCase(), 'CONNECTORS');
    case 'showConnectorPlugins':
      return 'SHOW CONNECTOR PLUGINS';
    case 'showTopics':
      return words('SHOW', statement.all && 'ALL', 'TOPICS', statement.extended && 'EXTENDED');
    case 'showSources':
      return words('SHOW', `${sourceWord(statement.sourceKind)}S`, statement.extended && 'EXTENDED');
    case 'showFunctions':
      return 'SHOW FUNCTIONS';
    case 'showQueries':
      return words('SHOW QUERIES', statement.extended && 'EXTENDED');
    case 'showProperties':
      return 'SHOW PROPERTIES';
    case 'showTypes':
      return 'SHOW TYPES';
    case 'showVariables':
      return 'SHOW VARIABLES';
    case 'describeSource':
      return words('DESCRIBE', printIdentifier(statement.name), statement.extended && 'EXTENDED');
    case 'describeSources':
      return words('DESCRIBE', `${sourceWord(statement.sourceKind)}S`, statement.extended && 'EXTENDED');
    case 'describeFunction':
      return words('DESCRIBE FUNCTION', printIdentifier(statement.name));
    case 'explain':
      return statement.target.kind === 'statement'
        ? words('EXPLAIN', printStatement(statement.target.statement))
        : words('EXPLAIN', printIdentifier(statement.target.queryId));
    case 'printTopic':
      return words(
        'PRINT',
        printString(statement.topic),
        statement.fromBeginning && 'FROM BEGINNING',
        statement.interval !== null && `INTERVAL ${statement.interval}`,
        statement.limit !== null && `LIMIT ${statement.limit}`,
      );
    case 'terminate':
    case 'pause':
    case 'resume': {
      const { queryId } = statement;
      return words(statement.kind.toUpperCase(), queryId === null ? 'ALL' : printIdentifier(queryId));
    }
    case 'setProperty':
      return `SET ${printString(statement.name)} = ${printString(statement.value)}`;
    case 'unsetProperty':
      return `UNSET ${printString(statement.name)}`;
    case 'alterSystem':
      return `ALTER SYSTEM ${printString(statement.name)} = ${printString(statement.value)}`;
    case 'defineVariable':
      return `DEFINE ${printIdentifier(statement.name)} = ${printString(statement.value)}`;
    case 'undefineVariable':
      return `UNDEFINE ${printIdentifier(statement.name)}`;
    case 'assertTopic':
      return words(
        'ASSERT',
        !statement.exists && 'NOT EXISTS',
        'TOPIC',
        printString(statement.topic),
        printProperties(statement.properties),
        printTimeout(statement.timeoutMs),
      );
    case 'assertSchema':
      return words(
        'ASSERT',
        !statement.exists && 'NOT EXISTS',
        'SCHEMA',
        statement.subject !== null && `SUBJECT ${printString(statement.subject)}`,
        statement.id !== null && `ID ${statement.id}`,
        printTimeout(statement.timeoutMs),
      );
    case 'assertValues':
      return words(
        'ASSERT VALUES',
        printIdentifier(statement.source),
        printColumns(statement.columns),
        'VALUES',
        printValues(statement.values),
      );
    case 'assertTombstone':
      return words(
        'ASSERT NULL VALUES',
        printIdentifier(statement.source),
        printColumns(statement.columns),
        'KEY',
        printValues(statement.values),
      );
    case 'assertSource':
      return words(
        'ASSERT',
        sourceWord(statement.sourceKind),
        printIdentifier(statement.name),
        printElements(statement.elements),
        printProperties(statement.properties),
      );
    case 'runScript':
      return `RUN SCRIPT ${printString(statement.path)}`;
  }
}

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

export function printSelectItem(item: ast.SelectItem): string {
  switch (item.kind) {
    case 'selectAll':
      return item.source === null ? '*' : `${printIdentifier(item.source.name)}.*`;
    case 'selectFields':
      return `${printAt(item.base, PRIMARY)}->*`;
    case 'selectExpression': {
      const expression = printExpression(item.expression);
      return item.alias === null ? expression : `${expression} AS ${printIdentifier(item.alias.name)}`;
    }
  }
}

export function printRelation(relation: ast.Relation): string {
  if (relation.kind === 'source') {
    const name = printIdentifier(relation.name);
    return relation.alias === null ? name : `${name} AS ${printIdentifier(relation.alias.name)}`;
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

export function printWindow(window: ast.WindowExpression): string {
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

/** What is to be printed, and how tight it has to be. */
type Part = readonly [expression: ast.Expression, wanted: number];

/** What an operator begins with, or what a sign stands before. */
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
      const name = printIdentifier(expression.name);
      return expression.source === null ? name : `${printIdentifier(expression.source)}.${name}`;
    }
    case 'fieldAccess':
      return `${inner}->${printIdentifier(expression.field)}`;
    case 'subscript':
      return `${inner}[${printExpression(expression.index)}]`;
    case 'call': {
      const parameters = expression.star ? '*' : printExpressions(expression.arguments);
      return `${printIdentifier(expression.name)}(${parameters})`;
    }
    case 'lambda': {
      const parameters = expression.parameters.map((parameter) => printIdentifier(parameter.name));
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
        ({ name, value }) => `${printIdentifier(name)} := ${printExpression(value)}`,
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
      const fields = type.fields.map(
        ({ name, type: field }) => `${printIdentifier(name)} ${printType(field)}`,
      );
      // `<>` alone would be a sign of comparison elsewhere; the grammar takes both.
      return `STRUCT<${fields.join(', ')}>`;
    }
    case 'namedType':
      // Quoted, so that a type that is called INT stays a named one.
      return quote(type.name, '`');
  }
}

function printExpressions(expressions: readonly ast.Expression[]): string {
  return expressions.map(printExpression).join(', ');
}

function printDouble(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  // The exponent is what makes it a DOUBLE.
  return text.includes('e') ? text.toUpperCase() : `${text}E0`;
}

function printString(value: string): string {
  return quote(value, "'");
}

function printElements(elements: readonly ast.TableElement[]): string | false {
  if (elements.length === 0) return false;
  const printed = elements.map(({ name, type, constraint }) =>
    words(printIdentifier(name), printType(type), constraint !== null && printConstraint(constraint)),
  );
  return `(${printed.join(', ')})`;
}

function printConstraint(constraint: ast.ColumnConstraint): string {
  switch (constraint.kind) {
    case 'key':
      return 'KEY';
    case 'primaryKey':
      return 'PRIMARY KEY';
    case 'headers':
      return 'HEADERS';
    case 'header':
      return `HEADER(${printString(constraint.headerKey)})`;
  }
}

function printProperties(
  properties: readonly ast.WithProperty[],
  printName: (name: string) => string = printPropertyName,
): string | false {
  if (properties.length === 0) return false;
  const printed = properties.map(({ name, value }) => `${printName(name)} = ${printExpression(value)}`);
  return `WITH (${printed.join(', ')})`;
}

function printPropertyName(name: string): string {
  return /^[A-Z_][A-Z0-9_]*$/.test(name) ? printIdentifier(name) : printString(name);
}

function printColumns(columns: readonly ast.Identifier[]): string | false {
  return columns.length > 0 && `(${columns.map((column) => printIdentifier(column.name)).join(', ')})`;
}

function printValues(values: readonly ast.Expression[]): string {
  return `(${printExpressions(values)})`;
}

function printTimeout(timeoutMs: number | null): string | false {
  return timeoutMs !== null && `TIMEOUT ${printDuration(timeoutMs)}`;
}

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['DAYS', 86_400_000],
  ['HOURS', 3_600_000],
  ['MINUTES', 60_000],
  ['SECONDS', 1_000],
];

function printDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms > 0 && ms % unitMs === 0) ?? ['MILLISECONDS', 1];
  return `${ms / size} ${unit}`;
}

function sourceWord(kind: ast.SourceKind): string {
  return kind.toUpperCase();
}

/** The words that are there, with one space between. */
function words(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(' ');
}

function printResult(returns: ast.FunctionResult): string {
  if (returns.kind === 'value') return printType(returns.type);
  return `TABLE (${returns.columns.map(({ name, type }) => `${printIdentifier(name)} ${printType(type)}`).join(', ')})`;
}

/** Between dollars where nothing in it could be taken for their end. */
function printBody(body: string): string {
  return body.includes('$$') || body.endsWith('$') ? printString(body) : `$$${body}$$`;
}
