import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import type { Graph, GraphNode } from './graph.ts';
import type { TableSupplier } from './table-suppliers.ts';

/** Where a table stands in the graph. */
export interface TableHandle {
  readonly graph: Graph;
  readonly node: GraphNode;
  readonly keySerde: Serde | undefined;
  readonly valueSerde: Serde | undefined;
  readonly sources: ReadonlySet<string>;
  readonly supplier: TableSupplier;
  readonly queryableStore?: string | undefined;
  readonly window?: WindowedKeyFormat | undefined;
  /** How long after its end a window of this table may still change. */
  readonly graceMs?: number | undefined;
  /** How far back the versions of this table go, its own or those it is a view of; undefined: only the latest rows. */
  readonly historyMs?: number | undefined;
}
