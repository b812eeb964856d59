import type { RecordBatch } from '../../src/log/record-batch.ts';

export interface BatchRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key?: string | null;
  readonly value: string | null;
}

/** A fetched batch of text records, without a log. `nextOffset` defaults to one after the last record. */
export function textBatch(
  topic: string,
  partition: number,
  records: readonly BatchRecord[],
  nextOffset = (records.at(-1)?.offset ?? -1) + 1,
): RecordBatch {
  const parts: Buffer[] = [Buffer.of(0)];
  let length = 1;
  const add = (text: string | null): [number, number] => {
    if (text === null) return [-1, -1];
    const bytes = Buffer.from(text);
    parts.push(bytes);
    length += bytes.length;
    return [length - bytes.length, length];
  };
  const keys = records.map((record) => add(record.key ?? null));
  const values = records.map((record) => add(record.value));
  const starts = (ranges: [number, number][]): Int32Array => Int32Array.from(ranges, ([start]) => start);
  const ends = (ranges: [number, number][]): Int32Array => Int32Array.from(ranges, ([, end]) => end);
  return {
    topic,
    partition,
    buffer: Buffer.concat(parts),
    count: records.length,
    first: 0,
    nextOffset,
    offsets: Float64Array.from(records, (record) => record.offset),
    timestamps: Float64Array.from(records, (record) => record.timestamp),
    keyStart: starts(keys),
    keyEnd: ends(keys),
    valueStart: starts(values),
    valueEnd: ends(values),
    // The first byte of the buffer: no headers.
    headersStart: new Int32Array(records.length),
    sizeBytes: length,
  };
}
