import type * as ast from './ast.ts';
import { printName, quote } from './names.ts';
import {
  printDuration,
  printExpression,
  printExpressions,
  printQuery,
  printString,
  printType,
  words,
} from './print-sql.ts';

/** Prints a statement as SQL on one line: see `print-sql.ts`, which prints queries and what they are made of. */
export function printStatement(statement: ast.Statement): string {
  return print(statement.kind, statement);
}

function print<K extends ast.StatementKind>(kind: K, statement: ast.Statement): string {
  return PRINTERS[kind](statement as ast.StatementOf<K>);
}

/** A kind that is missing does not compile. */
const PRINTERS: { readonly [K in ast.StatementKind]: (statement: ast.StatementOf<K>) => string } = {
  query: printQuery,
  createSource: (statement) =>
    words(
      'CREATE',
      statement.orReplace && 'OR REPLACE',
      statement.readOnly && 'SOURCE',
      sourceWord(statement.sourceKind),
      statement.ifNotExists && 'IF NOT EXISTS',
      printName(statement.name),
      printElements(statement.elements),
      printProperties(statement.properties),
    ),
  createSourceAs: (statement) =>
    words(
      'CREATE',
      statement.orReplace && 'OR REPLACE',
      sourceWord(statement.sourceKind),
      statement.ifNotExists && 'IF NOT EXISTS',
      printName(statement.name),
      printProperties(statement.properties),
      'AS',
      printQuery(statement.query),
    ),
  alterSource: (statement) => {
    const columns = statement.columns.map(
      (column) => `ADD COLUMN ${printName(column.name)} ${printType(column.type)}`,
    );
    const name = printName(statement.name);
    return words('ALTER', sourceWord(statement.sourceKind), name, columns.join(', '));
  },
  dropSource: (statement) =>
    words(
      'DROP',
      sourceWord(statement.sourceKind),
      statement.ifExists && 'IF EXISTS',
      printName(statement.name),
      statement.deleteTopic && 'DELETE TOPIC',
    ),
  insertSelect: (statement) =>
    words(
      'INSERT INTO',
      printName(statement.target),
      printProperties(statement.properties),
      printQuery(statement.query),
    ),
  insertValues: (statement) =>
    words(
      'INSERT INTO',
      printName(statement.target),
      printColumns(statement.columns),
      'VALUES',
      printValues(statement.values),
    ),
  createType: (statement) =>
    words(
      'CREATE TYPE',
      statement.ifNotExists && 'IF NOT EXISTS',
      printName(statement.name),
      'AS',
      printType(statement.type),
    ),
  dropType: (statement) => words('DROP TYPE', statement.ifExists && 'IF EXISTS', printName(statement.name)),
  createFunction: (statement) =>
    words(
      'CREATE',
      statement.orReplace && 'OR REPLACE',
      statement.aggregate && 'AGGREGATE',
      'FUNCTION',
      statement.ifNotExists && 'IF NOT EXISTS',
      printName(statement.name),
      `(${statement.parameters.map(({ name, type }) => `${quote(name, '`')} ${printType(type)}`).join(', ')})`,
      'RETURNS',
      printResult(statement.returns),
      statement.state !== null && `STATE ${printType(statement.state)}`,
      'LANGUAGE',
      printName(statement.language),
      statement.strict && 'STRICT',
      'AS',
      printBody(statement.body),
    ),
  dropFunction: (statement) =>
    words('DROP FUNCTION', statement.ifExists && 'IF EXISTS', printName(statement.name)),
  createConnector: (statement) =>
    words(
      'CREATE',
      statement.connectorKind.toUpperCase(),
      'CONNECTOR',
      statement.ifNotExists && 'IF NOT EXISTS',
      printName(statement.name),
      printProperties(statement.properties, printString),
    ),
  dropConnector: (statement) =>
    words('DROP CONNECTOR', statement.ifExists && 'IF EXISTS', printName(statement.name)),
  describeConnector: (statement) => words('DESCRIBE CONNECTOR', printName(statement.name)),
  showConnectors: (statement) =>
    words('SHOW', statement.scope !== 'all' && statement.scope.toUpperCase(), 'CONNECTORS'),
  showConnectorPlugins: () => 'SHOW CONNECTOR PLUGINS',
  showTopics: (statement) =>
    words('SHOW', statement.all && 'ALL', 'TOPICS', statement.extended && 'EXTENDED'),
  showSources: (statement) =>
    words('SHOW', `${sourceWord(statement.sourceKind)}S`, statement.extended && 'EXTENDED'),
  showFunctions: () => 'SHOW FUNCTIONS',
  showQueries: (statement) => words('SHOW QUERIES', statement.extended && 'EXTENDED'),
  showProperties: () => 'SHOW PROPERTIES',
  showTypes: () => 'SHOW TYPES',
  showVariables: () => 'SHOW VARIABLES',
  describeSource: (statement) =>
    words('DESCRIBE', printName(statement.name), statement.extended && 'EXTENDED'),
  describeSources: (statement) =>
    words('DESCRIBE', `${sourceWord(statement.sourceKind)}S`, statement.extended && 'EXTENDED'),
  describeFunction: (statement) => words('DESCRIBE FUNCTION', printName(statement.name)),
  explain: (statement) =>
    statement.target.kind === 'statement'
      ? words('EXPLAIN', printStatement(statement.target.statement))
      : words('EXPLAIN', printName(statement.target.queryId)),
  printTopic: (statement) =>
    words(
      'PRINT',
      printString(statement.topic),
      statement.fromBeginning && 'FROM BEGINNING',
      statement.interval !== null && `INTERVAL ${statement.interval}`,
      statement.limit !== null && `LIMIT ${statement.limit}`,
    ),
  terminate: printControl,
  pause: printControl,
  resume: printControl,
  setProperty: (statement) => `SET ${printString(statement.name)} = ${printString(statement.value)}`,
  unsetProperty: (statement) => `UNSET ${printString(statement.name)}`,
  alterSystem: (statement) => `ALTER SYSTEM ${printString(statement.name)} = ${printString(statement.value)}`,
  defineVariable: (statement) => `DEFINE ${printName(statement.name)} = ${printString(statement.value)}`,
  undefineVariable: (statement) => `UNDEFINE ${printName(statement.name)}`,
  assertTopic: (statement) =>
    words(
      'ASSERT',
      !statement.exists && 'NOT EXISTS',
      'TOPIC',
      printString(statement.topic),
      printProperties(statement.properties),
      printTimeout(statement.timeoutMs),
    ),
  assertSchema: (statement) =>
    words(
      'ASSERT',
      !statement.exists && 'NOT EXISTS',
      'SCHEMA',
      statement.subject !== null && `SUBJECT ${printString(statement.subject)}`,
      statement.id !== null && `ID ${statement.id}`,
      printTimeout(statement.timeoutMs),
    ),
  assertValues: (statement) =>
    words(
      'ASSERT VALUES',
      printName(statement.source),
      printColumns(statement.columns),
      'VALUES',
      printValues(statement.values),
    ),
  assertTombstone: (statement) =>
    words(
      'ASSERT NULL VALUES',
      printName(statement.source),
      printColumns(statement.columns),
      'KEY',
      printValues(statement.values),
    ),
  assertSource: (statement) =>
    words(
      'ASSERT',
      sourceWord(statement.sourceKind),
      printName(statement.name),
      printElements(statement.elements),
      printProperties(statement.properties),
    ),
  runScript: (statement) => `RUN SCRIPT ${printString(statement.path)}`,
};

function printControl({ kind, queryId }: ast.StatementOf<'terminate' | 'pause' | 'resume'>): string {
  return words(kind.toUpperCase(), queryId === null ? 'ALL' : printName(queryId));
}

function printElements(elements: readonly ast.TableElement[]): string | false {
  if (elements.length === 0) return false;
  const printed = elements.map(({ name, type, constraint }) =>
    words(printName(name), printType(type), constraint !== null && printConstraint(constraint)),
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
  return /^[A-Z_][A-Z0-9_]*$/.test(name) ? printName(name) : printString(name);
}

function printColumns(columns: readonly ast.Identifier[]): string | false {
  return columns.length > 0 && `(${columns.map((column) => printName(column.name)).join(', ')})`;
}

function printValues(values: readonly ast.Expression[]): string {
  return `(${printExpressions(values)})`;
}

function printTimeout(timeoutMs: number | null): string | false {
  return timeoutMs !== null && `TIMEOUT ${printDuration(timeoutMs)}`;
}

function sourceWord(kind: ast.SourceKind): string {
  return kind.toUpperCase();
}

function printResult(returns: ast.FunctionResult): string {
  if (returns.kind === 'value') return printType(returns.type);
  return `TABLE (${returns.columns.map(({ name, type }) => `${printName(name)} ${printType(type)}`).join(', ')})`;
}

/** Between dollars where nothing in it could be taken for their end. */
function printBody(body: string): string {
  return body.includes('$$') || body.endsWith('$') ? printString(body) : `$$${body}$$`;
}
