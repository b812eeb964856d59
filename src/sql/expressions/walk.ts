import type { FunctionRegistry } from '../../functions/function.ts';
import { openEquality } from '../../types/compare-values.ts';
import { equalTypes } from '../../types/equal-types.ts';
import type { Expression } from './expression.ts';

/**
 * The expression with `f` applied to each direct operand, in evaluation order. The same object when every `f` gave
 * back what it was given, so that rules can tell "nothing changed" by identity.
 */
export function mapChildren(expression: Expression, f: (child: Expression) => Expression): Expression {
  switch (expression.kind) {
    case 'column':
    case 'literal':
    case 'parameter':
      return expression;
    case 'arithmetic':
    case 'comparison':
    case 'logical': {
      const left = f(expression.left);
      const right = f(expression.right);
      return left === expression.left && right === expression.right
        ? expression
        : { ...expression, left, right };
    }
    case 'negate':
    case 'not':
    case 'is-null':
    case 'cast':
    case 'field': {
      const operand = f(expression.operand);
      return operand === expression.operand ? expression : { ...expression, operand };
    }
    case 'in': {
      const operand = f(expression.operand);
      const items = mapList(expression.items, f);
      return operand === expression.operand && items === expression.items
        ? expression
        : { ...expression, operand, items };
    }
    case 'like': {
      const operand = f(expression.operand);
      const pattern = f(expression.pattern);
      return operand === expression.operand && pattern === expression.pattern
        ? expression
        : { ...expression, operand, pattern };
    }
    case 'case': {
      const branches = mapList(expression.branches, (branch) => {
        const when = f(branch.when);
        const result = f(branch.result);
        return when === branch.when && result === branch.result ? branch : { when, result };
      });
      const otherwise = expression.otherwise === null ? null : f(expression.otherwise);
      return branches === expression.branches && otherwise === expression.otherwise
        ? expression
        : { ...expression, branches, otherwise };
    }
    case 'call': {
      const args = mapList(expression.args, f);
      return args === expression.args ? expression : { ...expression, args };
    }
    case 'subscript': {
      const operand = f(expression.operand);
      const index = f(expression.index);
      return operand === expression.operand && index === expression.index
        ? expression
        : { ...expression, operand, index };
    }
    case 'array': {
      const items = mapList(expression.items, f);
      return items === expression.items ? expression : { ...expression, items };
    }
    case 'map': {
      const entries = mapList(expression.entries, (entry) => {
        const key = f(entry.key);
        const value = f(entry.value);
        return key === entry.key && value === entry.value ? entry : { key, value };
      });
      return entries === expression.entries ? expression : { ...expression, entries };
    }
    case 'struct': {
      const fields = mapList(expression.fields, f);
      return fields === expression.fields ? expression : { ...expression, fields };
    }
    case 'lambda': {
      const body = f(expression.body);
      return body === expression.body ? expression : { ...expression, body };
    }
    case 'let': {
      const value = f(expression.value);
      const body = f(expression.body);
      return value === expression.value && body === expression.body
        ? expression
        : { ...expression, value, body };
    }
  }
}

function mapList<T>(items: readonly T[], f: (item: T) => T): readonly T[] {
  let changed = false;
  const mapped = items.map((item) => {
    const other = f(item);
    if (other !== item) changed = true;
    return other;
  });
  return changed ? mapped : items;
}

/** The direct operands, in evaluation order. */
export function childrenOf(expression: Expression): readonly Expression[] {
  const children: Expression[] = [];
  mapChildren(expression, (child) => {
    children.push(child);
    return child;
  });
  return children;
}

/**
 * The first of the direct operands that an operator or a call has, which is evaluated before anything else of it. Chains
 * of operators are deep here and nowhere else: `a + b + c` is `(a + b) + c`.
 */
export function firstOperand(expression: Expression): Expression | undefined {
  switch (expression.kind) {
    case 'arithmetic':
    case 'comparison':
    case 'logical':
      return expression.left;
    case 'negate':
    case 'not':
    case 'is-null':
    case 'cast':
    case 'field':
    case 'subscript':
    case 'in':
    case 'like':
      return expression.operand;
    case 'call':
      return expression.args[0];
    case 'let':
      return expression.value;
    default:
      return undefined;
  }
}

/** The operands of a chain of ANDs, left to right. A guarded AND is one operand: it fails as a whole. */
export function conjunctsOf(predicate: Expression): readonly Expression[] {
  const conjuncts: Expression[] = [];
  const open = [predicate];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'logical' && node.operator === 'and' && node.guarded !== true)
      open.push(node.right, node.left);
    else conjuncts.push(node);
  }
  return conjuncts;
}

/**
 * The result of `f` for the expression, given its results for the operands (in evaluation order), bottom-up. Where `leave`
 * gives something, that is the result of the node, and its operands are not looked at. All walks of an expression stand
 * on this or on `some`: neither recurses, so that a chain may be of any length.
 */
export function fold<T extends {} | null>(
  expression: Expression,
  f: (node: Expression, operands: readonly T[]) => T,
  leave: (node: Expression) => T | undefined = () => undefined,
): T {
  const open: Visit<T>[] = [];
  let next: Expression | undefined = expression;
  for (;;) {
    let result: T | undefined;
    if (next !== undefined) {
      result = leave(next);
      if (result === undefined) open.push({ node: next, children: childrenOf(next), results: [] });
    } else {
      const { node, results } = open.pop()!;
      result = f(node, results);
    }
    const visit = open.at(-1);
    if (result !== undefined) {
      if (visit === undefined) return result;
      visit.results.push(result);
    }
    next = visit!.children[visit!.results.length];
  }
}

/** A node on the way down, and what came of those of its operands that were looked at. */
interface Visit<T> {
  readonly node: Expression;
  readonly children: readonly Expression[];
  readonly results: T[];
}

/** Rewrites bottom-up: operands first, then `f` on the node they are in. Identity is kept where nothing changes. */
export function transform(expression: Expression, f: (node: Expression) => Expression): Expression {
  return fold<Expression>(expression, (node, operands) => f(withChildren(node, operands)));
}

/**
 * Rewrites top-down: where `f` gives an expression, that stands for the node and all that is in it; where it gives
 * undefined, the operands are looked at. Identity is kept where nothing changes.
 */
export function replace(expression: Expression, f: (node: Expression) => Expression | undefined): Expression {
  return fold<Expression>(expression, withChildren, f);
}

function withChildren(node: Expression, children: readonly Expression[]): Expression {
  let next = 0;
  return mapChildren(node, () => children[next++]!);
}

/** Whether `test` holds for the expression or anything in it, each node before its operands. */
export function some(expression: Expression, test: (node: Expression) => boolean): boolean {
  const open = [expression];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (test(node)) return true;
    const children = childrenOf(node);
    for (let i = children.length - 1; i >= 0; i--) open.push(children[i]!);
  }
  return false;
}

/** Positions of the input row that the expression reads. */
export function columnsOf(expression: Expression): ReadonlySet<number> {
  const found = new Set<number>();
  some(expression, (node) => {
    if (node.kind === 'column') found.add(node.index);
    return false;
  });
  return found;
}

/** The expression over another row: each column is replaced by the position or expression that `to` gives. */
export function mapColumns(expression: Expression, to: (index: number) => number | Expression): Expression {
  return transform(expression, (node) => {
    if (node.kind !== 'column') return node;
    const target = to(node.index);
    if (typeof target !== 'number') return target;
    return target === node.index ? node : { ...node, index: target };
  });
}

/** Whether evaluating it twice may give two answers: it must not be folded, copied or moved across a join. */
export function isVolatile(expression: Expression, registry: FunctionRegistry): boolean {
  return some(expression, (node) => {
    if (node.kind !== 'call') return false;
    const fn = registry.get(node.name);
    return fn !== undefined && fn.kind === 'scalar' && fn.volatile === true;
  });
}

/** Same structure, types and values: the two give the same answer for every row (when they are not volatile). */
export function equalExpressions(a: Expression, b: Expression): boolean {
  if (a.kind !== b.kind || sizeOf(a) !== sizeOf(b)) return false;
  // Ids of parameters tell lambdas of one expression apart; those of two may differ and mean the same.
  const ids = new Map<number, number>();
  const open: [Expression, Expression][] = [[a, b]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [one, other] = pair;
    if (one === other) continue;
    if (!equalNodes(one, other, ids)) return false;
    const left = childrenOf(one);
    const right = childrenOf(other);
    if (left.length !== right.length) return false;
    for (let i = left.length - 1; i >= 0; i--) open.push([left[i]!, right[i]!]);
  }
  return true;
}

const sizes = new WeakMap<Expression, number>();

/**
 * How many nodes there are in an expression. Kept, so that comparing every part of a chain with another expression looks
 * at each node once and not once for each part.
 */
function sizeOf(expression: Expression): number {
  return (
    sizes.get(expression) ??
    fold<number>(expression, (node, operands) => {
      const size = operands.reduce((sum, operand) => sum + operand, 1);
      sizes.set(node, size);
      return size;
    })
  );
}

function equalNodes(a: Expression, b: Expression, ids: Map<number, number>): boolean {
  return (
    a.kind === b.kind &&
    (a.guarded === true) === (b.guarded === true) &&
    equalTypes(a.type, b.type) &&
    equalOwnParts(a, b, ids)
  );
}

/** Everything of two nodes of one kind but their operands. `ids`: which parameter of `b` stands for which of `a`. */
function equalOwnParts(a: Expression, b: Expression, ids: Map<number, number>): boolean {
  switch (a.kind) {
    case 'column':
      return b.kind === 'column' && a.index === b.index;
    case 'literal':
      return b.kind === 'literal' && openEquality(a.type)(a.value, b.value);
    case 'parameter':
      return b.kind === 'parameter' && (ids.get(a.id) ?? a.id) === b.id;
    case 'arithmetic':
      return b.kind === 'arithmetic' && a.operator === b.operator;
    case 'comparison':
      return b.kind === 'comparison' && a.operator === b.operator;
    case 'logical':
      return b.kind === 'logical' && a.operator === b.operator;
    case 'is-null':
      return b.kind === 'is-null' && a.negated === b.negated;
    case 'in':
      return b.kind === 'in' && a.negated === b.negated && a.items.length === b.items.length;
    case 'like':
      return b.kind === 'like' && a.negated === b.negated && a.escape === b.escape;
    case 'case':
      return b.kind === 'case' && a.branches.length === b.branches.length;
    case 'call':
      return b.kind === 'call' && a.name === b.name && a.signature === b.signature;
    case 'field':
      return b.kind === 'field' && a.index === b.index;
    case 'lambda':
      if (b.kind !== 'lambda' || a.parameters.length !== b.parameters.length) return false;
      a.parameters.forEach((id, i) => ids.set(id, b.parameters[i]!));
      return true;
    case 'let':
      if (b.kind !== 'let') return false;
      ids.set(a.parameter, b.parameter);
      return true;
    case 'negate':
    case 'not':
    case 'cast':
    case 'subscript':
    case 'array':
    case 'map':
    case 'struct':
      return true;
  }
}
