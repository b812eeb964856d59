import { must } from '../../../common/assert.ts';
import { joinTables, type JoinTablesOptions, mergeTable } from '../../../streams/processors/join-tables.ts';
import { joinedView, storeView, type TableView } from '../../../streams/processors/table-view.ts';
import type { JoinNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering, Wanted } from '../lowered-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { copartition } from './copartition.ts';
import { newRowJoiner, type RowJoiner } from './join-rows.ts';
import type { JoinKind } from '../../analyzer/analyzed-query.ts';

/** What a change on the right is to a join, seen from there. */
const MIRRORED: { readonly [K in JoinKind]: JoinKind } = {
  inner: 'inner',
  left: 'right',
  right: 'left',
  outer: 'outer',
};

/** Equal primary keys. The result is kept only for pull queries: joins above compute it from the tables below. */
export function lowerTableTableJoin(
  node: JoinNode,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
): LoweredRows {
  const { topology } = lowering;
  const { join } = node;
  // A side without a row in the other is in the result by itself: only its old row tells whether it was.
  const leftOld = wanted.old || join === 'left' || join === 'outer';
  const rightOld = wanted.old || join === 'right' || join === 'outer';
  const lowerSide = (side: 0 | 1, old: boolean): LoweredRows =>
    lowering.settle(
      lowering.lower(side === 0 ? node.left : node.right, { columns: inputs[side]!, old, keep: 'view' }),
    );
  const left = lowerSide(0, leftOld);
  const right = lowerSide(1, rightOld);
  const topics = copartition(left, right, lowering);
  const leftView = must(left.view, 'the tables of a join can be looked up');
  const rightView = must(right.view, 'the tables of a join can be looked up');
  const name = lowering.name(node.name);
  const joiner = newRowJoiner(node, wanted.columns);
  const addSide = (side: string, parent: string, options: Omit<JoinTablesOptions, 'sendOldValues'>): void => {
    topology.addProcessor({
      name: side,
      open: joinTables({ ...options, sendOldValues: wanted.old }),
      parents: [parent],
    });
    for (const store of options.other.stores) topology.connectStore(store, side);
  };
  addSide(`${name} left`, left.parent, { other: rightView, join, joiner });
  addSide(`${name} right`, right.parent, {
    other: leftView,
    join: MIRRORED[join],
    joiner: (own, other) => joiner(other, own),
  });
  // Pull queries do not ask by window.
  const store = wanted.keep === 'store' && node.window === null ? `${name}-table` : null;
  topology.addProcessor({
    name,
    open: mergeTable({ store, sendOldValues: wanted.old }),
    parents: [`${name} left`, `${name} right`],
  });
  if (store !== null)
    topology.addStore({
      options: {
        kind: 'key-value',
        name: store,
        values: rowSerde(node.columns, [...wanted.columns]),
        changelog: true,
        persistent: true,
      },
      processors: [name],
    });
  return {
    ...left,
    parent: name,
    steps: [],
    sendsOld: wanted.old,
    rowOfKey: null,
    topics,
    view: store === null ? viewOfJoin(join, leftView, rightView, joiner) : storeView(store),
    stored: store === null ? null : storedRows(store),
    raw: null,
  };
}

/** Rows of a key-value store as they are. */
export function storedRows(store: string): NonNullable<LoweredRows['stored']> {
  return { store, kind: 'key-value', windowSizeMs: null, rowOf: (value) => value as never };
}

function viewOfJoin(join: JoinKind, left: TableView, right: TableView, joiner: RowJoiner): TableView {
  return join === 'right'
    ? joinedView(right, left, 'left', (rightRow, leftRow) => joiner(leftRow, rightRow))
    : joinedView(left, right, join, joiner);
}
