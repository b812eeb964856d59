import { SqlError } from '../../../common/error.ts';
import { equalBytesFormats } from '../../plan/key-format.ts';
import type { LoweredRows } from '../lowered-rows.ts';

/** The sources of both sides of a join, whose keys must be the same bytes to meet. */
export function joinedSources(left: LoweredRows, right: LoweredRows): readonly string[] {
  if (!equalBytesFormats(left.key.format, right.key.format))
    throw new SqlError(
      'ML_UNSUPPORTED',
      `the key of one side of a join is written as ${left.key.format.name}, the other's as ${right.key.format.name}`,
      { hint: 'give both the same KEY_FORMAT' },
    );
  return [...new Set([...left.sources, ...right.sources])];
}
