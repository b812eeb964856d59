import { must } from '../../../common/assert.ts';
import { forEach } from '../../../streams/processors/for-each.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { OutputNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';

/** Hands rows to the client of a push query. A stream's records without a value are not rows; a table's removals are tombstones. */
export function lowerOutput(node: OutputNode, input: LoweredRows, lowering: Lowering): LoweredRows {
  const push = must(lowering.context.push, 'an output needs somebody to push to');
  const rows = lowering.settle(input);
  const { positions, input: below } = node;
  const table = below.changes === 'table';
  const keyIndex = positions.map((position) => below.key.indexOf(position));
  const startColumn = below.window?.startColumn ?? -1;
  const endColumn = below.window?.endColumn ?? -1;
  lowering.add(
    'output',
    rows.parent,
    forEach((key, value) => {
      if (value !== null) {
        const row = value as readonly SqlValue[];
        push(
          positions.map((position) => row[position]!),
          false,
        );
      } else if (table) {
        const values = key.value as readonly SqlValue[] | null;
        push(
          positions.map((position, i) => {
            if (position === startColumn) return key.windowStart;
            if (position === endColumn) return key.windowEnd;
            return keyIndex[i]! < 0 ? null : (values?.[keyIndex[i]!] ?? null);
          }),
          true,
        );
      }
    }),
  );
  return rows;
}
