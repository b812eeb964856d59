import { expect, test } from 'vitest';
import { AssertionError } from '../../../src/common/assert.ts';
import { describeFunction, listFunctions, renderFunction } from '../../../src/functions/describe.ts';
import { allFunctions, builtinFunctions, registryOf } from '../../../src/functions/registry.ts';

test('the built-in functions are all there, each once', () => {
  const ofKind = (kind: string): number => allFunctions.filter((fn) => fn.kind === kind).length;
  expect([ofKind('scalar'), ofKind('aggregate'), ofKind('table')]).toEqual([130, 18, 2]);
  expect(builtinFunctions.size).toBe(150);
});

test('a name that is listed twice is refused', () => {
  expect(() => registryOf([allFunctions[0]!, allFunctions[0]!])).toThrow(AssertionError);
});

test('every function is documented: category, description, and an example', () => {
  for (const fn of allFunctions) {
    expect(fn.category, fn.name).toMatch(/^[A-Z_]+$/);
    expect(fn.description.length, fn.name).toBeGreaterThan(10);
    expect(fn.examples.length, fn.name).toBeGreaterThan(0);
  }
});

test('a signature has at most one variadic parameter', () => {
  for (const fn of allFunctions)
    for (const signature of fn.signatures)
      expect(signature.parameters.filter((parameter) => parameter.variadic).length, fn.name).toBeLessThan(2);
});

test('SHOW FUNCTIONS lists by name', () => {
  const names = listFunctions(builtinFunctions).map((listing) => listing.name);
  expect(names).toEqual([...names].sort());
  expect(names).toContain('ABS');
});

test('DESCRIBE FUNCTION shows signatures, literals and examples', () => {
  const described = describeFunction(builtinFunctions.get('TOPK')!);
  expect(described.signatures[0]!.parameters).toEqual([
    { name: 'value', type: 'INTEGER', variadic: false, literal: false, description: '' },
    { name: 'k', type: 'INTEGER', variadic: false, literal: true, description: 'how many to keep' },
  ]);
  const text = renderFunction(builtinFunctions.get('TRANSFORM')!);
  expect(text).toContain('TRANSFORM(array ARRAY<T>, change LAMBDA (T) => R) -> ARRAY<R>');
  expect(text).toContain('TRANSFORM(ARRAY[1, 2], x => x * 2)  =>  ARRAY[2, 4]');
  expect(renderFunction(builtinFunctions.get('SUM')!)).toContain(
    'SUM(X) of X INTEGER: (1), (2), (NULL)  =>  3',
  );
  expect(renderFunction(builtinFunctions.get('EXPLODE')!)).toContain(
    'EXPLODE(ARRAY[1, 2])  =>  rows (1), (2)',
  );
  expect(renderFunction(builtinFunctions.get('COALESCE')!)).toContain('COALESCE(first T, others T[]) -> T');
});
