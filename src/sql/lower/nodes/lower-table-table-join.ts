import { keyedStore } from '../../../streams/topology/topology.ts';
import { must } from '../../../common/assert.ts';
import { addTableJoin } from '../../../streams/operations/table-join.ts';
import { joinedView, storeView } from '../../../streams/processors/table-view.ts';
import type { JoinNode } from '../../plan/node.ts';
import { storedRows } from '../stored-rows.ts';
import { type LoweredRows, type Lowering, madeOf, type Wanted } from '../lowered-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { joinedSources } from './joined-sources.ts';
import { newRowJoiner } from './join-rows.ts';

/** Equal primary keys. The result is kept only for pull queries: joins above compute it from the tables below. */
export function lowerTableTableJoin(
  node: JoinNode,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
): LoweredRows {
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
  const sources = joinedSources(left, right);
  const leftView = must(left.view, 'the tables of a join can be looked up');
  const rightView = must(right.view, 'the tables of a join can be looked up');
  const name = lowering.name(node.name);
  const joiner = newRowJoiner(node, wanted.columns);
  // Pull queries do not ask by window.
  const kept = wanted.keep === 'store' && node.window === null;
  const store = kept ? `${name}-table` : null;
  addTableJoin(lowering.topology, {
    name,
    sources,
    left: { parent: left.parent, name: `${name} left`, view: leftView },
    right: { parent: right.parent, name: `${name} right`, view: rightView },
    join,
    joiner,
    sendOldValues: wanted.old,
    store: store === null ? null : keyedStore(store, rowSerde(node.columns, [...wanted.columns])),
  });
  return {
    ...madeOf(left, name),
    sendsOld: wanted.old,
    sources,
    view: store === null ? joinedView(leftView, rightView, join, joiner) : storeView(store),
    stored: store === null ? null : storedRows(store),
  };
}
