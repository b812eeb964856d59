import { MAX_DEPTH } from './json-node.ts';

/** What a byte means inside a JSON string: 0 is ordinary ASCII. */
export const QUOTE = 1;
export const BACKSLASH = 2;
export const CONTROL = 3;
export const NON_ASCII = 4;
export const STRING_CLASS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22) return QUOTE;
  if (byte === 0x5c) return BACKSLASH;
  if (byte < 0x20) return CONTROL;
  return byte >= 0x80 ? NON_ASCII : 0;
});

/** Whether a byte is JSON's white space. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The position of the first byte from `at` that is no white space, at most `end`. */
export function skipBlanks(buffer: Uint8Array, at: number, end: number): number {
  while (at < end && isBlank(buffer[at])) at++;
  return at;
}

/**
 * The end of the JSON value that begins at `at`, or -1 when it is not valid JSON (UTF-8 is not checked). Exactly what
 * `parseJson` accepts, so that skipping a value and reading it agree about records that are broken.
 */
export function skipValue(buffer: Uint8Array, at: number, end: number, depth = 1): number {
  if (at >= end) return -1;
  switch (buffer[at]) {
    case 0x22:
      return skipString(buffer, at, end);
    case 0x7b:
      return skipObject(buffer, at, end, depth);
    case 0x5b:
      return skipArray(buffer, at, end, depth);
    case 0x74:
      return skipWord(buffer, at, end, TRUE);
    case 0x66:
      return skipWord(buffer, at, end, FALSE);
    case 0x6e:
      return skipWord(buffer, at, end, NULL);
    default:
      return skipNumber(buffer, at, end);
  }
}

export const TRUE: Uint8Array = Buffer.from('true');
export const FALSE: Uint8Array = Buffer.from('false');
export const NULL: Uint8Array = Buffer.from('null');

export function skipWord(buffer: Uint8Array, at: number, end: number, word: Uint8Array): number {
  if (end - at < word.length) return -1;
  for (let i = 0; i < word.length; i++) if (buffer[at + i] !== word[i]) return -1;
  return at + word.length;
}

export function skipString(buffer: Uint8Array, at: number, end: number): number {
  at++;
  for (;;) {
    while (at < end && STRING_CLASS[buffer[at]!] === 0) at++;
    if (at >= end) return -1;
    switch (STRING_CLASS[buffer[at]!]) {
      case QUOTE:
        return at + 1;
      case NON_ASCII:
        at++;
        break;
      case BACKSLASH: {
        const escape = at + 1 < end ? buffer[at + 1]! : 0;
        if (escape === 0x75) {
          if (at + 6 > end) return -1;
          for (let i = at + 2; i < at + 6; i++) if (!isHex(buffer[i]!)) return -1;
          at += 6;
        } else if (isSimpleEscape(escape)) {
          at += 2;
        } else {
          return -1;
        }
        break;
      }
      default:
        return -1;
    }
  }
}

function isSimpleEscape(byte: number): boolean {
  switch (byte) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return true;
    default:
      return false;
  }
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

export function skipNumber(buffer: Uint8Array, at: number, end: number): number {
  if (at < end && buffer[at] === 0x2d) at++;
  const first = at;
  at = skipDigits(buffer, at, end);
  if (at === first || (buffer[first] === 0x30 && at - first > 1)) return -1;
  if (at < end && buffer[at] === 0x2e) {
    const fraction = ++at;
    at = skipDigits(buffer, at, end);
    if (at === fraction) return -1;
  }
  if (at < end && (buffer[at] === 0x65 || buffer[at] === 0x45)) {
    at++;
    if (at < end && (buffer[at] === 0x2b || buffer[at] === 0x2d)) at++;
    const exponent = at;
    at = skipDigits(buffer, at, end);
    if (at === exponent) return -1;
  }
  return at;
}

function skipDigits(buffer: Uint8Array, at: number, end: number): number {
  while (at < end && buffer[at]! >= 0x30 && buffer[at]! <= 0x39) at++;
  return at;
}

function skipObject(buffer: Uint8Array, at: number, end: number, depth: number): number {
  if (depth > MAX_DEPTH) return -1;
  at = skipBlanks(buffer, at + 1, end);
  if (at < end && buffer[at] === 0x7d) return at + 1;
  for (;;) {
    if (at >= end || buffer[at] !== 0x22) return -1;
    at = skipString(buffer, at, end);
    if (at < 0) return -1;
    at = skipBlanks(buffer, at, end);
    if (at >= end || buffer[at] !== 0x3a) return -1;
    at = skipValue(buffer, skipBlanks(buffer, at + 1, end), end, depth + 1);
    if (at < 0) return -1;
    at = skipBlanks(buffer, at, end);
    if (at >= end) return -1;
    if (buffer[at] === 0x7d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
    at = skipBlanks(buffer, at + 1, end);
  }
}

function skipArray(buffer: Uint8Array, at: number, end: number, depth: number): number {
  if (depth > MAX_DEPTH) return -1;
  at = skipBlanks(buffer, at + 1, end);
  if (at < end && buffer[at] === 0x5d) return at + 1;
  for (;;) {
    at = skipValue(buffer, at, end, depth + 1);
    if (at < 0) return -1;
    at = skipBlanks(buffer, at, end);
    if (at >= end) return -1;
    if (buffer[at] === 0x5d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
    at = skipBlanks(buffer, at + 1, end);
  }
}
