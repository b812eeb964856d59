import { expect, test } from 'vitest';
import { matchJson } from '../../../src/test-runner/match-json.ts';
import { parseJson } from '../../../src/types/json-node.ts';
import type { SqlType } from '../../../src/types/sql-type.ts';

function matches(expected: string, found: string, exact = true, type: SqlType | null = null): boolean {
  return matchJson(parseJson(expected), parseJson(found), exact, type) === null;
}

test.each([
  ['1', '1'],
  ['1.7', '1'],
  ['9223372036854775807', '9223372036854775807'],
  ['1.10', '1.10'],
  ['"1.10"', '1.10'],
  ['"a"', '"a"'],
  ['null', 'null'],
  ['true', 'true'],
  ['[1,[2,null]]', '[1,[2,null]]'],
  ['{"a":1,"B":2}', '{"A":1,"B":2}'],
  ['{"A":null,"B":2}', '{"C":7,"B":2}'],
])('%s expected, %s found: the same', (expected, found) => {
  expect(matches(expected, found)).toBe(true);
});

test.each([
  ['1', '2'],
  ['9223372036854775807', '9223372036854775806'],
  ['1.0', '1.00'],
  ['1', '1.0'],
  ['1.0', '"1.0"'],
  ['"1"', '1'],
  ['"a"', '"A"'],
  ['null', '0'],
  ['0', 'null'],
  ['false', 'null'],
  ['[1,2]', '[2,1]'],
  ['[1]', '[1,2]'],
  ['{"A":1}', '{"A":1,"B":2}'],
  ['{"A":1}', '{"A":2}'],
  ['{"A":1}', '[1]'],
])('%s expected, %s found: different', (expected, found) => {
  expect(matches(expected, found)).toBe(false);
});

test('a double is compared by value, whatever digits it was written with', () => {
  const type: SqlType = { kind: 'struct', fields: [{ name: 'D', type: { kind: 'double' } }] };
  expect(matches('{"D":4.6116860184273879E18}', '{"D":4.611686018427388E18}', true, type)).toBe(true);
  expect(matches('{"D":4.6116860184273879E18}', '{"D":4.611686018427388E18}')).toBe(false);
  expect(matches('{"D":1.5}', '{"D":1.6}', true, type)).toBe(false);
});

test('inexact comparison forgives a millionth and no more', () => {
  expect(matches('0.3', '0.30000000000000004', false)).toBe(true);
  expect(matches('0.3', '0.30000000000000004')).toBe(false);
  expect(matches('0.3', '0.31', false)).toBe(false);
});

test('the reason says where', () => {
  expect(matchJson(parseJson('{"A":[{"B":1}]}'), parseJson('{"A":[{"B":2}]}'), true)).toBe(
    'A.0.B: expected 1, found 2',
  );
});
