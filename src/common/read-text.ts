import { readFileSync } from 'node:fs';

/** A byte that is not UTF-8, with its place. */
class EncodingError extends Error {}

/** Reasons for which files are not read, in words; others are the operating system's. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a directory'],
  ['EACCES', 'it may not be read'],
  ['ENOTDIR', 'a part of the path is no directory'],
  ['ERR_FS_FILE_TOO_LARGE', 'it is larger than 2 GiB'],
]);

/**
 * The text of a file, without a byte order mark. Throws an error that says why it cannot be read, in words to stand
 * behind "cannot read FILE: ". Bytes that are not UTF-8 are refused: with marks in their place, other data than the
 * file's would be inserted.
 */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(REASONS.get(code ?? '') ?? message, { cause: error });
  }
  return decodeUtf8(bytes);
}

/** Throws `EncodingError`. */
function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new EncodingError(whyNotUtf8(bytes));
  }
}

function whyNotUtf8(bytes: Buffer): string {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (mark === 0xfffe || mark === 0xfeff) return 'it is UTF-16; save it as UTF-8';
  // Where what the decoder put in differs from what was there.
  const decoded = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (decoded[at] === bytes[at]) at++;
  const before = bytes.subarray(0, at);
  const line = before.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 1);
  const byte = bytes[at]!.toString(16).padStart(2, '0');
  return `byte 0x${byte} in line ${line} is not UTF-8; save it as UTF-8`;
}
