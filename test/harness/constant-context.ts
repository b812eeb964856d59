import { builtinFunctions } from '../../src/functions/registry.ts';
import type { EvaluationContext } from '../../src/functions/function.ts';
import type { ExpressionContext } from '../../src/sql/analyzer/expression-context.ts';
import { Scope } from '../../src/sql/analyzer/scope.ts';
import { Catalog } from '../../src/sql/catalog/catalog.ts';

/** Expressions without columns, over the built-in functions. */
export const constantContext: ExpressionContext = {
  catalog: new Catalog(),
  functions: builtinFunctions,
  scope: new Scope([]),
  clause: 'SELECT',
};

/** It is 1970, and every random number the same. */
export const evaluation: EvaluationContext = { now: () => 0, random: () => 0.5 };
