import { DataError } from '../common/error.ts';

/** Standard base64 with padding, the text of BYTES. */
export function base64Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Reads standard base64. Throws `DataError` for other characters and a length that cannot be. */
export function parseBase64(text: string): Uint8Array {
  // Buffer.from skips what it does not know, so what it read must print as what was given.
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new DataError('the text is not base64');
  return bytes;
}
