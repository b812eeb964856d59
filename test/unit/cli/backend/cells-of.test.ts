import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellsOf } from '../../../../src/cli/backend/cells-of.ts';

test('keeps the text of every element', () => {
  expect(cellsOf('[9007199254740993,1.10,"a,]\\"[",{"x":[1,{"y":","}]},null,[]]')).toEqual([
    '9007199254740993',
    '1.10',
    '"a,]\\"["',
    '{"x":[1,{"y":","}]}',
    'null',
    '[]',
  ]);
  expect(cellsOf('[]')).toEqual([]);
});

test('any JSON array is cut into its elements', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      expect(cellsOf(JSON.stringify(values))).toEqual(values.map((value) => JSON.stringify(value)));
    }),
  );
});
