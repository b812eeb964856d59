import type { Expression } from '../../expressions/expression.ts';
import { isVolatile, some, transform } from '../../expressions/walk.ts';
import type { PlanNode } from '../../plan/node.ts';
import { conjunctionOf, conjunctsOf, isTrue } from '../conjuncts.ts';
import { evaluateWhole } from '../evaluate-whole.ts';
import type { Rule, RuleContext } from '../rule.ts';

/**
 * What: an expression that reads no column becomes its value; conjuncts of a filter that are TRUE go.
 * Why good: it is computed once instead of for every row.
 * Illegal: for volatile functions (`SELECT RANDOM() * 2`); for expressions that fail (`SELECT 1/0`): the failure is
 * an answer that belongs to the row; TRUE inside `NOT (TRUE AND B)`: a null B there raises, a bare one does not.
 * After: nothing.
 */
export const foldConstants: Rule = {
  name: 'fold-constants',
  order: 'bottom-up',
  apply(node, context) {
    const folded = mapExpressions(node, (expression) => fold(expression, context));
    if (folded.kind !== 'filter') return folded;
    const conjuncts = conjunctsOf(folded.predicate);
    const kept = conjuncts.filter((conjunct) => !isTrue(conjunct));
    if (kept.length === conjuncts.length || conjuncts.length === 1) return folded;
    return { ...folded, predicate: conjunctionOf(kept) };
  },
};

function fold(expression: Expression, context: RuleContext): Expression {
  return transform(expression, (node) => {
    if (!isFoldable(node, context)) return node;
    const value = evaluateWhole(node, context);
    return value === undefined ? node : { kind: 'literal', type: node.type, value };
  });
}

function isFoldable(expression: Expression, context: RuleContext): boolean {
  if (expression.kind === 'literal' || expression.kind === 'lambda') return false;
  if (some(expression, ({ kind }) => kind === 'column' || kind === 'parameter')) return false;
  return !isVolatile(expression, context.functions);
}

function mapExpressions(node: PlanNode, change: (expression: Expression) => Expression): PlanNode {
  const all = (expressions: readonly Expression[]): readonly Expression[] => {
    const changed = expressions.map(change);
    return changed.some((expression, i) => expression !== expressions[i]) ? changed : expressions;
  };
  switch (node.kind) {
    case 'filter': {
      const predicate = change(node.predicate);
      return predicate === node.predicate ? node : { ...node, predicate };
    }
    case 'project': {
      const expressions = all(node.expressions);
      return expressions === node.expressions ? node : { ...node, expressions };
    }
    case 'flat-map': {
      const functions = node.functions.map((call) => {
        const args = all(call.args);
        return args === call.args ? call : { ...call, args };
      });
      return functions.some((call, i) => call !== node.functions[i]) ? { ...node, functions } : node;
    }
    case 'aggregate': {
      const calls = node.calls.map((call) => {
        const args = all(call.args);
        return args === call.args ? call : { ...call, args };
      });
      return calls.some((call, i) => call !== node.calls[i]) ? { ...node, calls } : node;
    }
    default:
      return node;
  }
}
