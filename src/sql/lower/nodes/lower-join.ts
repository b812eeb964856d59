import { unreachable } from '../../../common/assert.ts';
import type { JoinNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering, Wanted } from '../lowered-rows.ts';
import { lowerForeignKeyJoin } from './lower-foreign-key-join.ts';
import { lowerStreamStreamJoin } from './lower-stream-stream-join.ts';
import { lowerStreamTableJoin } from './lower-stream-table-join.ts';
import { lowerTableTableJoin } from './lower-table-table-join.ts';

/** `inputs`: the columns of each side that are read. */
export function lowerJoin(
  node: JoinNode,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
): LoweredRows {
  switch (node.shape) {
    case 'stream-table':
      return lowerStreamTableJoin(node, wanted, inputs, lowering);
    case 'stream-stream':
      return lowerStreamStreamJoin(node, wanted, inputs, lowering);
    case 'table-table':
      return lowerTableTableJoin(node, wanted, inputs, lowering);
    case 'foreign-key':
      return lowerForeignKeyJoin(node, wanted, inputs, lowering);
    default:
      return unreachable(node.shape);
  }
}
