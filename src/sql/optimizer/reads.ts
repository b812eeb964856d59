import type { Expression } from '../expressions/expression.ts';
import { childrenOf, mapColumns, some } from '../expressions/walk.ts';

/** How often each column is read. A column inside a lambda counts as many: it is read once an element. */
export function countReads(expressions: readonly Expression[]): ReadonlyMap<number, number> {
  const reads = new Map<number, number>();
  const open = expressions.map((expression): [Expression, number] => [expression, 1]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [expression, weight] = next;
    if (expression.kind === 'column')
      reads.set(expression.index, (reads.get(expression.index) ?? 0) + weight);
    const inner = expression.kind === 'lambda' ? 1000 : weight;
    for (const child of childrenOf(expression)) open.push([child, inner]);
  }
  return reads;
}

/** Puts `values[i]` where column i stood. */
export function substitute(expression: Expression, values: readonly Expression[]): Expression {
  return mapColumns(expression, (index) => values[index]!);
}

/** A column or a literal: free to repeat, cannot fail. */
export function isSimple(expression: Expression): boolean {
  return expression.kind === 'column' || expression.kind === 'literal';
}

/** Calls a function, matches a pattern or builds a nested value: worth computing once. */
export function isCostly(expression: Expression): boolean {
  return some(expression, ({ kind }) => COSTLY.has(kind));
}

const COSTLY: ReadonlySet<Expression['kind']> = new Set(['call', 'like', 'array', 'map', 'struct'] as const);
