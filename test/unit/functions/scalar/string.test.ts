import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { BYTES, INTEGER, STRING } from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import { call, type Given } from '../call.ts';

const s = (value: string | null): Given => [STRING, value];
const i = (value: number | null): Given => [INTEGER, value];
const b = (value: string | null): Given => [BYTES, value === null ? null : Buffer.from(value)];
const text = (value: SqlValue): string | null =>
  value === null ? null : Buffer.from(value as Uint8Array).toString();

test('TRIM takes control characters and blanks, no other white space', () => {
  expect(call('TRIM', s(' \t with white space \t\u0000'))).toBe('with white space');
  expect(call('TRIM', s('\u00a0x'))).toBe('\u00a0x');
  expect(call('TRIM', s(' \n'))).toBe('');
});

test.each([
  ['lower', 2, 5, 'ower'],
  ['UPPER', 2, 5, 'PPER'],
  ['s', 2, 5, ''],
  ['some string', 0, 2, 'so'],
  ['stream', -3, 2, 'ea'],
  ['stream', -30, 2, 'st'],
  ['stream', 30, 2, ''],
  ['stream', 2, -1, ''],
])('SUBSTRING(%s, %d, %d)', (input, position, length, expected) => {
  expect(call('SUBSTRING', s(input), i(position), i(length))).toBe(expected);
  expect(text(call('SUBSTRING', b(input), i(position), i(length)))).toBe(expected);
});

test('SUBSTRING without length, and null in, null out', () => {
  expect(call('SUBSTRING', s('another'), i(6))).toBe('er');
  expect(call('SUBSTRING', s('x'), null)).toBe(null);
  expect(call('SUBSTRING', s('x'), i(1), null)).toBe(null);
});

test('CONCAT and CONCAT_WS leave nulls out', () => {
  expect(call('CONCAT', s('a'), null, s('b'))).toBe('ab');
  expect(call('CONCAT', s(null), s(null))).toBe('');
  expect(text(call('CONCAT', b('a'), b(null), b('b')))).toBe('ab');
  expect(call('CONCAT_WS', s('SEP'), s('foo'), s(null), s('baz'), null, s('literal'))).toBe(
    'fooSEPbazSEPliteral',
  );
  expect(call('CONCAT_WS', s('SEP'), s(null))).toBe('');
  expect(call('CONCAT_WS', s(null), s('foo'))).toBe(null);
  expect(text(call('CONCAT_WS', b('a'), b('b'), b(''), b('no')))).toBe('baano');
});

test('INITCAP keeps blanks between words and drops those in front', () => {
  expect(call('INITCAP', s('the   Quick br0wn fOx'))).toBe('The   Quick Br0wn Fox');
  expect(call('INITCAP', s('  some_string'))).toBe('Some_string');
});

test.each([
  ['corporate floor', [], 2],
  ['no substring', [], 0],
  ['corporate floor', [4], 5],
  ['short', [4], 0],
  ['corporate floor', [4, 2], 14],
  ['corporate floor', [-4], 5],
  ['corporate floor', [-4, 2], 2],
  ['corporate floor', [-4, 3], 0],
  ['corporate floor', [0], 0],
])("INSTR(%s, 'or', %j)", (input, more, expected) => {
  expect(call('INSTR', s(input), s('or'), ...more.map(i))).toBe(expected);
});

test('INSTR of a null text is 0', () => {
  expect(call('INSTR', s(null), s('or'))).toBe(0);
  expect(call('INSTR', s('aaa'), s('aa'), i(1), i(2))).toBe(2);
});

test('INSTR of the two thousand millionth empty text gives up at the end', () => {
  expect(call('INSTR', s('aaa'), s(''), i(1), i(4))).toBe(4);
  expect(call('INSTR', s('aaa'), s(''), i(1), i(2_000_000_000))).toBe(0);
});

test.each([
  ['4578616d706C6521', 'hex', 'ascii', 'Example!'],
  ['0x4578616d706C6521', 'hex', 'utf8', 'Example!'],
  ["X'4578616d706C6521'", 'hex', 'base64', 'RXhhbXBsZSE='],
  ['0x578616d706C6521', 'hex', 'ascii', '\u0005xample!'],
  ['0x', 'hex', 'utf8', ''],
  ["x''", 'hex', 'utf8', ''],
  ['c39c6265726d656e736368', 'hex', 'ascii', '\ufffd\ufffdbermensch'],
  ['RXhhbXBsZSE=', 'base64', 'hex', '4578616d706c6521'],
  ['Ελλάδα', 'utf8', 'hex', 'ce95cebbcebbceacceb4ceb1'],
])('ENCODE(%s, %s, %s)', (input, from, to, expected) => {
  expect(call('ENCODE', s(input), s(from), s(to))).toBe(expected);
});

test.each([
  ['578616d706C6521', 'hex', 'utf8'],
  ["X'", 'hex', 'utf8'],
  ["x'578616d706C6521'", 'hex', 'utf8'],
  ['0x0x', 'hex', 'utf8'],
  ['abc', 'utf8', 'utf8'],
  ['abc', 'null', 'utf8'],
])('ENCODE(%s, %s, %s) is an error', (input, from, to) => {
  expect(() => call('ENCODE', s(input), s(from), s(to))).toThrow(DataError);
});

test('TO_BYTES and FROM_BYTES are each other’s reverse', () => {
  for (const encoding of ['hex', 'utf8', 'ascii', 'base64']) {
    const bytes = call('TO_BYTES', s('21'.repeat(2)), s(encoding));
    expect(call('FROM_BYTES', [BYTES, bytes], s(encoding))).toBe('2121');
  }
  expect(call('FROM_BYTES', [BYTES, Buffer.from('1ab2', 'hex')], s('hex'))).toBe('1AB2');
});

test('CHR of code points and of escapes', () => {
  expect(call('CHR', i(22909))).toBe('好');
  expect(call('CHR', i(99000))).toBe('\ud820\udeb8');
  expect(call('CHR', i(-1))).toBe(null);
  expect(call('CHR', s('\\ud820\\udeb8'))).toBe('\ud820\udeb8');
  for (const bad of ['75', '004b', 'bogus', '']) expect(call('CHR', s(bad)), bad).toBe(null);
  expect(() => call('CHR', s('\\u00zz'))).toThrow(DataError);
});

test('SPLIT keeps empty parts; an empty delimiter splits units', () => {
  expect(call('SPLIT', s('..a..'), s('.'))).toEqual(['', '', 'a', '', '']);
  expect(call('SPLIT', s('a$$b.c'), s('$$'))).toEqual(['a', 'b.c']);
  expect(call('SPLIT', s(''), s(''))).toEqual(['']);
  expect(call('SPLIT', s('a.b'), s(''))).toEqual(['a', '.', 'b']);
  const parts = (input: string, by: string): (string | null)[] =>
    (call('SPLIT', b(input), b(by)) as SqlValue[]).map(text);
  expect(parts('..a..', '.')).toEqual(['', '', 'a', '', '']);
  expect(parts('', '')).toEqual(['']);
  expect(parts('.abc$$', '$$')).toEqual(['.abc', '']);
  expect(parts('a.b', '')).toEqual(['a', '.', 'b']);
});

test('SPLIT_TO_MAP drops what is no entry; the last key wins', () => {
  const split = (input: string, entry = '/', pair = ':='): SqlValue =>
    call('SPLIT_TO_MAP', s(input), s(entry), s(pair));
  expect(split('a:=1//b/c:=3:=4/a:=2')).toEqual(
    new Map([
      ['a', '2'],
      ['c', '3'],
    ]),
  );
  expect(split('a', '', ':')).toBe(null);
  expect(split('a', ':', ':')).toBe(null);
});

describe('ELT and FIELD', () => {
  test('count from 1', () => {
    expect(call('ELT', i(2), s('a'), s('b'))).toBe('b');
    expect(call('ELT', i(3), s('a'), s('b'))).toBe(null);
    expect(call('FIELD', s('hello'), s('world'), s('hello'))).toBe(2);
    expect(call('FIELD', s(null), s('a'))).toBe(0);
  });
});

test.each([
  ['foo', 7, 'Bar', 'BarBfoo', 'fooBarB'],
  ['foo', 2, 'Bar', 'fo', 'fo'],
  ['foo', -1, 'Bar', null, null],
  ['foo', 7, '', null, null],
  ['', 7, 'Bar', 'BarBarB', 'BarBarB'],
  ['foo', 0, 'Bar', '', ''],
])('LPAD and RPAD(%s, %d, %s)', (input, length, fill, left, right) => {
  expect(call('LPAD', s(input), i(length), s(fill))).toBe(left);
  expect(call('RPAD', s(input), i(length), s(fill))).toBe(right);
  expect(text(call('LPAD', b(input), i(length), b(fill)))).toBe(left);
  expect(text(call('RPAD', b(input), i(length), b(fill)))).toBe(right);
});

test('REPLACE is literal', () => {
  expect(call('REPLACE', s('a.b.c'), s('.'), s('$&'))).toBe('a$&b$&c');
});

test('UUID: version 4 from the random source, or from 16 bytes', () => {
  expect(call('UUID')).toBe('80808080-8080-4080-8080-808080808080');
  expect(call('UUID', [BYTES, Buffer.alloc(16, 1)])).toBe('01010101-0101-0101-0101-010101010101');
  expect(call('UUID', [BYTES, Buffer.alloc(15)])).toBe(null);
});

describe('masks', () => {
  test('by class of character', () => {
    expect(call('MASK', s('AbC3 d😀'))).toBe('XxXn-x--');
    expect(call('MASK', s('Aa1 '), s('U'), null, s('9'), s('_'))).toBe('Ua9_');
    expect(call('MASK_KEEP_LEFT', s('My Test $123'), i(4))).toBe('My Txxx--nnn');
    expect(call('MASK_KEEP_RIGHT', s('My Test $123'), i(4))).toBe('Xx-Xxxx-$123');
    expect(call('MASK_LEFT', s('My Test'), i(100))).toBe('Xx-Xxxx');
    expect(call('MASK_RIGHT', s('My Test $123'), i(4))).toBe('My Test -nnn');
  });

  test('negative counts and longer masks are errors; null is null', () => {
    expect(() => call('MASK_LEFT', s('x'), i(-1))).toThrow(DataError);
    expect(() => call('MASK', s('x'), s('XX'), s('x'), s('n'), s('-'))).toThrow(DataError);
    expect(call('MASK_RIGHT', s(null), i(1))).toBe(null);
  });

  test('masking left and keeping the rest is masking all', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(20), (input, count) => {
        const left = call('MASK_LEFT', s(input), i(count)) as string;
        expect(call('MASK_KEEP_LEFT', s(left), i(count))).toBe(
          left.slice(0, count) + (call('MASK', s(input)) as string).slice(count),
        );
      }),
    );
  });
});

describe('regular expressions', () => {
  test('REGEXP_EXTRACT: the pattern first', () => {
    expect(call('REGEXP_EXTRACT', s('(.*) (.*)'), s('steven zhang'), i(2))).toBe('zhang');
    expect(call('REGEXP_EXTRACT', s('(.*) (.*)'), s('agavra'), i(2))).toBe(null);
    expect(call('REGEXP_EXTRACT', s('a(b)?'), s('a'), i(1))).toBe(null);
    expect(call('REGEXP_EXTRACT', s('a'), s('a'), i(1))).toBe(null);
  });

  test('REGEXP_EXTRACT_ALL: none is an empty array', () => {
    expect(call('REGEXP_EXTRACT_ALL', s('test.'), s('some_test_string_testabab'))).toEqual([
      'test_',
      'testa',
    ]);
    expect(call('REGEXP_EXTRACT_ALL', s('test.'), s('anothertest'))).toEqual([]);
  });

  test('REGEXP_REPLACE: groups by $', () => {
    expect(call('REGEXP_REPLACE', s('foobar'), s('(o+)'), s('<$1>'))).toBe('f<oo>bar');
    expect(call('REGEXP_REPLACE', s('foobar'), s('o'), s('\\$'))).toBe('f$$bar');
  });

  test('REGEXP_SPLIT_TO_ARRAY', () => {
    expect(call('REGEXP_SPLIT_TO_ARRAY', s('aabcda'), s('(ab|cd)'))).toEqual(['a', '', 'a']);
    expect(call('REGEXP_SPLIT_TO_ARRAY', s('zxy'), s('(ab|cd)'))).toEqual(['zxy']);
    expect(call('REGEXP_SPLIT_TO_ARRAY', s('a,b,'), s(','))).toEqual(['a', 'b', '']);
    expect(call('REGEXP_SPLIT_TO_ARRAY', s('abc'), s(''))).toEqual(['a', 'b', 'c']);
  });

  test('a pattern that takes exponential time elsewhere is quick', () => {
    expect(call('REGEXP_EXTRACT', s('^(a+)+$'), s(`${'a'.repeat(5000)}b`))).toBe(null);
  });

  test('a bad pattern is an error of the data', () => {
    expect(() => call('REGEXP_EXTRACT', s('('), s('a'))).toThrow(DataError);
  });
});
