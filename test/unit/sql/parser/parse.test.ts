import { describe, expect, test } from 'vitest';
import { MAX_NESTING } from '../../../../grammar/limits.ts';
import { SqlError, renderSqlError } from '../../../../src/common/error.ts';
import type { Statement } from '../../../../src/sql/parser/ast.ts';
import { parseExpression, parseStatements, parseType } from '../../../../src/sql/parser/parse.ts';
import { splitStatements } from '../../../../src/sql/parser/split-statements.ts';
import { withoutSpans } from '../../../harness/arbitrary-ast.ts';

function one(text: string): Statement {
  const statements = parseStatements(text);
  expect(statements).toHaveLength(1);
  return statements[0]!.statement;
}

function errorOf(parse: () => unknown): SqlError {
  try {
    parse();
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

const syntaxErrorOf = (text: string): SqlError => errorOf(() => parseStatements(text));

test('a query keeps each clause, and tells pull from push', () => {
  const text =
    'select o.*, s->*, count(*) as n from orders o left outer join users as u within (1 minute, 2 hours) ' +
    'grace period 5 seconds on o.uid = u.id window hopping (size 1 day, advance by 1 hour, retention 7 days, ' +
    'grace period 0 seconds) where a > 1 and not b group by (x, y) partition by z having n > 2 emit final limit 3;';
  expect(withoutSpans(one(text))).toMatchObject({
    kind: 'query',
    select: [
      { kind: 'selectAll', source: { name: 'O' } },
      { kind: 'selectFields', base: { kind: 'column', name: 'S' } },
      {
        kind: 'selectExpression',
        expression: { kind: 'call', name: 'COUNT', star: true },
        alias: { name: 'N' },
      },
    ],
    from: {
      kind: 'join',
      joinType: 'left',
      left: { kind: 'source', name: 'ORDERS', alias: { name: 'O' } },
      right: { kind: 'source', name: 'USERS', alias: { name: 'U' } },
      within: { beforeMs: 60_000, afterMs: 7_200_000, graceMs: 5000 },
    },
    window: {
      kind: 'hopping',
      sizeMs: 86_400_000,
      advanceMs: 3_600_000,
      retentionMs: 604_800_000,
      graceMs: 0,
    },
    where: { kind: 'logical', operator: 'AND', right: { kind: 'not' } },
    groupBy: [{ name: 'X' }, { name: 'Y' }],
    partitionBy: [{ name: 'Z' }],
    having: { kind: 'comparison' },
    emit: 'final',
    limit: 3,
  });
  expect(one('SELECT a FROM b;')).toMatchObject({ emit: null, limit: null, window: null, groupBy: [] });
});

test('joins are left-deep and symmetric WITHIN fills both sides', () => {
  expect(
    withoutSpans(one('SELECT * FROM a JOIN b WITHIN 5 SECONDS ON a.x = b.x FULL JOIN c ON b.x = c.x;')),
  ).toMatchObject({
    from: {
      joinType: 'full',
      within: null,
      right: { name: 'C' },
      left: {
        joinType: 'inner',
        within: { beforeMs: 5000, afterMs: 5000, graceMs: null },
        right: { name: 'B' },
      },
    },
  });
});

test('words that are not reserved stay names where a clause could begin with them', () => {
  expect(one('SELECT emit, partition, key k FROM emit EMIT CHANGES;')).toMatchObject({
    from: { name: 'EMIT', alias: null },
    emit: 'changes',
  });
  expect(one('SELECT * FROM s partition PARTITION BY partition;')).toMatchObject({
    from: { alias: { name: 'PARTITION' } },
    partitionBy: [{ name: 'PARTITION' }],
  });
  expect(parseExpression('map[array[1]]')).toMatchObject({ kind: 'subscript', index: { kind: 'array' } });
  expect(parseExpression('array')).toMatchObject({ kind: 'column' });
  expect(one('ALTER STREAM s ADD COLUMN column INT, ADD column INT, ADD c INT ARRAY;')).toMatchObject({
    columns: [{ name: 'COLUMN' }, { name: 'COLUMN' }, { name: 'C', type: { kind: 'arrayType' } }],
  });
  expect(one('DESCRIBE function;')).toMatchObject({ kind: 'describeSource', name: 'FUNCTION' });
  expect(one('DESCRIBE FUNCTION abs;')).toMatchObject({ kind: 'describeFunction', name: 'ABS' });
  expect(one('DESCRIBE TABLES;')).toMatchObject({ kind: 'describeSources', sourceKind: 'table' });
  expect(one('DESCRIBE `TABLES`;')).toMatchObject({ kind: 'describeSource', name: 'TABLES' });
});

test('names are upper case unless quoted, and those of topics keep their case', () => {
  expect(parseExpression('a."b""c"')).toMatchObject({ source: 'A', name: 'b"c' });
  expect(parseExpression('`a``b`')).toMatchObject({ name: 'a`b' });
  expect(one('PRINT myTopic FROM BEGINNING INTERVAL 2 LIMIT 5;')).toMatchObject({
    topic: 'myTopic',
    fromBeginning: true,
    interval: 2,
    limit: 5,
  });
  expect(one('TERMINATE ctas_x_1;')).toMatchObject({ kind: 'terminate', queryId: 'CTAS_X_1' });
  expect(one("CREATE SINK CONNECTOR c WITH ('tasks.max'=1);")).toMatchObject({
    connectorKind: 'sink',
    properties: [{ name: 'tasks.max' }],
  });
  expect(one("CREATE STREAM s WITH ('kafka_topic'='t', Value_Format='JSON');")).toMatchObject({
    properties: [{ name: 'KAFKA_TOPIC' }, { name: 'VALUE_FORMAT' }],
  });
});

test('declarations keep types, constraints and options', () => {
  const text =
    "CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS t (k STRING PRIMARY KEY, a DECIMAL(4,2), h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS, v my_type, x BYTES HEADER('x')) WITH (kafka_topic='t', partitions=-1);";
  expect(withoutSpans(one(text))).toMatchObject({
    kind: 'createSource',
    sourceKind: 'table',
    orReplace: true,
    readOnly: true,
    ifNotExists: true,
    elements: [
      { name: 'K', constraint: { kind: 'primaryKey' }, type: { kind: 'primitiveType', type: 'string' } },
      { name: 'A', constraint: null, type: { kind: 'decimalType', precision: 4, scale: 2 } },
      { constraint: { kind: 'headers' }, type: { kind: 'arrayType', element: { kind: 'structType' } } },
      { type: { kind: 'namedType', name: 'MY_TYPE' } },
      { constraint: { kind: 'header', headerKey: 'x' } },
    ],
    properties: [{ name: 'KAFKA_TOPIC' }, { name: 'PARTITIONS', value: { kind: 'integer', value: -1 } }],
  });
  expect(parseType('VARCHAR(STRING)')).toMatchObject({ type: 'string' });
  expect(() => parseType('VARCHAR(KEY)')).toThrow('KEY is no parameter of a type');
  expect(parseType('`INT`')).toMatchObject({ kind: 'namedType', name: 'INT' });
});

test('whole numbers take the type they fit', () => {
  expect(parseExpression('2147483647')).toMatchObject({ kind: 'integer', value: 2147483647 });
  expect(parseExpression('2147483648')).toMatchObject({ kind: 'bigint', value: 2147483648 });
  expect(parseExpression('-2147483648')).toMatchObject({ kind: 'integer', value: -2147483648 });
  expect(parseExpression('9223372036854775807')).toMatchObject({
    kind: 'bigint',
    value: 9223372036854775807n,
  });
  expect(parseExpression('-9223372036854775808')).toMatchObject({ value: -9223372036854775808n });
  expect(parseExpression('9007199254740991')).toMatchObject({ value: 9007199254740991 });
  expect(Object.is((parseExpression('-0') as { value: number }).value, 0)).toBe(true);
  expect(errorOf(() => parseExpression('9223372036854775808')).code).toBe('ML_SYNTAX');
  expect(parseExpression('00000000000000000000000000000007')).toMatchObject({ kind: 'integer', value: 7 });
  for (const digits of ['9'.repeat(20), '9'.repeat(1_000_000)]) {
    const error = errorOf(() => parseExpression(digits));
    expect(error.span).toEqual({ start: 0, end: digits.length });
    expect(error.message.length).toBeLessThan(100);
  }
  expect(errorOf(() => parseExpression('1e999')).span).toEqual({ start: 0, end: 5 });
});

test('operators bind as the language says', () => {
  expect(parseExpression('a || b + c * d')).toMatchObject({
    kind: 'concatenation',
    right: { operator: '+', right: { operator: '*' } },
  });
  expect(parseExpression('a - b - c')).toMatchObject({ left: { kind: 'arithmetic' }, right: { name: 'C' } });
  expect(parseExpression('NOT a = b AND c OR d')).toMatchObject({
    operator: 'OR',
    left: { operator: 'AND', left: { kind: 'not', operand: { kind: 'comparison' } } },
  });
  expect(parseExpression('-a->b[1]')).toMatchObject({ kind: 'unary', operand: { kind: 'subscript' } });
  expect(parseExpression("-a AT TIME ZONE 'UTC'")).toMatchObject({
    kind: 'unary',
    operand: { kind: 'atTimeZone' },
  });
  expect(parseExpression('a BETWEEN 1 AND 2 AND c')).toMatchObject({ operator: 'AND' });
  expect(errorOf(() => parseExpression('a = b = c')).span).toEqual({ start: 6, end: 7 });
});

test('lambdas are told from parentheses', () => {
  expect(parseExpression('f((a), (x, y) => x + y, z => (z))')).toMatchObject({
    arguments: [
      { kind: 'column' },
      { kind: 'lambda', parameters: [{ name: 'X' }, { name: 'Y' }] },
      { kind: 'lambda' },
    ],
  });
});

test('spans cover what was written, parentheses included, and count from the statement', () => {
  const text = "SHOW TYPES;\n  SELECT (a + b) * c FROM s WHERE d = 'x';";
  const [, second] = parseStatements(text);
  expect(second).toMatchObject({ start: 14, text: text.slice(14), resolvedText: text.slice(14) });
  const query = second!.statement as Extract<Statement, { kind: 'query' }>;
  const slice = ({ start, end }: { start: number; end: number }): string => second!.text.slice(start, end);
  expect(slice(query.select[0]!.span)).toBe('(a + b) * c');
  expect(slice(query.where!.span)).toBe("d = 'x'");
  expect(slice(query.from.span)).toBe('s');
  expect(slice(query.span)).toBe(second!.text.slice(0, -1));
});

test('comments, empty statements and directives are passed over', () => {
  const text = '--@test: x\n;; /* a; */ SHOW -- b;\n TYPES;;';
  expect(parseStatements(text).map(({ statement }) => statement.kind)).toEqual(['showTypes']);
});

test('EXPLAIN takes a query id or a whole statement', () => {
  expect(one('EXPLAIN csas_x_1;')).toMatchObject({ target: { kind: 'queryId', queryId: 'CSAS_X_1' } });
  expect(one('EXPLAIN show;')).toMatchObject({ target: { kind: 'queryId' } });
  expect(one('EXPLAIN CREATE STREAM a AS SELECT * FROM b;')).toMatchObject({
    target: { kind: 'statement', statement: { kind: 'createSourceAs' } },
  });
});

// ------------------------------------------------------------------------------------------------------ errors

test('an error is shown with its place, what was found and what was expected', () => {
  const text = 'SHOW TYPES;\nSELECT a FROM b\n  WEHRE a = 1;';
  expect(renderSqlError(syntaxErrorOf(text), text)).toBe(
    [
      "ML_SYNTAX: found 'a' where WINDOW, WHERE, GROUP BY, PARTITION BY, HAVING, EMIT CHANGES, LIMIT or ';' is expected (line 3, column 9)",
      '    WEHRE a = 1;',
      '          ^',
      'hint: did you mean WHERE?',
    ].join('\n'),
  );
});

test.each([
  ['SELCT a FROM b;', 'SELCT', /where a statement is expected/, /did you mean SELECT\?/],
  ['SELECT a FORM b;', 'b', /where .*FROM is expected/, /did you mean FROM\?/],
  ['CREATE STRAEM x;', 'STRAEM', /STREAM or TABLE/, /did you mean STREAM\?/],
  ['SELECT a FROM b EMIT CHANGE;', 'CHANGE', /CHANGES/, /did you mean CHANGES\?/],
  ['SELECT a FROM group;', 'group', /a name is expected/, /GROUP is a reserved word.*`group`/],
  ['SELECT from, a FROM b;', 'from', /an expression/, /FROM is a reserved word/],
  ['SELECT a FROM b GROUP BY a WHERE c;', 'WHERE', /HAVING/, /WHERE belongs before GROUP BY/],
  ['SELECT a FROM b ORDER BY a;', 'ORDER', /has no meaning here/, /TOPK.*LIMIT/],
  ['SELECT DISTINCT a FROM b;', 'DISTINCT', /an expression/, /GROUP BY/],
  ['SELECT a FROM b', '', /the text ends where .*';' is expected/, /end every statement with ;/],
  ["SELECT 'a FROM b;", "'", /no closing quote/, /close it/],
  ['SELECT `a FROM b;', '`', /no closing quote/, /close it/],
  ['SELECT a /* FROM b;', '/', /no end/, /\*\//],
  ['SELECT a § b;', '§', /§/, /quote it/],
  ['SELECT “a” FROM b;', '“', /“/, /straight quotes/],
  ['SELECT a FROM b WINDOW TUMBLING (SIZE 1 WEEK);', 'WEEK', /a unit of time/, /DAYS/],
  ['SELECT a FROM b LIMIT x;', 'x', /a whole number/, /whole number/],
  ['SELECT a FROM (SELECT b FROM c);', 'SELECT', /has no meaning here/, /give the inner query a name/],
  ['SELECT a FROM b, c;', ',', /expected/, /JOIN … ON/],
  ['SELECT a, FROM b;', 'FROM', /an expression/, /remove the comma/],
  ['CREATE STREAM a (b INT,);', ')', /a name/, /remove the comma/],
  ['SELECT a FROM b WHERE c == 1;', '=', /an expression/, /single =/],
  ['INSERT INTO a VALUES (1), (2);', ',', /';'/, /an INSERT for each row/],
  ["SET a = 'b';", 'a', /a string/, /between single quotes/],
  ['SHOW STREMS;', 'STREMS', /STREAMS/, /did you mean STREAMS\?/],
  ['SET "a" = \'b\';', '"a"', /a string/, /single quotes/],
  ['CREATE STREAM a (b INT) AS SELECT * FROM c;', '(b INT)', /cannot be listed/, /leave the list out/],
  ['CREATE SOURCE STREAM a AS SELECT * FROM c;', 'SOURCE', /no query/, /leave SOURCE out/],
  ['CREATE OR REPLACE TYPE a AS INT;', 'OR REPLACE', /only for streams, tables and functions/, /drop/],
  ['SELECT a + b->* FROM c;', '->*', /struct/, /parentheses/],
  ["SELECT DATE '2020-01-01' FROM c;", 'DATE', /literal/, /PARSE_DATE/],
  ['CREATE STREAM a (b DECIMAL);', 'DECIMAL', /precision/, /DECIMAL\(10, 2\)/],
])('%s', (text, at, message, hint) => {
  const error = syntaxErrorOf(text);
  expect(error.code).toBe('ML_SYNTAX');
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/\.$/);
  expect(error.hint).toMatch(hint);
  expect(text.slice(error.span!.start, error.span!.end)).toBe(at);
});

test('spans of errors count from the start of the whole text', () => {
  const text = 'SHOW TYPES; CREATE STREAM a (b DECIMAL);';
  const { span } = syntaxErrorOf(text);
  expect(text.slice(span!.start, span!.end)).toBe('DECIMAL');
});

test.for([
  ['(', '1', ')'],
  ['f(', '1', ')'],
  ['f(x => ', '1', ')'],
  ['ARRAY[', '1', ']'],
  ['a[', '1', ']'],
  ['MAP(1 := ', '1', ')'],
  ['STRUCT(a := ', '1', ')'],
  ['NOT (', 'b', ')'],
  ['a IN (', '1', ')'],
  ['CASE WHEN b THEN ', '1', ' END'],
  ['CASE ', '1', ' WHEN 1 THEN 1 END'],
  ['CAST(', '1', ' AS INT)'],
  ['CAST(1 AS ', 'INT', ')', 'ARRAY<', '>'],
  ['CAST(1 AS ', 'INT', ')', 'MAP<STRING, ', '>'],
  ['CAST(1 AS ', 'INT', ')', 'STRUCT<a ', '>'],
  ['CAST(1 AS ', 'INT', ')', '', ' ARRAY'],
] as const)(
  'what is nested is read to a depth, and refused with its place behind it: %s',
  ([open, inner, close, openType, closeType]) => {
    const nested = (depth: number): string =>
      openType === undefined
        ? `${open.repeat(depth)}${inner}${close.repeat(depth)}`
        : `${open}${openType.repeat(depth)}${inner}${closeType.repeat(depth)}${close}`;
    expect(parseExpression(nested(45)).kind).toBeDefined();
    for (const depth of [MAX_NESTING + 1, 20_000]) {
      const text = `SELECT a,\n ${nested(depth)} FROM s;`;
      const error = syntaxErrorOf(text);
      expect(error.code).toBe('ML_LIMIT');
      expect(error.message).toMatch(/nested too deeply: 100 levels are read/);
      expect(renderSqlError(error, text)).toMatch(/\(line 2, column \d+\)\n {2}.*\n {2} *\^+\nhint: /);
      expect(one('SHOW TYPES;').kind).toBe('showTypes');
    }
  },
);

test('a hundred levels are read, and EXPLAIN is one too', () => {
  expect(parseExpression(`${'('.repeat(100)}1${')'.repeat(100)}`)).toMatchObject({ kind: 'integer' });
  expect(syntaxErrorOf(`${'EXPLAIN '.repeat(100_000)}SHOW TYPES;`).code).toBe('ML_LIMIT');
});

test('types nest no deeper by having both an end and a beginning', () => {
  const type = `${'ARRAY<'.repeat(60)}INT${' ARRAY'.repeat(60)}${'>'.repeat(60)}`;
  expect(errorOf(() => parseType(type))).toMatchObject({ code: 'ML_LIMIT' });
});

test.for([
  ['a call has at most 1000 arguments', `SELECT CONCAT(${"'a', ".repeat(100_000)}'a') FROM s;`],
  ['FROM has at most 64 sources', `SELECT * FROM s ${'JOIN t ON a = b '.repeat(1_000)};`],
  ['a DECIMAL has at most 1000 digits, and this has 100100', `SELECT 1.${'1'.repeat(100_099)} FROM s;`],
  [
    'a DECIMAL has at most 1000 digits, and this has 100100',
    `SELECT DECIMAL '${'1'.repeat(100_100)}' FROM s;`,
  ],
  ['a DECIMAL has at most 1000 digits, and this has 1001', "SELECT DECIMAL '1e1000' FROM s;"],
] as const)('%s', ([message, text]) => {
  const error = syntaxErrorOf(text);
  expect(error).toMatchObject({ code: 'ML_LIMIT', message });
  expect(error.span).toBeDefined();
});

test.for([
  ['1'.repeat(100_000), /too large for a BIGINT/],
  ['1e999999999', /too large for a DOUBLE/],
  ['-1e999999999', /too large for a DOUBLE/],
  ["DECIMAL '1e999999999'", /is not a decimal number/],
] as const)('a number that no type can hold is refused with its place: %s', ([number, message]) => {
  const error = syntaxErrorOf(`SELECT ${number} FROM s;`);
  expect(error.message).toMatch(message);
  expect(error.message.length).toBeLessThan(200);
  expect(error.span!.end).toBeLessThanOrEqual(7 + number.length);
});

test.for([
  '99999999999999999999 DAYS',
  '9007199254740991 DAYS',
  '1000001 DAYS',
  '86400000000000001 MILLISECONDS',
])('a span of time that could not be added to a timestamp is refused: %s', (duration) => {
  for (const clause of [
    `TUMBLING (SIZE ${duration})`,
    `HOPPING (SIZE 1 DAYS, ADVANCE BY ${duration})`,
    `SESSION (${duration})`,
    `TUMBLING (SIZE 1 DAYS, RETENTION ${duration})`,
    `TUMBLING (SIZE 1 DAYS, GRACE PERIOD ${duration})`,
  ])
    expect(syntaxErrorOf(`SELECT * FROM s WINDOW ${clause} GROUP BY a;`).message).toMatch(/too (long|large)/);
});

test('a chain of thirty thousand operators is no nesting', () => {
  for (const operator of ['+', '||', 'AND'])
    expect(
      parseExpression(Array.from({ length: 30_000 }, () => 'a').join(` ${operator} `)).kind,
    ).toBeDefined();
  for (const [prefix, suffix] of [
    ['NOT ', ''],
    ['- ', ''],
    ['+ ', ''],
    ['', '[1]'],
    ['', '->b'],
  ] as const) {
    const text = `${prefix.repeat(30_000)}a${suffix.repeat(30_000)}`;
    expect(parseExpression(text).kind).toBeDefined();
  }
});

// --------------------------------------------------------------------------------------------------- variables

const resolved = (text: string, variables: Record<string, string>): string[] =>
  parseStatements(text, new Map(Object.entries(variables))).map(({ resolvedText }) => resolvedText);

test('variables stand for names, literals and text inside quotes', () => {
  const text =
    "CREATE STREAM ${Name} (id INT, `x ${c}` STRING) WITH (kafka_topic='${topic}-1', partitions=${n}, wrap_single_value=${b});";
  const variables = { NAME: 'orders', c: 'y', topic: 't', n: '4', b: 'true' };
  const [parsed] = parseStatements(text, new Map(Object.entries(variables)));
  expect(parsed!.statement).toMatchObject({
    name: 'ORDERS',
    elements: [{}, { name: 'x y' }],
    properties: [
      { value: { value: 't-1' } },
      { value: { kind: 'integer', value: 4 } },
      { value: { kind: 'boolean', value: true } },
    ],
  });
  expect(parsed!.text).toBe(text);
  expect(parsed!.resolvedText).toBe(
    "CREATE STREAM orders (id INT, `x y` STRING) WITH (kafka_topic='t-1', partitions=4, wrap_single_value=true);",
  );
  expect(parseStatements(parsed!.resolvedText).map(({ statement }) => withoutSpans(statement))).toEqual([
    withoutSpans(parsed!.statement),
  ]);
});

test('DEFINE and UNDEFINE hold for the statements after them', () => {
  const text =
    "DEFINE a = 's1'; DEFINE b = '''x'''; SELECT * FROM ${a} WHERE c = ${B}; UNDEFINE a; PRINT ${a};";
  const error = errorOf(() => parseStatements(text));
  expect(error).toMatchObject({ code: 'ML_NAME_UNKNOWN', message: 'variable a is not defined' });
  expect(text.slice(error.span!.start)).toBe('${a};');
  expect(resolved(text.slice(0, text.indexOf('UNDEFINE')), {})[2]).toBe("SELECT * FROM s1 WHERE c = 'x';");
});

test('a value never becomes more than the token it stands for', () => {
  const attacks = [
    "x' OR 'a' = 'a",
    "'; DROP STREAM s; --",
    'a, b',
    'a -- ',
    '1 OR TRUE',
    '${b}',
    '`',
    "''x",
    '',
  ];
  for (const attack of attacks) {
    const [inside, ...none] = parseStatements("SELECT * FROM s WHERE c = '${v}';", new Map([['v', attack]]));
    expect(none).toEqual([]);
    expect(inside!.statement).toMatchObject({ where: { right: { kind: 'string', value: attack } } });
    expect(withoutSpans(parseStatements(inside!.resolvedText)[0]!.statement)).toEqual(
      withoutSpans(inside!.statement),
    );
    const alone = errorOf(() => parseStatements('SELECT * FROM s WHERE c = ${v};', new Map([['v', attack]])));
    expect(alone.code, attack).toBe('ML_SYNTAX');
  }
});

describe('a text grows by its variables only so far', () => {
  const wide = 'x'.repeat(1000);
  test.each([
    [
      'values of values',
      `DEFINE a0 = '${wide}'; ${Array.from({ length: 40 }, (_, i) => `DEFINE a${i + 1} = '\${a${i}}\${a${i}}';`).join(' ')}`,
    ],
    ['one often', `DEFINE a = '${wide}'; SELECT '${'${a}'.repeat(5000)}' FROM s;`],
    ['one often, alone', `DEFINE a = '''${wide}'''; SELECT ${'${a},'.repeat(5000)}1 FROM s;`],
    ['statement by statement', `DEFINE a = '${wide}'; ${`DEFINE b = '\${a}';`.repeat(5000)}`],
  ])('%s', (_name, text) => {
    expect(errorOf(() => parseStatements(text))).toMatchObject({
      code: 'ML_LIMIT',
      message: 'variables make this more than 4194304 characters longer',
    });
  });
});

test.each([
  ["'$${v}'", '${v}'],
  ["'$${ none }'", '${ none }'],
  ["'a$$${v}b'", 'a$${v}b'],
  ["'$${v}${v}'", '${v}$${none}'],
  ["'${v}'", '$${none}'],
  ["'$$'", '$$'],
  ['`$${v}`', '${v}'],
  ['${lone}', '${v}'],
])('%s is the text %s, also when what was resolved is read again', (written, meant) => {
  const variables = new Map([
    ['v', '$${none}'],
    ['lone', "'${v}'"],
  ]);
  const [parsed] = parseStatements(`SELECT 1 AS X FROM s WHERE ${written} = 1;`, variables);
  const side = { left: written.startsWith('`') ? { name: meant } : { value: meant } };
  expect(parsed!.statement).toMatchObject({ where: side });
  expect(parseStatements(parsed!.resolvedText, variables)[0]!.statement).toMatchObject({ where: side });
});

test('where a literal is wanted a variable cannot name a column, and elsewhere it can', () => {
  const variables = new Map([['v', 'c']]);
  const error = errorOf(() => parseStatements('SELECT * FROM s WHERE c = ${v};', variables));
  expect(error.message).toMatch(/must hold a literal/);
  expect(parseStatements('SELECT ${v}, s.${v} AS ${v} FROM s GROUP BY ${v};', variables)).toHaveLength(1);
  expect(parseStatements('SELECT * FROM s WHERE ${v}(1) = s.${v};', variables)).toHaveLength(1);
});

test('a substituted keyword is a name, and a substituted minus begins no comment', () => {
  expect(parseStatements('DESCRIBE ${v};', new Map([['v', 'tables']]))[0]!.statement).toMatchObject({
    kind: 'describeSource',
    name: 'TABLES',
  });
  const [minus] = parseStatements('SELECT a -${v} FROM s;', new Map([['v', '-5']]));
  expect(minus!.resolvedText).toBe('SELECT a - -5 FROM s;');
});

describe('texts between dollars', () => {
  const bodyOf = (as: string): string => {
    const text = `CREATE FUNCTION f(theArg INT) RETURNS INT LANGUAGE JAVASCRIPT AS ${as}; SHOW STREAMS;`;
    const statements = parseStatements(text, new Map([['X', '1']]));
    expect(statements).toHaveLength(2);
    const { statement } = statements[0]!;
    if (statement.kind !== 'createFunction') throw new Error(statement.kind);
    expect(statement.parameters[0]!.name).toBe('theArg');
    expect(splitStatements(text).complete).toHaveLength(2);
    return statement.body;
  };

  test('stand as they are: quotes, semicolons, comments and variables in them mean nothing', () => {
    const body = " 'it;' -- no\n/* ` ${x} \" $ */ ";
    expect(bodyOf(`$$${body}$$`)).toBe(body);
    expect(bodyOf(`$js$ a $$ b $other$ $js$`)).toBe(' a $$ b $other$ ');
    expect(bodyOf('$$$$')).toBe('');
    expect(bodyOf("'return ''a'';'")).toBe("return 'a';");
  });

  test('that have no end are named where they begin', () => {
    expect(
      syntaxErrorOf('CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $$ return 1;'),
    ).toMatchObject({
      code: 'ML_SYNTAX',
      message: 'the text that begins here has no end',
      span: { start: 55, end: 56 },
    });
    expect(splitStatements('SHOW STREAMS; CREATE FUNCTION f AS $a$ ; $$ ;').complete).toHaveLength(1);
  });
});
