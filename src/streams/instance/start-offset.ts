import { must } from '../../common/assert.ts';
import { LogError, type TopicPartition } from '../../log/log.ts';
import type { OffsetReset } from '../topology/offset-reset.ts';
import type { StreamsOptions } from './streams-options.ts';

/**
 * The committed offset, or where the reset policy says; an offset that is gone is reset, and that is logged. Throws
 * `LogError` `offset-out-of-range` where the policy is `none`.
 */
export async function startOffset(
  options: StreamsOptions,
  { topic, partition }: TopicPartition,
  committed: number | undefined,
  reset: OffsetReset,
): Promise<number> {
  const { log, logger, applicationId, clock } = options;
  const { start, end } = must((await log.admin.offsets(topic))[partition]);
  if (committed !== undefined && committed >= start && committed <= end) return committed;
  if (reset === 'none')
    throw new LogError(
      'offset-out-of-range',
      `group ${applicationId} has ${committed === undefined ? 'no offset' : `offset ${committed}, which is gone,`} ` +
        `for partition ${partition} of topic ${topic}, and the source's reset policy is none; ` +
        'set an offset, or choose another policy',
      { topic, partition },
    );
  const offset =
    reset === 'earliest'
      ? start
      : reset === 'latest'
        ? end
        : must((await log.admin.offsetsForTime(topic, clock.now() - reset.byDurationMs))[partition]);
  if (committed !== undefined)
    logger.warn({ topic, partition, committed, start, end, offset }, 'committed offset is out of range');
  return offset;
}
