import { columnsOf } from '../expressions/walk.ts';
import type { PlanNode, SourceNode } from '../plan/node.ts';

/** For each source of the plan, the columns that are read above it. The root's own columns count as read. */
export function readsOfSources(root: PlanNode): ReadonlyMap<SourceNode, ReadonlySet<number>> {
  const reads = new Map<SourceNode, Set<number>>();
  const visit = (node: PlanNode, needed: ReadonlySet<number>): void => {
    switch (node.kind) {
      case 'source': {
        const known = reads.get(node) ?? new Set();
        for (const index of needed) known.add(index);
        if (node.timestamp !== null) known.add(node.timestamp.column);
        reads.set(node, known);
        return;
      }
      case 'filter':
        return visit(node.input, new Set([...needed, ...columnsOf(node.predicate)]));
      case 'project': {
        const read = [...needed].flatMap((index) => {
          const expression = node.expressions[index];
          return expression === undefined ? [] : [...columnsOf(expression)];
        });
        return visit(node.input, new Set(read));
      }
      case 'flat-map': {
        const width = node.input.columns.length;
        const args = node.functions.flatMap((call) => call.args.flatMap((arg) => [...columnsOf(arg)]));
        return visit(node.input, new Set([...[...needed].filter((index) => index < width), ...args]));
      }
      case 'repartition':
        return visit(node.input, new Set([...needed, ...node.key]));
      case 'aggregate': {
        const args = node.calls.flatMap((call) => call.args.flatMap((arg) => [...columnsOf(arg)]));
        return visit(node.input, new Set(args));
      }
      case 'join': {
        const width = node.left.columns.length;
        const foreign = node.foreignKey === null ? [] : [...columnsOf(node.foreignKey)];
        visit(node.left, new Set([...[...needed].filter((index) => index < width), ...foreign]));
        return visit(
          node.right,
          new Set([...needed].filter((index) => index >= width).map((index) => index - width)),
        );
      }
      case 'sink': {
        const time = node.timestamp === null ? [] : [node.timestamp.column];
        return visit(node.input, new Set([...node.keyPositions, ...node.valuePositions, ...time]));
      }
      case 'output':
        return visit(node.input, new Set(node.positions));
    }
  };
  visit(root, new Set(root.columns.map((_, index) => index)));
  return reads;
}
