import type { PlanNode, SourceNode } from '../../plan/node.ts';
import { inputsOf, withInputs } from '../../plan/plan-inputs.ts';
import { readsOfSources } from '../column-reads.ts';
import type { Rule } from '../rule.ts';

/**
 * What: a source's columns that nobody above it reads are not wanted.
 * Why good: formats skip over them. Decoding is most of what a record costs.
 * Illegal: for the column of the TIMESTAMP property, which the source itself reads; where the plan does not end in a
 * sink or output: then it is not known who reads (`CREATE SOURCE TABLE` keeps whole rows). A value that cannot be
 * read but is not wanted no longer makes its record fail.
 * After: prune-columns: what a project computes for nobody still counts as read.
 */
export const pruneSourceColumns: Rule = {
  name: 'prune-source-columns',
  order: 'top-down',
  apply(node) {
    if (node.kind !== 'sink' && node.kind !== 'output') return node;
    const reads = readsOfSources(node);
    return replaceSources(node, (source) => {
      const read = reads.get(source);
      if (read === undefined || !source.columns.some((column, i) => column.wanted && !read.has(i)))
        return source;
      return {
        ...source,
        columns: source.columns.map((column, i) =>
          column.wanted && !read.has(i) ? { ...column, wanted: false } : column,
        ),
      };
    });
  },
};

/**
 * The plan over other sources. Nodes that repeat their input's columns get the new ones' names and types, which are
 * the old ones.
 */
export function replaceSources(node: PlanNode, change: (source: SourceNode) => SourceNode): PlanNode {
  if (node.kind === 'source') return change(node);
  return withInputs(
    node,
    inputsOf(node).map((input) => replaceSources(input, change)),
  );
}
