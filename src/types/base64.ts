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
  const rest = (text.length - padding) % 4;
  if (rest === 1 || (padding > 0 && padding + rest !== 4) || !BASE64.test(text))
    throw new DataError('the text is not base64');
  return Buffer.from(text, 'base64');
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
