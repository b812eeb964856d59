import { expect, test } from 'vitest';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import { analyzeAs, analyzeExpression } from '../../../src/sql/analyzer/analyze-expression.ts';
import { Scope } from '../../../src/sql/analyzer/scope.ts';
import { Catalog } from '../../../src/sql/catalog/catalog.ts';
import { evaluateConstant } from '../../../src/sql/expressions/compile.ts';
import { parseExpression } from '../../../src/sql/parser/parse.ts';
import { openEquality } from '../../../src/types/compare-values.ts';
import { printValue } from '../../../src/types/print-value.ts';

/** The examples that DESCRIBE FUNCTION shows are true: each expression gives the result beside it. */

const evaluation = { now: () => 0, random: () => 0.5 };
const context = {
  catalog: new Catalog(),
  functions: builtinFunctions,
  evaluation,
  properties: new Map<string, string>(),
  statementText: '',
  scope: new Scope([]),
  clause: 'SELECT',
};

const examples = [...builtinFunctions.values()].flatMap((fn) =>
  fn.kind === 'scalar' ? fn.examples.map(([sql, result]) => [sql, result] as const) : [],
);

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(100);
});

test.each(examples)('%s is %s', (sql, result) => {
  const expression = analyzeExpression(parseExpression(sql), context);
  const found = evaluateConstant(expression, builtinFunctions, evaluation);
  if (result === 'NULL') {
    expect(found).toBeNull();
    return;
  }
  const wanted = evaluateConstant(
    analyzeAs(parseExpression(result), expression.type, context),
    builtinFunctions,
    evaluation,
  );
  const equal = openEquality(expression.type)(found, wanted);
  expect(equal, `found ${printValue(expression.type, found) ?? 'NULL'}`).toBe(true);
});
