import { joinTables, mergeTable } from '../processors/join-tables.ts';
import type { ValueJoiner } from '../topology/processor.ts';
import type { TableJoinKind, TableView } from '../processors/table-view.ts';
import type { StoreDefinition, Topology } from '../topology/topology.ts';

export interface TableJoinSide {
  /** The node whose changes are joined. Of a side that is in the result without the other, they carry old rows. */
  readonly parent: string;
  /** The node that joins them. */
  readonly name: string;
  readonly view: TableView;
}

export interface TableJoinOptions {
  /** The node that the result leaves. */
  readonly name: string;
  /** The sources of both sides, which are partitioned alike. */
  readonly sources: Iterable<string>;
  readonly left: TableJoinSide;
  readonly right: TableJoinSide;
  readonly join: TableJoinKind;
  readonly joiner: ValueJoiner;
  readonly sendOldValues: boolean;
  /** Keeps the result, where it is to be kept. */
  readonly store: StoreDefinition | null;
}

/** The kind of a join, seen from its right side. */
const MIRRORED: { readonly [K in TableJoinKind]: TableJoinKind } = {
  inner: 'inner',
  left: 'right',
  right: 'left',
  outer: 'outer',
};

/** Joins two tables of the same keys. A result that is not kept is computed from both again when it is looked up. */
export function addTableJoin(topology: Topology, options: TableJoinOptions): void {
  const { name, left, right, join, joiner, sendOldValues, store } = options;
  topology.addCopartition(options.sources);
  topology.addProcessor({
    name: left.name,
    parents: [left.parent],
    open: joinTables({ other: right.view, join, joiner, sendOldValues }),
    uses: right.view.stores,
  });
  const mirrored: ValueJoiner = (own, other, key) => joiner(other, own, key);
  topology.addProcessor({
    name: right.name,
    parents: [right.parent],
    open: joinTables({ other: left.view, join: MIRRORED[join], joiner: mirrored, sendOldValues }),
    uses: left.view.stores,
  });
  topology.addProcessor({
    name,
    parents: [left.name, right.name],
    open: mergeTable({ store: store?.options.name ?? null, sendOldValues }),
    stores: store === null ? [] : [store],
  });
}
