import type { Column } from '../../types/schema.ts';
import type { WindowShape } from '../analyzer/analyzed-query.ts';
import type { SideFormat } from '../catalog/source.ts';
import type { Expression } from '../expressions/expression.ts';
import type { FilterNode, PlanNode, ProjectNode, RepartitionNode, RowShape } from './node.ts';

/** Nodes over an input, with the shape that follows from it: what the builder and the rules of the optimizer make. */

/** The shape of a node's rows, for a node that passes them on. */
export function shapeOf({ columns, key, window, changes }: PlanNode): RowShape {
  return { columns, key, window, changes };
}

export function filter(input: PlanNode, predicate: Expression, clause: FilterNode['clause']): FilterNode {
  return { kind: 'filter', input, predicate, clause, ...shapeOf(input) };
}

/** Computes `expressions`, named in order. `key` and `window` are positions in the new row. */
export function project(
  input: PlanNode,
  expressions: readonly Expression[],
  names: readonly string[],
  key: readonly number[],
  window: WindowShape | null,
): ProjectNode {
  const columns = expressions.map(({ type }, i): Column => ({ name: names[i]!, type }));
  return { kind: 'project', input, expressions, columns, key, window, changes: input.changes };
}

/** The input's columns and some more at the end; key and window stay. */
export function extend(
  input: PlanNode,
  expressions: readonly Expression[],
  names: readonly string[],
): PlanNode {
  if (expressions.length === 0) return input;
  return project(
    input,
    [
      ...input.columns.map(({ type }, index): Expression => ({ kind: 'column', type, index })),
      ...expressions,
    ],
    [...input.columns.map((column) => column.name), ...names],
    input.key,
    input.window,
  );
}

export function repartition(
  input: PlanNode,
  key: readonly number[],
  name: string,
  keyFormat: SideFormat,
  nullKeys: RepartitionNode['nullKeys'],
): RepartitionNode {
  const shape = { ...shapeOf(input), key, window: null };
  return { kind: 'repartition', input, name, keyFormat, nullKeys, throughTopic: true, ...shape };
}
