import type { Expression } from '../../expressions/expression.ts';
import { conjunctsOf, fold, mapChildren, transform } from '../../expressions/walk.ts';
import type { PlanNode } from '../../plan/node.ts';
import { conjunctionOf, isTrue } from '../conjuncts.ts';
import { evaluateWhole } from '../evaluate-whole.ts';
import type { Rule, RuleContext } from '../rule.ts';

/**
 * What: an expression that reads no column becomes its value; conjuncts of a filter that are TRUE go.
 * Why good: it is computed once instead of for every row.
 * Illegal: for volatile functions (`SELECT RANDOM() * 2`); for expressions that fail (`SELECT 1/0`): the failure is
 * an answer that belongs to the row.
 * After: nothing.
 */
export const foldConstants: Rule = {
  name: 'fold-constants',
  order: 'bottom-up',
  apply(node, context) {
    const folded = mapExpressions(node, (expression) => foldExpression(expression, context));
    if (folded.kind !== 'filter') return folded;
    const conjuncts = conjunctsOf(folded.predicate);
    const kept = conjuncts.filter((conjunct) => !isTrue(conjunct));
    if (kept.length === conjuncts.length || conjuncts.length === 1) return folded;
    return { ...folded, predicate: conjunctionOf(kept) };
  },
};

/** Evaluating a part again and again with all that it stands in is only for what is small. */
const PARTS_MAX = 1000;

interface Folded {
  readonly expression: Expression;
  /** It reads no column and is not volatile, so it is evaluated with what it stands in. */
  readonly constant: boolean;
  readonly size: number;
}

/** A constant expression is evaluated as a whole; in parts only when the whole has no value. */
function foldExpression(expression: Expression, context: RuleContext): Expression {
  return settle(
    fold<Folded>(expression, (node, operands) => {
      const size = operands.reduce((sum, operand) => sum + operand.size, 1);
      const constant = isConstantNode(node, context) && operands.every((operand) => operand.constant);
      if (constant) return { expression: node, constant, size };
      let next = 0;
      return { expression: mapChildren(node, () => settle(operands[next++]!, context)), constant, size };
    }),
    context,
  );
}

function settle({ expression, constant, size }: Folded, context: RuleContext): Expression {
  if (!constant || expression.kind === 'literal') return expression;
  if (expression.kind === 'lambda') return mapChildren(expression, (body) => foldExpression(body, context));
  const value = evaluateWhole(expression, context);
  if (value !== undefined) return { kind: 'literal', type: expression.type, value };
  if (size > PARTS_MAX) return expression;
  return transform(expression, (node) => {
    if (node === expression || node.kind === 'literal' || node.kind === 'lambda') return node;
    const part = evaluateWhole(node, context);
    return part === undefined ? node : { kind: 'literal', type: node.type, value: part };
  });
}

function isConstantNode(node: Expression, { functions }: RuleContext): boolean {
  if (node.kind === 'column' || node.kind === 'parameter') return false;
  const fn = node.kind === 'call' ? functions.get(node.name) : undefined;
  return fn === undefined || fn.kind !== 'scalar' || fn.volatile !== true;
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
