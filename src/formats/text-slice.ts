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
  const ascii = asciiEnd(buffer, start, end);
  if (ascii === end) return asciiText(buffer, start, end);
  if (!isUtf8(buffer.subarray(start, end))) throw new DataError('the bytes are not UTF-8 text');
  return utf8Text(buffer, start, end);
}

/** Whether a range of bytes is UTF-8. Makes nothing, not even a view of them, as Node's own check needs. */
export function isText(buffer: Uint8Array, start: number, end: number): boolean {
  let at = asciiEnd(buffer, start, end);
  while (at < end) {
    at = characterEnd(buffer, at, end);
    if (at < 0) return false;
    at = asciiEnd(buffer, at, end);
  }
  return true;
}

/** The position of the first byte from `at` that is not ASCII, or `end`. */
function asciiEnd(buffer: Uint8Array, at: number, end: number): number {
  while (at < end && buffer[at]! < 0x80) at++;
  return at;
}

/** The end of the UTF-8 character beyond ASCII that begins at `at`, or -1 when the bytes are none (RFC 3629, section 4). */
export function characterEnd(buffer: Uint8Array, at: number, end: number): number {
  const first = buffer[at]!;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || at + size > end) return -1;
  const second = buffer[at + 1]!;
  // No character has two forms, none is half of a surrogate pair, and the last is U+10FFFF.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return -1;
  for (let i = at + 2; i < at + size; i++) if ((buffer[i]! & 0xc0) !== 0x80) return -1;
  return at + size;
}

/** The same bytes as a Buffer, whose slices above need. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
