import type { Compressor } from './codecs.ts';
import type { TopicPartition } from './log.ts';
import { decodeBatches, readHeaders } from './record-batch-codec.ts';
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  readInt64,
  TRANSACTIONAL_BIT,
} from './record-batch-header.ts';
import { REQUEST_BYTES_LIMIT, SlabAppender } from './slab-appender.ts';
import type { SealedBatch, TopicLimits } from './slab-appender.ts';

/**
 * The records of a batch in batches that a topic takes, of the same producer and with the same sequence numbers
 * (KIP-126). Throws `LogError` `record-too-large` or `record-refused` for a record that the topic takes in no batch.
 */
export function splitBatch(
  { bytes }: SealedBatch,
  at: TopicPartition,
  limits: TopicLimits,
  compressor: Compressor | null,
): SealedBatch[] {
  const { topic, partition } = at;
  const appender = new SlabAppender(at, { limits, compressor, recordBytesMax: REQUEST_BYTES_LIMIT });
  for (const batch of decodeBatches(topic, partition, bytes, 0, bytes.length, 0, { checkCrc: false })
    .batches) {
    const { buffer, timestamps, keyStart, keyEnd, valueStart, valueEnd } = batch;
    for (let i = 0; i < batch.count; i++) {
      const headers = readHeaders(batch, i);
      appender.append(
        timestamps[i]!,
        buffer,
        keyStart[i]!,
        keyEnd[i]!,
        buffer,
        valueStart[i]!,
        valueEnd[i]!,
        headers.length === 0 ? null : headers,
      );
    }
  }
  return appender.take({
    producerId: readInt64(bytes, PRODUCER_ID_AT),
    producerEpoch: bytes.readInt16BE(PRODUCER_EPOCH_AT),
    sequence: bytes.readInt32BE(BASE_SEQUENCE_AT),
    isTransactional: (bytes.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_BIT) !== 0,
  });
}
