import { isUtf8 } from 'node:buffer';
import { DataError } from '../common/error.ts';

/** Buffer's own slices, without the dispatch of `toString(encoding)`. They exist in every Node; their types are newer. */
interface SlicingBuffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** The text of a range of ASCII bytes. */
export function asciiText(buffer: Uint8Array, start: number, end: number): string {
  return (buffer as unknown as SlicingBuffer).latin1Slice(start, end);
}

/** The text of a range of bytes that are known to be UTF-8. */
export function utf8Text(buffer: Uint8Array, start: number, end: number): string {
  return (buffer as unknown as SlicingBuffer).utf8Slice(start, end);
}

/** The text of a range that may be anything. Throws `DataError` when it is not UTF-8; a leading byte order mark stays. */
export function checkedText(buffer: Uint8Array, start: number, end: number): string {
  let i = start;
  while (i < end && buffer[i]! < 0x80) i++;
  if (i === end) return asciiText(buffer, start, end);
  if (!isUtf8(buffer.subarray(start, end))) throw new DataError('the bytes are not UTF-8 text');
  return utf8Text(buffer, start, end);
}

/** The same bytes as a Buffer, whose slices above need. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
