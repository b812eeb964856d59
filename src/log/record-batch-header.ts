/** The fixed head of a v2 record batch: https://kafka.apache.org/documentation/#recordbatch. Big-endian. */

export const BASE_OFFSET_AT = 0;
export const LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
/** The CRC covers the batch from here to its end. */
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const COUNT_AT = 57;
/** Where the records begin: the size of the head. */
export const RECORDS_AT = 61;
/** The length field counts from behind itself. */
export const LENGTH_END = 12;

export const CODEC_MASK = 0x07;
export const CODEC_NONE = 0;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
/** The base timestamp is the time from which on compaction may drop the tombstones (KIP-534). */
export const DELETE_HORIZON_BIT = 0x40;

/** A signed 64-bit integer as a number: exact while it is a safe integer. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

/** Writes a safe integer as 64 bits. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
}
