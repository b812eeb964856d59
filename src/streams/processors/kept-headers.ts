import type { ByteWriter } from '../../common/bytes.ts';
import type { Header } from '../../log/record-batch.ts';

/** Headers of a record that waits, in the bytes of its store: [count u32], each [size u32][key][size i32, -1: null][value]. */
export function writeKeptHeaders(headers: readonly Header[], writer: ByteWriter): void {
  writer.writeInt32(headers.length);
  for (const { key, value } of headers) {
    const name = Buffer.from(key);
    writer.writeInt32(name.length);
    writer.writeBytes(name);
    writer.writeInt32(value?.length ?? -1);
    if (value !== null) writer.writeBytes(value);
  }
}

export interface KeptHeaders {
  readonly headers: readonly Header[];
  /** The offset behind them. */
  readonly end: number;
}

export function readKeptHeaders(buffer: Buffer, start: number): KeptHeaders {
  let at = start + 4;
  const part = (): Buffer | null => {
    const size = buffer.readInt32BE(at);
    at += 4 + Math.max(0, size);
    return size < 0 ? null : Buffer.from(buffer.subarray(at - size, at));
  };
  const headers: Header[] = [];
  for (let left = buffer.readInt32BE(start); left > 0; left--)
    headers.push({ key: String(part()), value: part() });
  return { headers, end: at };
}
