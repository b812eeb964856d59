import type { Graph, GraphNode } from './graph.ts';
import type { KGroupedTable } from './grouped-table.ts';
import type { KStream } from './kstream.ts';
import type { Grouped } from './options.ts';
import type { StreamHandle } from './stream-handle.ts';

/** The parts of a grouped table. */
export interface GroupedTableHandle<K, V> {
  readonly graph: Graph;
  readonly node: GraphNode;
  readonly grouped: Grouped<K, V>;
}

/**
 * Makes what tables turn into. Streams and groupings make tables, so tables cannot import them in turn: the builder, which
 * knows all of them, hands this down.
 */
export interface Fluent {
  stream<K, V>(handle: StreamHandle): KStream<K, V>;
  groupedTable<K, V>(handle: GroupedTableHandle<K, V>): KGroupedTable<K, V>;
}
