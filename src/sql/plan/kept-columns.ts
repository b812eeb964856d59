import { equalTypes } from '../../types/equal-types.ts';
import type { PlanNode, PlanSource } from './node.ts';
import { allNodes, replaceSources } from './plan-inputs.ts';

/** The columns in the store of a table's source, in the layers in which they came. */
export function keptColumns({ kept, columns }: PlanSource): readonly (readonly number[])[] {
  return kept ?? [columns.flatMap((column, i) => (column.wanted ? [i] : []))];
}

/**
 * A plan that goes on with the rows of tables that another one has kept, which may have other columns: those that it adds
 * are null in the rows that are there. Null when it could not read them.
 */
export function keepingRowsOf(before: PlanNode, after: PlanNode): PlanNode | null {
  const old = new Map(
    allNodes(before).flatMap((node) =>
      node.kind === 'source' && node.materialized ? [[node.alias, node] as const] : [],
    ),
  );
  let isReadable = true;
  const plan = replaceSources(after, (source) => {
    const was = source.materialized ? old.get(source.alias) : undefined;
    if (was === undefined) return source;
    const layers = keptColumns(was).map((layer) =>
      layer.map((position) => {
        const { name, type } = was.columns[position]!;
        return source.columns.findIndex((column) => column.name === name && equalTypes(column.type, type));
      }),
    );
    if (layers.flat().includes(-1)) isReadable = false;
    const wanted = keptColumns(source).flat();
    const added = wanted.filter((position) => !layers.flat().includes(position));
    const kept = added.length === 0 ? layers : [...layers, added];
    return kept.length === 1 && kept[0]!.join() === wanted.join() ? source : { ...source, kept };
  });
  return isReadable ? plan : null;
}
