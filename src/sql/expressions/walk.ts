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

/** Rewrites bottom-up: operands first, then `f` on the node they are in. Identity is kept where nothing changes. */
export function transform(expression: Expression, f: (node: Expression) => Expression): Expression {
  return f(mapChildren(expression, (child) => transform(child, f)));
}

/** Whether `test` holds for the expression or anything in it. */
export function some(expression: Expression, test: (node: Expression) => boolean): boolean {
  return test(expression) || childrenOf(expression).some((child) => some(child, test));
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
  if (a === b) return true;
  if (a.kind !== b.kind || (a.guarded === true) !== (b.guarded === true) || !equalTypes(a.type, b.type))
    return false;
  if (!equalOwnParts(a, b)) return false;
  const left = childrenOf(a);
  const right = childrenOf(b);
  return left.length === right.length && left.every((child, i) => equalExpressions(child, right[i]!));
}

/** Everything of two nodes of one kind but their operands. */
function equalOwnParts(a: Expression, b: Expression): boolean {
  switch (a.kind) {
    case 'column':
      return b.kind === 'column' && a.index === b.index;
    case 'literal':
      return b.kind === 'literal' && openEquality(a.type)(a.value, b.value);
    case 'parameter':
      return b.kind === 'parameter' && a.id === b.id;
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
      return (
        b.kind === 'lambda' &&
        a.parameters.length === b.parameters.length &&
        a.parameters.every((id, i) => id === b.parameters[i])
      );
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
