import type { Compressor } from '../codecs.ts';
import { LateRefusal, LogError } from '../log.ts';
import type { TopicPartition } from '../log.ts';
import type { SealedBatch } from '../slab-appender.ts';
import { splitBatch } from '../split-batch.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import {
  errorOf,
  INVALID_RECORD,
  INVALID_TIMESTAMP,
  MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE,
} from './protocol-error.ts';

const TOO_LARGE: ReadonlySet<number> = new Set([MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE]);

/** Whether a batch was refused for its size, or for a record in it. None of it was appended then. */
export function isRefusal(code: number): boolean {
  return TOO_LARGE.has(code) || code === INVALID_RECORD || code === INVALID_TIMESTAMP;
}

/**
 * The batches that a batch is to be sent as, after it was refused with `code`, now that it is known what the topic takes.
 * Throws `LateRefusal` when there is a record in it that the topic takes in no batch, and another `LogError` when nobody
 * knows what is wrong with it.
 */
export async function takeApart(
  cluster: KafkaCluster,
  batch: SealedBatch,
  at: TopicPartition,
  code: number,
  compressor: Compressor | null,
): Promise<SealedBatch[]> {
  const { topic, partition } = at;
  const { limits, clock } = cluster;
  /** Null: by what is known the topic takes the batch as it is. */
  const split = (): SealedBatch[] | null => {
    const known = limits.of(topic, clock.now());
    if (known === null) return null;
    try {
      const parts = splitBatch(batch, at, known, compressor);
      return parts.length > 1 ? parts : null;
    } catch (error) {
      if (!(error instanceof LogError) || !error.refusesRecord) throw error;
      throw new LateRefusal(error.kind, error.message, { topic, partition });
    }
  };
  const before = split();
  if (before !== null) return before;
  await limits.learn(cluster, topic);
  const after = split();
  if (after !== null) return after;
  // The settings do not explain it, or could not be read: then the refusal itself says how large is too large.
  if (TOO_LARGE.has(code)) {
    limits.refused(topic, batch.bytes.length, batch.recordCount);
    const halves = split();
    if (halves !== null) return halves;
  }
  throw errorOf(code, `writing to ${topic}-${partition}`, at);
}
