import { DataError } from '../common/error.ts';

/** Standard base64 with padding, the text of BYTES. */
export function base64Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Reads standard base64 as Java's basic decoder does: the padding may be missing, but not be wrong. Throws `DataError` for
 * other characters and a length that cannot be.
 */
export function parseBase64(text: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (!canBeBase64(text.length, padding) || !BASE64.test(text)) throw new DataError('the text is not base64');
  return Buffer.from(text, 'base64');
}

/** Whether `parseBase64` reads the ASCII text in the bytes. */
export function isBase64(buffer: Uint8Array, start: number, end: number): boolean {
  let last = end;
  while (last > start && end - last < 2 && buffer[last - 1] === PADDING) last--;
  if (!canBeBase64(end - start, end - last)) return false;
  for (let i = start; i < last; i++) if (IN_ALPHABET[buffer[i]!] === 0) return false;
  return true;
}

/** Padding fills the last four characters up, or is left out. */
function canBeBase64(length: number, padding: number): boolean {
  const rest = (length - padding) % 4;
  return rest !== 1 && (padding === 0 || padding + rest === 4);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const PADDING = 0x3d;
const IN_ALPHABET = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte !== PADDING && BASE64.test(String.fromCharCode(byte)) ? 1 : 0,
);
