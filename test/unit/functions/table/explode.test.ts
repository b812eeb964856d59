import { expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import type { TableFunction } from '../../../../src/functions/function.ts';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { resolveTable } from '../../../../src/functions/resolve.ts';
import { array, STRING } from '../../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../../src/types/value.ts';
import { context } from '../call.ts';

function rows(name: string, list: SqlValue): readonly SqlValue[] {
  const resolved = resolveTable(builtinFunctions.get(name) as TableFunction, [array(STRING)]);
  return resolved.signature.open(resolved.argumentTypes, context)(list);
}

test('EXPLODE gives a row an item', () => {
  expect(rows('EXPLODE', ['a', null])).toEqual(['a', null]);
  expect(rows('EXPLODE', null)).toEqual([]);
});

test('CUBE_EXPLODE gives every combination once', () => {
  expect(rows('CUBE_EXPLODE', ['one', 'two'])).toEqual([
    [null, null],
    [null, 'two'],
    ['one', null],
    ['one', 'two'],
  ]);
  expect(rows('CUBE_EXPLODE', ['one', null])).toEqual([
    [null, null],
    ['one', null],
  ]);
  expect(rows('CUBE_EXPLODE', null)).toEqual([]);
  expect(() =>
    rows(
      'CUBE_EXPLODE',
      Array.from({ length: 21 }, () => 'x'),
    ),
  ).toThrow(DataError);
});
