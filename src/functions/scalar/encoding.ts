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
      return parseHex(text);
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

/** `4a6b`, `0x4a6b` or `X'4a6b'`. With 0x an odd number of digits is filled up with a zero in front. */
function parseHex(text: string): Uint8Array {
  let digits = text;
  if (text.startsWith('0x')) {
    digits = text.slice(2);
    if (digits.length % 2 === 1) digits = `0${digits}`;
  } else if (/^[xX]'.*'$/s.test(text)) digits = text.slice(2, -1);
  if (digits.length % 2 === 1 || !/^[0-9a-fA-F]*$/.test(digits))
    throw new DataError(`${JSON.stringify(text.slice(0, 40))} is not hexadecimal`);
  return Buffer.from(digits, 'hex');
}
