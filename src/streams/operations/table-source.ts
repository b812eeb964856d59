import { tableSource, type TableSourceOptions } from '../processors/table-source.ts';
import type { StoreDefinition, Topology } from '../topology/topology.ts';

export interface TableOptions extends Partial<Pick<TableSourceOptions, 'keep'>> {
  readonly name: string;
  readonly parents: readonly string[];
  /** Null for a table that nobody reads back. */
  readonly store: StoreDefinition | null;
  readonly sendOldValues: boolean;
}

/** Reads records as changes of a table, which is kept where it is to be read back. */
export function addTable(topology: Topology, options: TableOptions): void {
  const { name, parents, store, sendOldValues, keep = itself } = options;
  topology.addProcessor({
    name,
    parents,
    open: tableSource({ store: store?.options.name ?? null, sendOldValues, keep }),
    stores: store === null ? [] : [store],
  });
}

function itself(value: unknown): unknown {
  return value;
}
