import { describe, expect, test } from 'vitest';
import { SqlError } from '../../../../src/common/error.ts';
import {
  type Elsewhere,
  ELSEWHERE_FUNCTIONS,
  ELSEWHERE_TYPES,
  ELSEWHERE_WORDS,
  CLEANUP,
  NO_GROUPS,
  NO_SOURCE,
  NO_TOPIC,
  TABLE_KEY,
  TIME_LITERAL,
} from '../../../../src/sql/parser/elsewhere.ts';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { analyze } from '../analyzer/analyze.ts';

const SOURCES = `
  CREATE STREAM ORDERS (ID INT KEY, ITEM STRING, AMOUNT BIGINT, MOMENT TIMESTAMP, TAGS ARRAY<STRING>)
    WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');
  CREATE STREAM VISITS (ID INT KEY, ITEM STRING) WITH (KAFKA_TOPIC='visits', VALUE_FORMAT='JSON');
  CREATE TABLE USERS (UID INT PRIMARY KEY, NAME STRING, AGE INT) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
`;

/** The error of a statement: the text that it points at, and the hint. */
function mistake(sql: string): { at: string; hint: string; message: string } {
  try {
    analyze(SOURCES + sql);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { span, hint, message } = error;
    // The span is in the text of the statement for what is analyzed, in the whole for what is not even read.
    const text = error.code === 'ML_SYNTAX' ? SOURCES + sql : sql;
    return { at: span === undefined ? '' : text.slice(span.start, span.end), hint: hint ?? '', message };
  }
  throw new Error(`no error in ${sql}`);
}

/** Names of types and formats in plain sentences. */
const NO_WORDS: ReadonlySet<string> = new Set(['BOOLEAN', 'TIMESTAMP']);

describe('what a hint says works', () => {
  const entries: readonly (readonly [string, Elsewhere])[] = [
    ...ELSEWHERE_WORDS.map((each) => [each.words, each] as const),
    ...ELSEWHERE_FUNCTIONS,
    ...Object.entries({ NO_SOURCE, TIME_LITERAL, TABLE_KEY, CLEANUP, NO_GROUPS, NO_TOPIC }),
  ];

  test('its statements are taken', () => {
    const refused = new Set<string>();
    for (const works of new Set(entries.map(([, each]) => each.works)))
      try {
        if (works !== '') analyze(SOURCES + works);
      } catch (error) {
        refused.add(`${works}: ${String(error)}`);
      }
    expect([...refused]).toEqual([]);
  });

  test('they have every keyword and function that it names', () => {
    const unproven = entries.flatMap(([words, { hint, works }]) =>
      [...hint.matchAll(/\b[A-Z][A-Z_]+\b/g)]
        .map(([word]) => word)
        .filter((word) => !new RegExp(`\\b${word}\\b`).test(works) && !NO_WORDS.has(word))
        .map((word) => `${words}: ${word}`),
    );
    expect(unproven).toEqual([]);
  });

  test('a type that it names is one', () => {
    for (const [name, type] of ELSEWHERE_TYPES) {
      const first = /^[A-Z]+(?:<[^>]+>|\([^)]+\))?/.exec(type)![0];
      const create = (of: string): string =>
        `CREATE STREAM X (A ${of}) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');`;
      expect(analyze(create(first)).source, name).toBeDefined();
      expect(mistake(create(`\`${name}\``)).hint).toBe(`use ${type}`);
    }
  });

  test('no name of another database is one of ours', () => {
    expect([...ELSEWHERE_FUNCTIONS.keys()].filter((name) => builtinFunctions.has(name))).toEqual([]);
  });
});

/** What people write, and where the error points. */
const CASES: readonly (readonly [sql: string, at: string, hint: string])[] = [
  ['WITH x AS (SELECT * FROM orders) SELECT * FROM x;', 'WITH', 'CREATE STREAM'],
  ['SELECT SUM(amount) OVER (PARTITION BY id) FROM orders;', 'OVER', 'TOPK'],
  ['SELECT COUNT(*) FILTER (WHERE amount > 1) FROM orders GROUP BY item;', 'FILTER', 'CASE WHEN'],
  ['SELECT 1;', ';', 'FROM'],
  ['SELECT * FROM orders WHERE id IN (SELECT uid FROM users);', 'SELECT', 'JOIN'],
  ['SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM users);', 'EXISTS', 'JOIN'],
  ['SELECT * FROM orders WHERE amount > (SELECT 1 FROM users);', 'SELECT', 'CREATE STREAM'],
  ['SELECT * FROM (SELECT * FROM orders) x;', 'SELECT', 'CREATE STREAM'],
  ['SELECT * FROM orders CROSS JOIN users;', 'CROSS', 'ON'],
  ['SELECT * FROM orders NATURAL JOIN users EMIT CHANGES;', 'NATURAL', 'ON'],
  ['SELECT * FROM orders o JOIN users u USING (id);', 'USING', 'ON'],
  ['DROP TABLE users CASCADE;', 'CASCADE', 'DROP'],
  ['SHOW CREATE TABLE users;', 'CREATE', 'DESCRIBE'],
  ['SHOW DATABASES;', 'DATABASES', 'SHOW STREAMS'],
  ['CREATE VIEW v AS SELECT * FROM orders;', 'VIEW', 'CREATE TABLE'],
  ['CREATE MATERIALIZED VIEW v AS SELECT * FROM orders;', 'MATERIALIZED', 'CREATE TABLE'],
  ['CREATE OR REPLACE VIEW v AS SELECT * FROM orders;', 'VIEW', 'CREATE TABLE'],
  ['CREATE INDEX i ON users (name);', 'INDEX', 'GROUP BY'],
  ['TRUNCATE TABLE users;', 'TRUNCATE', 'DELETE TOPIC'],
  ['USE db;', 'USE', 'CREATE STREAM'],
  ['DESC orders;', 'DESC', 'DESCRIBE'],
  ['SELECT * FROM orders WHERE (amount > 1) IS TRUE;', 'TRUE', 'IS NULL'],
  ['SELECT * FROM orders WHERE (amount > 1) IS NOT FALSE;', 'FALSE', 'IS NULL'],
  ['SELECT item, COUNT(*) FROM orders GROUP BY ROLLUP(item) EMIT CHANGES;', 'ROLLUP', 'CREATE TABLE'],
  ['SELECT item, COUNT(*) FROM orders GROUP BY CUBE(item) EMIT CHANGES;', 'CUBE', 'CREATE TABLE'],
  ['SELECT item, COUNT(*) FROM orders GROUP BY GROUPING SETS ((item), (id));', 'GROUPING', 'CREATE TABLE'],
  ['SELECT TOP 10 * FROM orders;', 'TOP', 'LIMIT'],
  ['SELECT * FROM orders ORDER BY id;', 'ORDER', 'TOPK'],
  ['SELECT * FROM orders LIMIT 10 OFFSET 5;', 'OFFSET', 'ROWOFFSET'],
  ['SELECT * FROM orders LIMIT 5, 10;', ',', 'LIMIT'],
  ['DELETE FROM users WHERE uid = 1;', 'DELETE', 'record'],
  ['UPDATE users SET name = 1;', 'UPDATE', 'INSERT INTO'],
  ['MERGE INTO users USING orders ON 1 = 1;', 'MERGE', 'INSERT INTO'],
  ['SELECT amount::INT FROM orders EMIT CHANGES;', ':', 'CAST(value AS type)'],
  ['SELECT item, COUNT(DISTINCT amount) FROM orders GROUP BY item;', 'DISTINCT', 'COUNT_DISTINCT'],
  ['SELECT DISTINCT item FROM orders;', 'DISTINCT', 'GROUP BY'],
  ['ALTER TABLE users RENAME TO people;', 'RENAME', 'ALTER'],
  ['ALTER TABLE users DROP COLUMN age;', 'DROP', 'ALTER'],
  ['RENAME TABLE users TO people;', 'RENAME', 'ALTER'],
  ['SELECT * FROM orders UNION SELECT * FROM orders;', 'UNION', 'INSERT INTO'],
  ['INSERT INTO users VALUES (1, 2, 3) ON CONFLICT DO NOTHING;', 'ON', 'INSERT INTO'],
  ['INSERT OVERWRITE users SELECT * FROM orders;', 'OVERWRITE', 'INSERT INTO'],
  ['BEGIN;', 'BEGIN', 'statement'],
  ['SUBSCRIBE TO orders;', 'SUBSCRIBE', 'EMIT CHANGES'],
  ['SELECT * FROM orders EMIT ON WINDOW CLOSE;', 'ON', 'EMIT FINAL'],
  ['SELECT * FROM TABLE(TUMBLE(TABLE orders, 1, 2));', 'TABLE', 'WINDOW TUMBLING'],
  ["CREATE TABLE t (a INT, WATERMARK FOR ts AS ts) WITH (KAFKA_TOPIC='t');", 'WATERMARK', 'GRACE PERIOD'],
  ["CREATE TABLE t (a INT, PRIMARY KEY (a)) WITH (KAFKA_TOPIC='t');", 'KEY (a)', 'PRIMARY KEY'],
  ["CREATE TABLE t (a INT NOT NULL, b INT) WITH (KAFKA_TOPIC='t');", 'NULL', 'WHERE'],
  ["CREATE TABLE t (a INT AUTO_INCREMENT) WITH (KAFKA_TOPIC='t');", 'AUTO_INCREMENT', 'WHERE'],
  ["CREATE TABLE t (a INT DEFAULT 1) WITH (KAFKA_TOPIC='t');", 'DEFAULT', 'WHERE'],
  ["SELECT * FROM orders WHERE moment > NOW() - INTERVAL '1' DAY;", 'INTERVAL', 'TIMESTAMPADD'],
  ["SELECT * FROM orders WHERE moment > TIMESTAMP '2020-01-01';", 'TIMESTAMP', 'PARSE_TIMESTAMP'],
  ["SELECT * FROM orders WHERE item ILIKE 'a%';", 'ILIKE', 'REGEXP_EXTRACT'],
  ['SELECT EXTRACT(HOUR FROM moment) FROM orders;', 'EXTRACT', 'FORMAT_TIMESTAMP'],
  ['SELECT TRY_CAST(item AS INT) FROM orders;', 'TRY_CAST', 'CAST'],
  ['SELECT SUBSTRING(item FROM 2) FROM orders;', 'FROM', 'SUBSTRING(text, position, length)'],
  ['SELECT item, COUNT(*) FROM orders WINDOW TUMBLING (SIZE 1 MONTH) GROUP BY item;', 'MONTH', 'DAYS'],
  ['SELECT UPER(item) FROM orders EMIT CHANGES;', 'UPER', 'use UCASE'],
  ['SELECT LENGHT(item) FROM orders EMIT CHANGES;', 'LENGHT', 'use LEN'],
  ['SELECT HOUR(moment) FROM orders EMIT CHANGES;', 'HOUR', 'FORMAT_TIMESTAMP'],
  ["CREATE STREAM x (a INTT) WITH (KAFKA_TOPIC='x');", 'INTT', 'INT?'],
  ["CREATE STREAM x (a VARCAHR) WITH (KAFKA_TOPIC='x');", 'VARCAHR', 'VARCHAR?'],
  ['INSERT INTO users (uid, name) VALUES (1, "ann");', '"ann"', 'single quotes'],
  ['SELECT COUNT(*) FROM orders;', 'COUNT(*)', 'GROUP BY'],
  ['SELECT COUNT(*) FROM orders EMIT CHANGES;', 'COUNT(*)', 'GROUP BY'],
  ['CREATE STREAM x (a INT);', 'x', 'PARTITIONS=1'],
  [
    "CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', CLEANUP_POLICY='compact');",
    'CLEANUP_POLICY',
    'RETENTION_MS',
  ],
  ['SELECT name, MAX(age) FROM users GROUP BY name EMIT CHANGES;', 'MAX(age)', 'stream'],
  ['SELECT * FROM orders WHERE id = ?;', '?', 'DEFINE'],
];

test.each(CASES)('%s points at %s', (sql, at, hint) => {
  const found = mistake(sql);
  expect(found).toMatchObject({ at });
  expect(found.hint).toContain(hint);
});
