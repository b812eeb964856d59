import { readsOfInputs } from '../plan/column-reads.ts';
import type { PlanNode, SourceNode } from '../plan/node.ts';
import { inputsOf } from '../plan/plan-inputs.ts';

/** For each source of the plan, the columns that are read above it, or by itself. */
export function readsOfSources(root: PlanNode): ReadonlyMap<SourceNode, ReadonlySet<number>> {
  const reads = new Map<SourceNode, Set<number>>();
  const visit = (node: PlanNode, needed: ReadonlySet<number>): void => {
    if (node.kind === 'source') {
      const own = node.timestamp === null ? [] : [node.timestamp.column];
      reads.set(node, new Set([...(reads.get(node) ?? []), ...needed, ...own]));
      return;
    }
    const below = readsOfInputs(node, needed);
    inputsOf(node).forEach((input, i) => visit(input, below[i]!));
  };
  visit(root, new Set());
  return reads;
}
