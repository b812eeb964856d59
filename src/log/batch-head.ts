import { crc32c } from './crc32c.ts';
import {
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LENGTH_AT,
  LENGTH_END,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  TRANSACTIONAL_BIT,
  writeInt64,
} from './record-batch-header.ts';

/** What the head of a batch says of its records. */
export interface BatchHead {
  readonly baseOffset: number;
  /** The codec and the other bits. */
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  /** What the records' timestamps count from. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly count: number;
}

/** Who writes a batch, for brokers that tell repeated batches by it (KIP-98). */
export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** The first record's number among the producer's records of the partition. */
  readonly sequence: number;
  /** Whether the batch belongs to a transaction, and is nothing until that is committed. */
  readonly isTransactional?: boolean;
}

export const NO_PRODUCER: ProducerStamp = { producerId: -1, producerEpoch: -1, sequence: -1 };

/** Writes the head of a batch whose records are in `bytes`, and its CRC. */
export function writeBatchHead(bytes: Buffer, head: BatchHead, producer: ProducerStamp): void {
  writeInt64(bytes, BASE_OFFSET_AT, head.baseOffset);
  bytes.writeInt32BE(bytes.length - LENGTH_END, LENGTH_AT);
  bytes.writeInt32BE(-1, LEADER_EPOCH_AT);
  bytes.writeInt8(2, MAGIC_AT);
  const transactional = producer.isTransactional === true ? TRANSACTIONAL_BIT : 0;
  bytes.writeInt16BE(head.attributes | transactional, ATTRIBUTES_AT);
  bytes.writeInt32BE(head.lastOffsetDelta, LAST_OFFSET_DELTA_AT);
  writeInt64(bytes, BASE_TIMESTAMP_AT, head.baseTimestamp);
  writeInt64(bytes, MAX_TIMESTAMP_AT, head.maxTimestamp);
  bytes.writeInt32BE(head.count, COUNT_AT);
  restampBatch(bytes, producer);
}

/** Writes another producer into a finished batch, and its new CRC. */
export function restampBatch(bytes: Buffer, producer: ProducerStamp): void {
  writeInt64(bytes, PRODUCER_ID_AT, producer.producerId);
  bytes.writeInt16BE(producer.producerEpoch, PRODUCER_EPOCH_AT);
  bytes.writeInt32BE(producer.sequence, BASE_SEQUENCE_AT);
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT), CRC_AT);
}
