import { expect, test } from 'vitest';
import { DataError, positionOf, renderSqlError, SqlError } from '../../../src/common/error.ts';

const at = (start: number, end: number): SqlError =>
  new SqlError('ML_SYNTAX', 'wrong', { span: { start, end } });

test('a short line is shown whole', () => {
  expect(renderSqlError(at(7, 11), 'SELECT AMNT\tFROM S;')).toBe(
    'ML_SYNTAX: wrong (line 1, column 8)\n  SELECT AMNT\tFROM S;\n         ^^^^',
  );
});

test.for([
  ['at its beginning', 0],
  ['in its middle', 5_000],
  ['near its end', 9_995],
  ['at its end', 9_999],
] as const)('of a long line only what stands around the place is shown: %s', ([, start]) => {
  const line = Array.from({ length: 10_000 }, (_, i) => (i === start ? '!' : String(i % 10))).join('');
  const text = `--\n${line}\n--`;
  const [head, shown, carets] = renderSqlError(at(start + 3, start + 4), text).split('\n');
  expect(head).toBe(`ML_SYNTAX: wrong (line 2, column ${start + 1})`);
  expect(shown!.length).toBeLessThan(126);
  expect(shown![carets!.indexOf('^')]).toBe('!');
});

test('a place that is itself long ends with what is shown', () => {
  const carets = renderSqlError(at(1_000, 90_000), 'x'.repeat(100_000)).split('\n')[2]!;
  expect(carets.length).toBeLessThan(126);
  expect(carets).toMatch(/^ +\^+$/);
});

/** With the flag, a pair is one character, so only halves match. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

test('a pair of surrogates is never cut in two', () => {
  for (let start = 200; start < 204; start++) {
    expect(renderSqlError(at(start, start + 1), '😀'.repeat(300))).not.toMatch(LONE_SURROGATE);
  }
  expect(new SqlError('ML_SYNTAX', '😀'.repeat(3_000)).message).not.toMatch(LONE_SURROGATE);
  expect(new SqlError('ML_SYNTAX', `x${'😀'.repeat(3_000)}`).message).not.toMatch(LONE_SURROGATE);
});

test('what is too long to be read loses its middle', () => {
  const name = 'A'.repeat(1_000_000);
  const error = new SqlError('ML_NAME_UNKNOWN', `column ${name} does not exist`, { hint: `${name}?` });
  expect(error.message.length).toBeLessThan(1_100);
  expect(error.message).toMatch(/^column A+ … A+ does not exist$/);
  expect(error.hint!.length).toBeLessThan(1_100);
  expect(new DataError(`bad ${name}`).message.length).toBeLessThan(1_100);
});

test('lines and columns count from 1', () => {
  expect(positionOf('ab\ncd', 0)).toEqual({ line: 1, column: 1 });
  expect(positionOf('ab\ncd', 2)).toEqual({ line: 1, column: 3 });
  expect(positionOf('ab\ncd', 3)).toEqual({ line: 2, column: 1 });
  expect(positionOf('ab\ncd', 5)).toEqual({ line: 2, column: 3 });
  expect(positionOf('\n\n', 2)).toEqual({ line: 3, column: 1 });
});
