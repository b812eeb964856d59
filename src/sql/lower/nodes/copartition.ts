import { SqlError } from '../../../common/error.ts';
import { equalBytesFormats } from '../../plan/key-format.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';

/** Says that both sides are partitioned alike. Their keys must be the same bytes to meet. */
export function copartition(left: LoweredRows, right: LoweredRows, lowering: Lowering): readonly string[] {
  if (!equalBytesFormats(left.key.format, right.key.format))
    throw new SqlError(
      'ML_UNSUPPORTED',
      `the key of one side of a join is written as ${left.key.format.name}, the other's as ${right.key.format.name}`,
      { hint: 'give both the same KEY_FORMAT' },
    );
  const topics = [...new Set([...left.topics, ...right.topics])];
  lowering.topology.addCopartition(topics);
  return topics;
}
