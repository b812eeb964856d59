import { expect, test } from 'vitest';
import { isContinued, splitStatements } from '../../../../src/sql/parser/split-statements.ts';

test('statements end at semicolons that are not in strings, names or comments', () => {
  const text =
    " -- c;\n SELECT ';' FROM `a;b` /* ; */ WHERE \"c;\" = 'it''s;';  SHOW -- ;\nTYPES;;\n/* d; */ SELECT";
  const { complete, rest } = splitStatements(text);
  expect(complete.map((each) => each.text)).toEqual([
    "SELECT ';' FROM `a;b` /* ; */ WHERE \"c;\" = 'it''s;';",
    'SHOW -- ;\nTYPES;',
  ]);
  for (const each of complete) expect(text.slice(each.start).startsWith(each.text)).toBe(true);
  expect(rest).toBe('SELECT');
});

test.each([
  ['', ''],
  [' \n-- only a comment', ''],
  ['SHOW TYPES; /* done */ ', ''],
  ["SELECT 'a;", "SELECT 'a;"],
  ['SELECT `a;', 'SELECT `a;'],
  ['/* open ;', '/* open ;'],
  ['SELECT 1 -- ;', 'SELECT 1 -- ;'],
])('the rest of %j is %j', (text, rest) => {
  expect(splitStatements(text).rest).toBe(rest);
});

test.each([
  ['SELECT \\', true],
  ["SELECT 'a\\", true],
  ["SELECT 'a' FROM \\", true],
  ['SELECT', false],
  ['SELECT \\ ', false],
  ['SELECT 1 -- and so on \\', false],
  ['SELECT 1 -- and so on \n \\', true],
  ["CREATE FUNCTION F() AS $$ return 'a\\", false],
])('%j goes on with the next line: %s', (text, expected) => {
  expect(isContinued(text)).toBe(expected);
});
