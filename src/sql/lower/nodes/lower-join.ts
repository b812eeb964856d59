import { SqlError } from '../../../common/error.ts';
import { joinStreamTable } from '../../../streams/processors/join-stream-table.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { JoinNode } from '../../plan/node.ts';
import { equalFormats } from '../format-settings.ts';
import type { LoweredRows, Lowering, Wanted } from '../lowered-rows.ts';
import { applySteps } from '../row-chain.ts';

/** Stream-table: each left row with the table's row of its key, as it is then. */
export function lowerJoin(
  node: JoinNode,
  wanted: Wanted,
  left: LoweredRows,
  right: LoweredRows,
  lowering: Lowering,
): LoweredRows {
  if (node.shape !== 'stream-table' || (node.join !== 'inner' && node.join !== 'left'))
    throw new SqlError('ML_UNSUPPORTED', `${node.join} ${node.shape} joins cannot be run`, {
      hint: 'inner and left joins of a stream with a table can',
    });
  const { stored } = right;
  if (stored === null || stored.kind !== 'key-value')
    throw new SqlError('ML_UNSUPPORTED', 'the right side of this join cannot be looked up by its key', {
      hint: 'join with a table that is not windowed, by its primary key',
    });
  if (!equalFormats(left.key.format, right.key.format))
    throw new SqlError(
      'ML_UNSUPPORTED',
      `the stream's key is written as ${left.key.format.name}, the table's as ${right.key.format.name}`,
      { hint: 'give both the same KEY_FORMAT' },
    );
  const rows = lowering.settle(left);
  const name = lowering.name(node.name);
  const width = node.left.columns.length;
  const fromLeft = [...wanted.columns].filter((index) => index < width);
  const fromRight = [...wanted.columns].filter((index) => index >= width).map((index) => index - width);
  const row: SqlValue[] = node.columns.map(() => null);
  const { steps } = right;
  lowering.topology.addProcessor({
    name,
    open: joinStreamTable({
      store: stored.store,
      join: node.join,
      ...(steps.length === 0 ? {} : { view: (value) => applySteps(steps, value as SqlValue[]) }),
      joiner(leftValue, rightValue) {
        const leftRow = leftValue as readonly SqlValue[];
        for (let i = 0; i < fromLeft.length; i++) row[fromLeft[i]!] = leftRow[fromLeft[i]!]!;
        if (rightValue === null) {
          for (let i = 0; i < fromRight.length; i++) row[width + fromRight[i]!] = null;
        } else {
          const rightRow = rightValue as readonly SqlValue[];
          for (let i = 0; i < fromRight.length; i++) row[width + fromRight[i]!] = rightRow[fromRight[i]!]!;
        }
        return row;
      },
    }),
    parents: [rows.parent],
  });
  lowering.topology.connectStore(stored.store, name);
  return { ...rows, parent: name, changes: 'stream', rowOfKey: null, stored: null, raw: null };
}
