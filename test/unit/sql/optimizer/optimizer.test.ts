import { expect, test } from 'vitest';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import { optimize } from '../../../../src/sql/optimizer/optimizer.ts';
import type { Rule, RuleContext } from '../../../../src/sql/optimizer/rule.ts';
import * as p from './plan-builders.ts';

const context: RuleContext = { functions: builtinFunctions, evaluation: { now: () => 0, random: () => 0.5 } };
const { column, literal } = p;
const plan = p.output(
  p.filter(p.filter(p.source(), p.above(column(1), literal(1))), p.above(column(2), literal(2))),
  [1],
);

test('records each step with the plans before and after', () => {
  const { plan: after, steps } = optimize(plan, context);
  expect(steps[0]).toMatchObject({ rule: 'merge-filters', before: plan });
  expect(steps.at(-1)!.after).toBe(after);
  for (let i = 1; i < steps.length; i++) expect(steps[i]!.before).toBe(steps[i - 1]!.after);
});

test('a second run finds nothing to do and gives the same object', () => {
  const { plan: once } = optimize(plan, context);
  const twice = optimize(once, context);
  expect(twice.plan).toBe(once);
  expect(twice.steps).toEqual([]);
});

test('a rule that changes the shape of the rows is named', () => {
  const rename: Rule = {
    name: 'rename-columns',
    order: 'top-down',
    apply: (node) =>
      node.kind === 'output' ? { ...node, columns: [{ ...node.columns[0]!, name: 'X' }] } : node,
  };
  expect(() => optimize(plan, context, [rename])).toThrow('rename-columns');
});

test('rules that undo each other are found out', () => {
  const flip: Rule = {
    name: 'flip-clause',
    order: 'top-down',
    apply: (node) =>
      node.kind === 'filter' ? { ...node, clause: node.clause === 'where' ? 'having' : 'where' } : node,
  };
  expect(() => optimize(plan, context, [flip])).toThrow(/circles: flip-clause/);
});

test('a rule that grows the plan for ever is found out', () => {
  const grow: Rule = {
    name: 'grow-filter',
    order: 'top-down',
    apply: (node) =>
      node.kind === 'output'
        ? { ...node, input: p.filter(node.input, p.above(column(1), literal(1))) }
        : node,
  };
  expect(() => optimize(plan, context, [grow])).toThrow(/does not end: grow-filter/);
});
