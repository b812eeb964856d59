import { must } from '../../../common/assert.ts';
import { addStreamTableJoin } from '../../../streams/operations/stream-table-join.ts';
import type { JoinNode } from '../../plan/node.ts';
import { type LoweredRows, type Lowering, madeOf, viewOf, type Wanted } from '../lowered-rows.ts';
import { joinedSources } from './joined-sources.ts';
import { scratchJoiner } from './join-rows.ts';

/** Each left row with the table's row of its key, as it is then. */
export function lowerStreamTableJoin(
  node: JoinNode,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
): LoweredRows {
  const left = lowering.settle(
    lowering.lower(node.left, { columns: inputs[0]!, old: false, keep: 'nothing' }),
  );
  const right = lowering.lower(node.right, { columns: inputs[1]!, old: false, keep: 'view' });
  const sources = joinedSources(left, right);
  const table = must(viewOf(right), 'the table of a join can be looked up');
  const name = lowering.name(node.name);
  addStreamTableJoin(lowering.topology, {
    name,
    parents: [left.parent],
    sources,
    table,
    join: node.join === 'inner' ? 'inner' : 'left',
    quiet: node.narrowedFrom !== undefined,
    joiner: scratchJoiner(node, wanted.columns),
    wait: null,
  });
  return { ...madeOf(left, name), sources };
}
