import { createHash } from 'node:crypto';
import type { FunctionRegistry } from '../../functions/function.ts';
import type { Expression } from '../expressions/expression.ts';
import { some } from '../expressions/walk.ts';
import type { PlanNode } from './node.ts';
import { allNodes, inputsOf, withInputs } from './plan-inputs.ts';
import { storePlans } from './stored-plan.ts';
import type { Column } from '../../types/schema.ts';

/**
 * A digest of the meaning of a query: of its plan before any rule, with all that its sources declare and that it computes.
 * Not in it are the layout of the text, names that are used only on the way, and the partitions of topics. `others`: what
 * else the meaning depends on (bodies of functions, settings), by name.
 */
export function fingerprintOf(
  naive: PlanNode,
  functions: FunctionRegistry,
  others: ReadonlyMap<string, string>,
): string {
  const plan = storePlans([withoutNames(naive)], functions);
  const sorted = [...others].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([plan, sorted]))
    .digest('hex');
}

/**
 * The plan with the names taken away that nobody outside of the query sees: what is left are those of topics, of what
 * sources declare, and of what is written.
 */
function withoutNames(node: PlanNode): PlanNode {
  const inputs = inputsOf(node).map(withoutNames);
  switch (node.kind) {
    case 'source':
      return { ...node, alias: '', partitions: 0 };
    case 'sink': {
      const written = new Set([...node.keyPositions, ...node.valuePositions]);
      const columns = node.columns.map((column, i) => (written.has(i) ? column : nameless(column)));
      return withInputs({ ...node, columns }, inputs);
    }
    case 'output':
      return withInputs(node, inputs);
    default:
      return withInputs({ ...node, columns: node.columns.map(nameless) }, inputs);
  }
}

function nameless(column: Column): Column {
  return { ...column, name: '' };
}

/** Every function that the plan calls, by name. */
export function functionsOf(plan: PlanNode): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (expression: Expression): void => {
    some(expression, (each) => {
      if (each.kind === 'call') names.add(each.name);
      return false;
    });
  };
  for (const node of allNodes(plan)) {
    switch (node.kind) {
      case 'filter':
        add(node.predicate);
        break;
      case 'project':
        node.expressions.forEach(add);
        break;
      case 'flat-map':
      case 'aggregate':
        for (const { name, args } of node.kind === 'aggregate' ? node.calls : node.functions) {
          names.add(name);
          args.forEach(add);
        }
        break;
      case 'join':
        if (node.foreignKey !== null) add(node.foreignKey);
        break;
      default:
        break;
    }
  }
  return names;
}
