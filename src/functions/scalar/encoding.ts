import { DataError } from '../../common/error.ts';
import { base64Text, parseBase64 } from '../../types/base64.ts';

/** The text encodings of ENCODE, TO_BYTES and FROM_BYTES. */
export type Encoding = 'hex' | 'utf8' | 'ascii' | 'base64';

/** Throws `DataError` for a name that is none of the four, in any case. */
export function encodingOf(name: string): Encoding {
  const lower = name.toLowerCase();
  if (lower === 'hex' || lower === 'utf8' || lower === 'ascii' || lower === 'base64') return lower;
  throw new DataError(`${JSON.stringify(name)} is not an encoding (hex, utf8, ascii or base64)`);
}

/** The bytes that `text` writes in the encoding. Throws `DataError` for text that is none. */
export function bytesOf(text: string, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case 'hex':
      return parseHex(text, text);
    case 'utf8':
      return Buffer.from(text, 'utf8');
    case 'ascii':
      return Uint8Array.from(text, (character) =>
        character.charCodeAt(0) < 0x80 ? character.charCodeAt(0) : 0x3f,
      );
    case 'base64':
      return parseBase64(text);
  }
}

/** The bytes as text in the encoding; hex in lower case, what ASCII lacks as U+FFFD. */
export function textOf(bytes: Uint8Array, encoding: Encoding): string {
  switch (encoding) {
    case 'hex':
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
    case 'utf8':
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    case 'ascii': {
      let text = '';
      for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : '\ufffd';
      return text;
    }
    case 'base64':
      return base64Text(bytes);
  }
}

/**
 * The same as ENCODE reads it, which is less strict: hexadecimal may be `0x4a6b` (a missing zero in front is added) or
 * `X'4a6b'`, and base64 may have other characters, which are skipped, and be of the URL alphabet.
 */
export function encodedBytes(text: string, encoding: Encoding): Uint8Array {
  if (encoding === 'base64') return Buffer.from(text, 'base64');
  if (encoding !== 'hex') return bytesOf(text, encoding);
  if (text.startsWith('0x'))
    return parseHex(text.length % 2 === 1 ? `0${text.slice(2)}` : text.slice(2), text);
  return parseHex(/^[xX]'.*'$/s.test(text) ? text.slice(2, -1) : text, text);
}

function parseHex(digits: string, text: string): Uint8Array {
  if (digits.length % 2 === 1 || !/^[0-9a-fA-F]*$/.test(digits))
    throw new DataError(`${JSON.stringify(text.slice(0, 40))} is not hexadecimal`);
  return Buffer.from(digits, 'hex');
}
