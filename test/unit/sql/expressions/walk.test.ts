import { expect, test } from 'vitest';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import type { Expression } from '../../../../src/sql/expressions/expression.ts';
import { printExpression } from '../../../../src/sql/expressions/print-expression.ts';
import {
  columnsOf,
  equalExpressions,
  isVolatile,
  mapColumns,
  transform,
} from '../../../../src/sql/expressions/walk.ts';
import { BOOLEAN, DOUBLE, INTEGER, STRING } from '../../../../src/types/sql-type.ts';

const a: Expression = { kind: 'column', type: INTEGER, index: 0 };
const b: Expression = { kind: 'column', type: INTEGER, index: 1 };
const one: Expression = { kind: 'literal', type: INTEGER, value: 1 };
const sum: Expression = { kind: 'arithmetic', type: INTEGER, operator: '+', left: a, right: one };
const test1: Expression = { kind: 'comparison', type: BOOLEAN, operator: '>=', left: sum, right: b };

test('columnsOf and mapColumns', () => {
  expect([...columnsOf(test1)]).toEqual([0, 1]);
  expect(
    printExpression(
      mapColumns(test1, (index) => index + 1),
      ['A', 'B', 'C'],
    ),
  ).toBe('(B + 1) >= C');
  expect(
    printExpression(
      mapColumns(test1, (index) => (index === 0 ? one : 0)),
      ['A'],
    ),
  ).toBe('(1 + 1) >= A');
});

test('what nothing changes keeps its identity', () => {
  expect(transform(test1, (node) => node)).toBe(test1);
  expect(mapColumns(test1, (index) => index)).toBe(test1);
});

test('equality sees operators, literals, types and positions', () => {
  expect(equalExpressions(test1, structuredClone(test1))).toBe(true);
  expect(equalExpressions(sum, { ...sum, operator: '-' })).toBe(false);
  expect(equalExpressions(sum, { ...sum, right: { ...one, value: 2 } as Expression })).toBe(false);
  expect(equalExpressions(a, b)).toBe(false);
  expect(equalExpressions(a, { ...a, type: DOUBLE })).toBe(false);
});

test('RANDOM is volatile wherever it stands', () => {
  const random: Expression = { kind: 'call', type: DOUBLE, name: 'RANDOM', signature: 0, args: [] };
  expect(isVolatile({ kind: 'negate', type: DOUBLE, operand: random }, builtinFunctions)).toBe(true);
  expect(isVolatile(test1, builtinFunctions)).toBe(false);
});

test('text literals print with their quotes doubled', () => {
  expect(printExpression({ kind: 'literal', type: STRING, value: "it's" }, [])).toBe("'it''s'");
});
