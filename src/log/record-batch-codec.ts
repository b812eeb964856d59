import { crc32c } from './crc32c.ts';
import { CODECS } from './codecs.ts';
import { LogError } from './log.ts';
import {
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_TIMESTAMP_AT,
  CODEC_MASK,
  CODEC_NONE,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  LENGTH_END,
  LOG_APPEND_TIME_BIT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_ID_AT,
  readInt64,
  RECORDS_AT,
  TRANSACTIONAL_BIT,
} from './record-batch-header.ts';
import type { Header, RecordBatch } from './record-batch.ts';

/** An aborted transaction as a fetch response lists it: its records begin at `firstOffset`. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface DecodeOptions {
  /** Whether to check each batch's CRC-32C. Default true. */
  readonly checkCrc?: boolean;
  /** Transactions whose records are to be dropped, in any order. Absent or null: nothing is dropped. */
  readonly aborted?: readonly AbortedTransaction[] | null;
}

export interface DecodedBatches {
  /** In offset order; each has at least one record at or after the position that was asked for. */
  readonly batches: RecordBatch[];
  /** The offset after the last complete batch, returned or stepped over; the given position if there is none. */
  readonly nextOffset: number;
}

/** No record is smaller: length, attributes, two deltas, two null lengths, header count. */
const RECORD_BYTES_MIN = 7;

/**
 * Walks the record batches in `buffer[start, end)`, which may end in the middle of one (Kafka cuts a response
 * where its limit falls). Control batches, empty batches (compaction leaves them) and batches of aborted
 * transactions move `nextOffset` and are not returned. The returned batches refer to `buffer` unless they were
 * compressed. Throws `LogError`: `corrupt`, `unsupported-codec`.
 */
export function decodeBatches(
  topic: string,
  partition: number,
  buffer: Buffer,
  start: number,
  end: number,
  position: number,
  options: DecodeOptions = {},
): DecodedBatches {
  const batches: RecordBatch[] = [];
  const checkCrc = options.checkCrc ?? true;
  const aborted = (options.aborted ?? []).length === 0 ? null : new AbortedFilter(options.aborted!);
  let nextOffset = position;
  let at = start;
  while (end - at >= MAGIC_AT + 1) {
    const baseOffset = readInt64(buffer, at + BASE_OFFSET_AT);
    const length = buffer.readInt32BE(at + LENGTH_AT);
    const magic = buffer.readInt8(at + MAGIC_AT);
    if (magic !== 2) throw wrongMagic(magic, topic, partition, baseOffset);
    if (length < RECORDS_AT - LENGTH_END)
      throw corrupt('a batch length is too small', topic, partition, baseOffset);
    const batchEnd = at + LENGTH_END + length;
    if (batchEnd > end) break;
    if (checkCrc && crc32c(buffer, at + ATTRIBUTES_AT, batchEnd) !== buffer.readUInt32BE(at + CRC_AT))
      throw corrupt('the checksum of a batch does not match its bytes', topic, partition, baseOffset);

    const attributes = buffer.readInt16BE(at + ATTRIBUTES_AT);
    const lastOffset = baseOffset + buffer.readInt32BE(at + LAST_OFFSET_DELTA_AT);
    if (lastOffset < baseOffset) throw corrupt('a batch ends before it begins', topic, partition, baseOffset);
    const hidden = aborted !== null && aborted.hides(buffer, at, attributes, lastOffset);
    if (lastOffset >= position && !hidden && (attributes & CONTROL_BIT) === 0) {
      const batch = decodeBatch(topic, partition, buffer, at, batchEnd, attributes, baseOffset, position);
      if (batch !== null) batches.push(batch);
    }
    if (lastOffset >= nextOffset) nextOffset = lastOffset + 1;
    at = batchEnd;
  }
  return { batches, nextOffset };
}

/**
 * Tells batches of aborted transactions. A producer is aborting from the transaction's first offset until its
 * abort marker, so every listed transaction that begins at or before a batch's last offset is taken in before
 * the batch is judged (as Kafka's Java consumer does), and only a marker in a control batch ends one.
 */
class AbortedFilter {
  readonly #pending: AbortedTransaction[];
  readonly #aborting = new Set<number>();
  #next = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  hides(buffer: Buffer, at: number, attributes: number, lastOffset: number): boolean {
    for (; this.#next < this.#pending.length; this.#next++) {
      const transaction = this.#pending[this.#next]!;
      if (transaction.firstOffset > lastOffset) break;
      this.#aborting.add(transaction.producerId);
    }
    if ((attributes & TRANSACTIONAL_BIT) === 0) return false;
    const producerId = readInt64(buffer, at + PRODUCER_ID_AT);
    if ((attributes & CONTROL_BIT) === 0) return this.#aborting.has(producerId);
    if (isAbortMarker(buffer, at)) this.#aborting.delete(producerId);
    return true;
  }
}

/** A control record's key is a version and a type, both 16 bits; type 0 is abort. Markers are never compressed. */
function isAbortMarker(buffer: Buffer, at: number): boolean {
  if (buffer.readInt32BE(at + COUNT_AT) < 1) return false;
  let p = at + RECORDS_AT;
  const skipVarint = (): void => {
    while ((buffer[p++]! & 0x80) !== 0);
  };
  skipVarint(); // length
  p++; // attributes
  skipVarint(); // timestamp
  skipVarint(); // offset
  skipVarint(); // key length
  return p + 4 <= buffer.length && buffer.readInt16BE(p + 2) === 0;
}

function decodeBatch(
  topic: string,
  partition: number,
  buffer: Buffer,
  at: number,
  batchEnd: number,
  attributes: number,
  baseOffset: number,
  position: number,
): RecordBatch | null {
  const count = buffer.readInt32BE(at + COUNT_AT);
  if (count === 0) return null;
  const lastOffsetDelta = buffer.readInt32BE(at + LAST_OFFSET_DELTA_AT);
  // With delete horizons (KIP-534) this field holds the horizon instead, and the deltas refer to it all the same.
  const baseTimestamp = readInt64(buffer, at + BASE_TIMESTAMP_AT);
  const appendTime =
    (attributes & LOG_APPEND_TIME_BIT) !== 0 ? readInt64(buffer, at + MAX_TIMESTAMP_AT) : null;

  let bytes = buffer;
  let p = at + RECORDS_AT;
  let end = batchEnd;
  const codec = attributes & CODEC_MASK;
  if (codec !== CODEC_NONE) {
    bytes = inflate(codec, buffer.subarray(p, end), topic, partition, baseOffset);
    p = 0;
    end = bytes.length;
  }
  if (count < 0 || count > (end - p) / RECORD_BYTES_MIN)
    throw corrupt('a batch claims more records than it has room for', topic, partition, baseOffset);

  const offsets = new Float64Array(count);
  const timestamps = new Float64Array(count);
  const keyStart = new Int32Array(count);
  const keyEnd = new Int32Array(count);
  const valueStart = new Int32Array(count);
  const valueEnd = new Int32Array(count);
  const headersStart = new Int32Array(count);

  let byte = 0;
  let n = 0;
  for (let i = 0; i < count; i++) {
    // Varints are read in place: a call, or an object to carry the position, would cost more than the reading.
    // Reading past the end yields undefined, which the bit operations take as 0, and the checks below find it.
    byte = bytes[p++]!;
    n = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = bytes[p++]!;
      n |= (byte & 0x7f) << shift;
    }
    const recordEnd = p + ((n >>> 1) ^ -(n & 1));
    if (recordEnd > end || recordEnd < p)
      throw corrupt('a record runs over its batch', topic, partition, baseOffset);
    p++; // record attributes: unused

    byte = bytes[p++]!;
    n = byte & 0x7f;
    if (byte > 0x7f) {
      byte = bytes[p++]!;
      n |= (byte & 0x7f) << 7;
      if (byte > 0x7f) {
        byte = bytes[p++]!;
        n |= (byte & 0x7f) << 14;
        if (byte > 0x7f) {
          byte = bytes[p++]!;
          n |= (byte & 0x7f) << 21;
          // 64-bit deltas: beyond 28 bits in doubles.
          for (let scale = 0x1000_0000; byte > 0x7f && p < recordEnd; scale *= 0x80) {
            byte = bytes[p++]!;
            n += (byte & 0x7f) * scale;
          }
        }
      }
    }
    const timestampDelta = n <= 0x7fffffff ? (n >>> 1) ^ -(n & 1) : n % 2 === 0 ? n / 2 : -(n + 1) / 2;

    byte = bytes[p++]!;
    n = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = bytes[p++]!;
      n |= (byte & 0x7f) << shift;
    }
    const offsetDelta = (n >>> 1) ^ -(n & 1);
    if (offsetDelta < 0 || offsetDelta > lastOffsetDelta)
      throw corrupt('a record has an offset outside its batch', topic, partition, baseOffset);
    offsets[i] = baseOffset + offsetDelta;
    timestamps[i] = appendTime ?? baseTimestamp + timestampDelta;

    byte = bytes[p++]!;
    n = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = bytes[p++]!;
      n |= (byte & 0x7f) << shift;
    }
    n = (n >>> 1) ^ -(n & 1);
    if (n > recordEnd - p) throw corrupt('a key runs over its record', topic, partition, baseOffset);
    if (n < 0) {
      keyStart[i] = -1;
      keyEnd[i] = -1;
    } else {
      keyStart[i] = p;
      p += n;
      keyEnd[i] = p;
    }

    byte = bytes[p++]!;
    n = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = bytes[p++]!;
      n |= (byte & 0x7f) << shift;
    }
    n = (n >>> 1) ^ -(n & 1);
    if (n > recordEnd - p) throw corrupt('a value runs over its record', topic, partition, baseOffset);
    if (n < 0) {
      valueStart[i] = -1;
      valueEnd[i] = -1;
    } else {
      valueStart[i] = p;
      p += n;
      valueEnd[i] = p;
    }

    // At least the header count must follow.
    if (p >= recordEnd) throw corrupt('a record is cut short', topic, partition, baseOffset);
    headersStart[i] = p;
    p = recordEnd;
  }

  let first = 0;
  if (baseOffset < position) {
    while (first < count && offsets[first]! < position) first++;
    // The position may lie in a gap behind the last record that compaction left.
    if (first === count) return null;
  }
  return {
    topic,
    partition,
    buffer: bytes,
    count,
    first,
    nextOffset: baseOffset + lastOffsetDelta + 1,
    offsets,
    timestamps,
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
    headersStart,
    sizeBytes: batchEnd - at,
  };
}

function inflate(number: number, bytes: Buffer, topic: string, partition: number, offset: number): Buffer {
  const codec = CODECS[number];
  if (codec === undefined)
    throw new LogError(
      'unsupported-codec',
      `topic ${topic} holds a batch with the unknown compression codec ${number}: ` +
        `set compression.type on its producers to gzip, snappy, lz4, zstd or none`,
      { topic, partition, offset },
    );
  try {
    return codec.decompress(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(`a batch cannot be decompressed by ${codec.name} (${reason})`, topic, partition, offset);
  }
}

function wrongMagic(magic: number, topic: string, partition: number, offset: number): LogError {
  if (magic !== 0 && magic !== 1)
    return corrupt(`a batch has the unknown format version ${magic}`, topic, partition, offset);
  return new LogError(
    'unsupported-codec',
    `topic ${topic} holds messages in the format of Kafka before 0.11 (version ${magic}), which is not supported: ` +
      `copy the topic with a current client`,
    { topic, partition, offset },
  );
}

function corrupt(what: string, topic: string, partition: number, offset: number): LogError {
  return new LogError('corrupt', `${what} (${topic}-${partition} at offset ${offset})`, {
    topic,
    partition,
    offset,
  });
}

/**
 * The headers of record `i`, in order, duplicates and all. Values are views into the batch. Throws `LogError`
 * `corrupt`.
 */
export function readHeaders(batch: RecordBatch, i: number): Header[] {
  const bytes = batch.buffer;
  let p = batch.headersStart[i]!;
  const fail = (): LogError =>
    corrupt('the headers of a record cannot be read', batch.topic, batch.partition, batch.offsets[i]!);
  const varint = (): number => {
    let n = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (p >= bytes.length) throw fail();
      const byte = bytes[p++]!;
      n |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (n >>> 1) ^ -(n & 1);
    }
    throw fail();
  };
  const size = varint();
  const headers: Header[] = [];
  for (let h = 0; h < size; h++) {
    const keySize = varint();
    if (keySize < 0 || keySize > bytes.length - p) throw fail();
    const key = bytes.toString('utf8', p, p + keySize);
    p += keySize;
    const valueSize = varint();
    if (valueSize > bytes.length - p) throw fail();
    if (valueSize < 0) {
      headers.push({ key, value: null });
    } else {
      headers.push({ key, value: bytes.subarray(p, p + valueSize) });
      p += valueSize;
    }
  }
  return headers;
}
