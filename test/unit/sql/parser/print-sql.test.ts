import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExpression, parseStatements, parseType } from '../../../../src/sql/parser/parse.ts';
import { printExpression, printType } from '../../../../src/sql/parser/print-sql.ts';
import { printStatement } from '../../../../src/sql/parser/print-statement.ts';
import {
  arbitraryExpression,
  arbitraryStatement,
  arbitraryType,
  withoutSpans,
} from '../../../harness/arbitrary-ast.ts';

test('what is printed of any expression parses to the same expression', () => {
  fc.assert(
    fc.property(arbitraryExpression, (expression) => {
      expect(withoutSpans(parseExpression(printExpression(expression)))).toEqual(withoutSpans(expression));
    }),
    { numRuns: 3000 },
  );
});

test('what is printed of any type parses to the same type', () => {
  fc.assert(
    fc.property(arbitraryType, (type) => {
      expect(withoutSpans(parseType(printType(type)))).toEqual(withoutSpans(type));
    }),
    { numRuns: 500 },
  );
});

test('what is printed of any statement parses to the same statement', () => {
  fc.assert(
    fc.property(arbitraryStatement, (statement) => {
      const [parsed, ...more] = parseStatements(`${printStatement(statement)};`);
      expect(more).toEqual([]);
      expect(withoutSpans(parsed!.statement)).toEqual(withoutSpans(statement));
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['a+b*c', 'A + B * C'],
  ['(a+b)*c', '(A + B) * C'],
  ['a-(b-c)', 'A - (B - C)'],
  ['a||b+c', 'A || B + C'],
  ['(a||b)+c', '(A || B) + C'],
  ['not (a or b) and c', 'NOT (A OR B) AND C'],
  ['-(-5)', '-(-5)'],
  ['-(5)', '-(5)'],
  ['a - -5', 'A - -5'],
  ['(a = b) = c', '(A = B) = C'],
  ["a not like '%' escape '!'", "A NOT LIKE '%' ESCAPE '!'"],
  ['1e3', '1000E0'],
  ['.50', '0.50'],
  ["decimal '12'", "DECIMAL '12'"],
  ["decimal '1.5e3'", "DECIMAL '1500'"],
  ['`key`->x[-1]', '`key`->X[-1]'],
])('%s prints as %s', (text, printed) => {
  expect(printExpression(parseExpression(text))).toBe(printed);
});
