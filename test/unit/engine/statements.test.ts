import { expect, test } from 'vitest';
import { definitionOf, isChange, rowsOf } from '../../../src/engine/statements/statements.ts';
import type { Statement } from '../../../src/sql/parser/ast.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';

const statementOf = (sql: string): Statement => parseStatements(sql)[0]!.statement;

test.each([
  ['SELECT * FROM S EMIT CHANGES;', { kind: 'push', isEndless: true }],
  ['SELECT * FROM S EMIT CHANGES LIMIT 1;', { kind: 'push', isEndless: false }],
  ['SELECT * FROM S;', { kind: 'pull', isEndless: false }],
  ['PRINT t;', { kind: 'print', isEndless: true }],
  ['PRINT t LIMIT 1;', { kind: 'print', isEndless: false }],
  ['SHOW STREAMS;', null],
  ['EXPLAIN SELECT * FROM S EMIT CHANGES;', null],
])('%s says before it runs which rows it gives', (sql, rows) => {
  expect(rowsOf(statementOf(sql))).toEqual(rows);
});

test.each([
  ['INSERT INTO S VALUES (1);', 'records'],
  ['CREATE TYPE T AS INT;', 'catalog'],
  ["ALTER SYSTEM 'a'='b';", 'catalog'],
  ['PAUSE ALL;', 'catalog'],
  ["SET 'a'='b';", 'session'],
  ['SHOW VARIABLES;', 'session'],
  ['SHOW PROPERTIES;', 'reads'],
  ['ASSERT VALUES S (N) VALUES (1);', 'reads'],
])('%s says what it changes: %s', (sql, effect) => {
  const statement = statementOf(sql);
  expect(definitionOf(statement).effect).toBe(effect);
  expect(isChange(statement)).toBe(effect === 'catalog' || effect === 'records');
});

test.each([
  ['CREATE OR REPLACE STREAM S AS SELECT * FROM R;', true],
  ['CREATE STREAM S AS SELECT * FROM R;', false],
  ['DROP TABLE T;', true],
  ['TERMINATE ALL;', true],
  ['PAUSE ALL;', false],
])('%s ends queries: %s', (sql, ends) => {
  const statement = statementOf(sql);
  expect(definitionOf(statement).endsQueries?.(statement) ?? false).toBe(ends);
});
