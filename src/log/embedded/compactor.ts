import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { CompactedBatch } from './compacted-batch.ts';
import { compact, findCleanEnd } from './compaction.ts';
import { LastOffsets } from './last-offsets.ts';
import type { Topic } from './log-state.ts';
import type { PartitionLog } from './partition-log.ts';

export interface CompactorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes of a partition from which on it is worth compacting. */
  readonly bytesMin: number;
  /** What the keys of one compaction may take, in bytes. */
  readonly memoryBytesMax: number;
  readonly isStopped: () => boolean;
  /** Puts batches in the place of those whose offsets they cover. */
  readonly replace: (log: PartitionLog, batches: readonly CompactedBatch[]) => Promise<void>;
}

/** The part of a partition that must be dirty, as Kafka's `min.cleanable.dirty.ratio` has it by default. */
const DIRTY_MIN = 0.5;

/**
 * Decides when a partition is compacted, and compacts one at a time, so that there is one table of keys however many
 * partitions, topics and queries there are. Those that are due wait their turn.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #waiting = new Map<PartitionLog, Topic>();
  #current: PartitionLog | null = null;
  #running = false;
  /** Kept from one compaction to the next; null before the first. */
  #lastOffsets: LastOffsets | null = null;
  /** What was not worth it is looked at again when it has this size. */
  readonly #postponed = new WeakMap<PartitionLog, number>();

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** To be called when a partition of a compacted topic has grown: sees to it that it is compacted if that is due. */
  consider(topic: Topic, log: PartitionLog): void {
    if (log === this.#current || this.#waiting.has(log) || !this.#isDue(log)) return;
    this.#waiting.set(log, topic);
    if (!this.#running) void this.#run();
  }

  #isDue(log: PartitionLog): boolean {
    if (this.#options.isStopped() || log.deleted) return false;
    if (log.sizeBytes < (this.#postponed.get(log) ?? this.#options.bytesMin)) return false;
    return log.cleanEnd < 0 || log.sizeBytes - log.cleanBytes >= log.sizeBytes * DIRTY_MIN;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // What begins to wait meanwhile is met, too.
    for (const [log, topic] of this.#waiting) {
      this.#waiting.delete(log);
      this.#current = log;
      await this.#compact(topic, log);
      this.#current = null;
      this.consider(topic, log);
    }
    this.#running = false;
  }

  async #compact({ deleteRetentionMs, minCompactionLagMs }: Topic, log: PartitionLog): Promise<void> {
    const { clock, logger, isStopped, replace, memoryBytesMax } = this.#options;
    let done = false;
    try {
      if (log.cleanEnd < 0) log.cleanTo(await findCleanEnd(log, isStopped));
      if (!this.#isDue(log)) return;
      done = await compact(log, (this.#lastOffsets ??= new LastOffsets(memoryBytesMax)), {
        nowMs: clock.now(),
        deleteRetentionMs,
        minLagMs: minCompactionLagMs,
        isStopped,
        replace: (batches) => replace(log, batches),
      });
    } catch (error) {
      if (isStopped()) return;
      const { topic, partition } = log;
      logger.error(
        { topic, partition, error: String(error) },
        'a partition could not be compacted; trying again when it has doubled',
      );
    }
    if (done) this.#postponed.delete(log);
    else this.#postponed.set(log, log.sizeBytes * 2);
  }
}
