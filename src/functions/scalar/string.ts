import { createHash } from 'node:crypto';
import { DataError } from '../../common/error.ts';
import { array, BYTES, INTEGER, map, STRING } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { fixed, parameter, variadic } from '../signature.ts';
import { bytesOf, encodedBytes, encodingOf, textOf } from './encoding.ts';

const CATEGORY = 'STRING';

type Text = string | null;

/** Java's trim: everything up to U+0020 goes, at both ends. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}

/** The slice [start, end) that SUBSTRING means: positions count from 1, negative ones from the end, 0 is 1. */
function startOf(size: number, position: number): number {
  return position < 0 ? Math.max(size + position, 0) : position === 0 ? 0 : Math.min(position - 1, size);
}

function endOf(size: number, start: number, length: number): number {
  return Math.max(Math.min(start + length, size), start);
}

function initcap(text: string): string {
  return text
    .toLowerCase()
    .trimStart()
    .replaceAll(/(^|\s)(\S)/gu, (_match, before: string, first: string) => before + first.toUpperCase());
}

/** Position of the n-th occurrence from `position`, counted from 1; negative positions search backward. */
function instr(text: Text, part: Text, position = 1, occurrence = 1): number {
  if (text === null || part === null || position === 0) return 0;
  let at: number;
  if (position > 0) {
    at = position - 2;
    for (let n = 0; n < occurrence; n++) {
      at = text.indexOf(part, at + 1);
      if (at < 0) return 0;
    }
  } else {
    at = text.length + position + 1;
    for (let n = 0; n < occurrence; n++) {
      if (at <= 0) return 0;
      at = text.lastIndexOf(part, at - 1);
      if (at < 0) return 0;
    }
  }
  return at + 1;
}

/** Fills up to `size` with the padding repeated; null when that is impossible. */
function padding<V extends string | Uint8Array>(
  value: V,
  size: number,
  pad: V,
  side: 'left' | 'right',
  join: (a: V, b: V) => V,
  repeat: (pad: V, size: number) => V,
): V | null {
  if (pad.length === 0 || size < 0) return null;
  if (size <= value.length) return (value as string).slice(0, size) as V;
  const fill = repeat(pad, size - value.length);
  return side === 'left' ? join(fill, value) : join(value, fill);
}

/** More than any record can hold: a typing mistake, not a request. */
const MAX_PAD = 64 * 1024 * 1024;

function checkedSize(size: number): number {
  if (size > MAX_PAD) throw new DataError(`padding to ${size} is too long`);
  return size;
}

function pad(side: 'left' | 'right'): ScalarSignature[] {
  return [
    fixed(
      [parameter('input', STRING), parameter('length', INTEGER), parameter('padding', STRING)],
      STRING,
      (input: string, length: number, fill: string) =>
        padding(
          input,
          checkedSize(length),
          fill,
          side,
          (a, b) => a + b,
          (text, size) => text.repeat(Math.ceil(size / text.length)).slice(0, size),
        ),
    ),
    fixed(
      [parameter('input', BYTES), parameter('length', INTEGER), parameter('padding', BYTES)],
      BYTES,
      (input: Uint8Array, length: number, fill: Uint8Array) =>
        padding<Uint8Array>(
          input,
          checkedSize(length),
          fill,
          side,
          (a, b) => Buffer.concat([a, b]),
          (bytes, size) => Buffer.alloc(size, bytes),
        ),
    ),
  ];
}

function split(text: string, delimiter: string): string[] {
  if (delimiter === '') return text === '' ? [''] : text.split('');
  return text.split(delimiter);
}

function splitBytes(bytes: Uint8Array, delimiter: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) return [bytes];
  const parts: Uint8Array[] = [];
  if (delimiter.length === 0) {
    for (let i = 0; i < bytes.length; i++) parts.push(bytes.subarray(i, i + 1));
    return parts;
  }
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (;;) {
    const at = haystack.indexOf(delimiter, start);
    if (at < 0) break;
    parts.push(bytes.subarray(start, at));
    start = at + delimiter.length;
  }
  parts.push(bytes.subarray(start));
  return parts;
}

function splitToMap(text: string, entryDelimiter: string, pairDelimiter: string): SqlValue {
  if (entryDelimiter === '' || pairDelimiter === '' || entryDelimiter === pairDelimiter) return null;
  const entries = new Map<string, string>();
  for (const entry of text.split(entryDelimiter)) {
    const parts = entry.split(pairDelimiter);
    if (entry !== '' && parts.length > 1) entries.set(parts[0]!, parts[1]!);
  }
  return entries;
}

const JAVA_ESCAPE = /\\(?:u+\+?([0-9a-fA-F]{4})|([0-3][0-7]{2}|[0-7]{1,2})|([\s\S]?))/g;
const CONTROLS: Readonly<Record<string, string>> = { b: '\b', n: '\n', t: '\t', f: '\f', r: '\r' };

/** The text that Java's escapes stand for; null unless it begins with one of four hexadecimal digits. */
function unescape(text: string): Text {
  if (text.length < 6 || !text.startsWith('\\u')) return null;
  return text.replaceAll(JAVA_ESCAPE, (_escape, hex?: string, octal?: string, other = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (other === 'u')
      throw new DataError(`${JSON.stringify(text.slice(0, 40))} has an escape without four digits`);
    return CONTROLS[other] ?? other;
  });
}

function uuidText(bytes: Uint8Array): string {
  const hex = textOf(bytes, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function randomUuid(random: () => number): string {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = Math.floor(random() * 256);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidText(bytes);
}

function joinText(separator: string, items: readonly Text[]): string {
  let joined = '';
  let first = true;
  for (const item of items) {
    if (item === null) continue;
    joined += first ? item : separator + item;
    first = false;
  }
  return joined;
}

function joinBytes(separator: Uint8Array, items: readonly (Uint8Array | null)[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const item of items) {
    if (item === null) continue;
    if (parts.length > 0) parts.push(separator);
    parts.push(item);
  }
  return Buffer.concat(parts);
}

const NO_BYTES = new Uint8Array(0);

export const stringFunctions: readonly ScalarFunction[] = [
  {
    kind: 'scalar',
    name: 'CHR',
    category: CATEGORY,
    description:
      'The character of a Unicode code point, or of Java escapes such as \\u004b; null if there is none.',
    examples: [
      ['CHR(75)', "'K'"],
      ["CHR('\\u004b')", "'K'"],
    ],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('codepoint', INTEGER)], STRING, (code: number) =>
        code < 0 || code > 0x10ffff ? null : String.fromCodePoint(code),
      ),
      fixed([parameter('escapes', STRING)], STRING, unescape),
    ],
  },
  {
    kind: 'scalar',
    name: 'CONCAT',
    category: CATEGORY,
    description: 'The arguments one after another. Nulls are left out; also the || operator.',
    examples: [["CONCAT('a', NULL, 'b')", "'ab'"]],
    nulls: 'handled',
    signatures: [
      fixed([variadic('items', STRING)], STRING, (...items: Text[]) => {
        let joined = '';
        for (const item of items) if (item !== null) joined += item;
        return joined;
      }),
      fixed([variadic('items', BYTES)], BYTES, (...items: (Uint8Array | null)[]) =>
        joinBytes(NO_BYTES, items),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'CONCAT_WS',
    category: CATEGORY,
    description:
      'The arguments after the first one after another, the first one between them. Nulls are left out; null if the separator is null.',
    examples: [["CONCAT_WS(', ', 'a', NULL, 'b')", "'a, b'"]],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('separator', STRING), parameter('first', STRING), variadic('others', STRING)],
        STRING,
        (separator: Text, ...items: Text[]) => (separator === null ? null : joinText(separator, items)),
      ),
      fixed(
        [parameter('separator', BYTES), parameter('first', BYTES), variadic('others', BYTES)],
        BYTES,
        (separator: Uint8Array | null, ...items: (Uint8Array | null)[]) =>
          separator === null ? null : joinBytes(separator, items),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'ELT',
    category: CATEGORY,
    description: 'The n-th of the arguments after the first, counted from 1; null if there is none.',
    examples: [["ELT(2, 'a', 'b', 'c')", "'b'"]],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('position', INTEGER), variadic('items', STRING)],
        STRING,
        (n: number | null, ...items: Text[]) => (n === null ? null : (items[n - 1] ?? null)),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'ENCODE',
    category: CATEGORY,
    description: 'Rewrites text from one encoding to another: hex, utf8, ascii or base64.',
    examples: [["ENCODE('4578616d706c6521', 'hex', 'utf8')", "'Example!'"]],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('input', STRING), parameter('from', STRING), parameter('to', STRING)],
        STRING,
        (input: string, from: string, to: string) => {
          const source = encodingOf(from);
          const target = encodingOf(to);
          if (source === target) throw new DataError(`ENCODE from ${from} to itself`);
          return textOf(encodedBytes(input, source), target);
        },
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'FIELD',
    category: CATEGORY,
    description:
      'The position, from 1, of the first argument among the others; 0 if it is none of them or null.',
    examples: [["FIELD('b', 'a', 'b')", '2']],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('value', STRING), variadic('items', STRING)],
        INTEGER,
        (value: Text, ...items: Text[]) => (value === null ? 0 : items.indexOf(value) + 1),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'FROM_BYTES',
    category: CATEGORY,
    description: 'Bytes as text in an encoding: hex (in upper case), utf8, ascii or base64.',
    examples: [["FROM_BYTES(TO_BYTES('1ab2', 'hex'), 'hex')", "'1AB2'"]],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('value', BYTES), parameter('encoding', STRING)],
        STRING,
        (value: Uint8Array, name: string) => {
          const encoding = encodingOf(name);
          const text = textOf(value, encoding);
          return encoding === 'hex' ? text.toUpperCase() : text;
        },
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'INITCAP',
    category: CATEGORY,
    description:
      'Each word with its first letter in upper case and the rest in lower case. Leading blanks are dropped.',
    examples: [["INITCAP('the quick FOX')", "'The Quick Fox'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, initcap)],
  },
  {
    kind: 'scalar',
    name: 'INSTR',
    category: CATEGORY,
    description:
      'The position, from 1, of a text within another; 0 if it is not there. A start position (from the end and backward if negative) and the number of the occurrence may follow.',
    examples: [
      ["INSTR('CORPORATE FLOOR', 'OR')", '2'],
      ["INSTR('CORPORATE FLOOR', 'OR', 3, 2)", '14'],
      ["INSTR('CORPORATE FLOOR', 'OR', -3)", '5'],
    ],
    nulls: 'handled',
    signatures: [
      fixed([parameter('input', STRING), parameter('part', STRING)], INTEGER, (text: Text, part: Text) =>
        instr(text, part),
      ),
      fixed(
        [parameter('input', STRING), parameter('part', STRING), parameter('position', INTEGER)],
        INTEGER,
        (text: Text, part: Text, position: number | null) =>
          position === null ? null : instr(text, part, position),
      ),
      fixed(
        [
          parameter('input', STRING),
          parameter('part', STRING),
          parameter('position', INTEGER),
          parameter('occurrence', INTEGER),
        ],
        INTEGER,
        (text: Text, part: Text, position: number | null, occurrence: number | null) =>
          position === null || occurrence === null ? null : instr(text, part, position, occurrence),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'LCASE',
    category: CATEGORY,
    description: 'The text in lower case.',
    examples: [["LCASE('ABC')", "'abc'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, (text: string) => text.toLowerCase())],
  },
  {
    kind: 'scalar',
    name: 'LEN',
    category: CATEGORY,
    description: 'The length of a text in UTF-16 units, or of bytes.',
    examples: [["LEN('abc')", '3']],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('input', STRING)], INTEGER, (text: string) => text.length),
      fixed([parameter('input', BYTES)], INTEGER, (bytes: Uint8Array) => bytes.length),
    ],
  },
  {
    kind: 'scalar',
    name: 'LPAD',
    category: CATEGORY,
    description:
      'Fills up to a length on the left; cuts on the right what is longer. Null for an empty padding or a negative length.',
    examples: [["LPAD('foo', 7, 'Bar')", "'BarBfoo'"]],
    nulls: 'propagate',
    signatures: pad('left'),
  },
  {
    kind: 'scalar',
    name: 'MD5',
    category: CATEGORY,
    description: 'The MD5 hash of the text’s UTF-8 bytes, in lower-case hexadecimal.',
    examples: [["MD5('')", "'d41d8cd98f00b204e9800998ecf8427e'"]],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('input', STRING)], STRING, (text: string) =>
        createHash('md5').update(text).digest('hex'),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'REPLACE',
    category: CATEGORY,
    description: 'Replaces every occurrence of one text by another.',
    examples: [["REPLACE('foobar', 'foo', 'bar')", "'barbar'"]],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('input', STRING), parameter('old', STRING), parameter('new', STRING)],
        STRING,
        (text: string, from: string, to: string) => text.replaceAll(from, () => to),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'RPAD',
    category: CATEGORY,
    description:
      'Fills up to a length on the right; cuts on the right what is longer. Null for an empty padding or a negative length.',
    examples: [["RPAD('foo', 7, 'Bar')", "'fooBarB'"]],
    nulls: 'propagate',
    signatures: pad('right'),
  },
  {
    kind: 'scalar',
    name: 'SPLIT',
    category: CATEGORY,
    description: 'The parts between a delimiter, empty ones too. An empty delimiter splits after every unit.',
    examples: [["SPLIT('a.b.', '.')", "ARRAY['a', 'b', '']"]],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('input', STRING), parameter('delimiter', STRING)], array(STRING), split),
      fixed([parameter('input', BYTES), parameter('delimiter', BYTES)], array(BYTES), splitBytes),
    ],
  },
  {
    kind: 'scalar',
    name: 'SPLIT_TO_MAP',
    category: CATEGORY,
    description:
      'Splits text into entries and those into key and value. Entries without the second delimiter are dropped; the last of equal keys wins.',
    examples: [["SPLIT_TO_MAP('a=1/b=2', '/', '=')", "MAP('a' := '1', 'b' := '2')"]],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('input', STRING), parameter('entryDelimiter', STRING), parameter('pairDelimiter', STRING)],
        map(STRING, STRING),
        splitToMap,
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'SUBSTRING',
    category: CATEGORY,
    description:
      'The part from a position, counted from 1 (from the end if negative), to the end or of a given length.',
    examples: [
      ["SUBSTRING('stream', 2, 3)", "'tre'"],
      ["SUBSTRING('stream', -3)", "'eam'"],
    ],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('input', STRING), parameter('position', INTEGER)],
        STRING,
        (text: string, position: number) => text.slice(startOf(text.length, position)),
      ),
      fixed(
        [parameter('input', STRING), parameter('position', INTEGER), parameter('length', INTEGER)],
        STRING,
        (text: string, position: number, length: number) => {
          const start = startOf(text.length, position);
          return text.slice(start, endOf(text.length, start, length));
        },
      ),
      fixed(
        [parameter('input', BYTES), parameter('position', INTEGER)],
        BYTES,
        (bytes: Uint8Array, position: number) => bytes.subarray(startOf(bytes.length, position)),
      ),
      fixed(
        [parameter('input', BYTES), parameter('position', INTEGER), parameter('length', INTEGER)],
        BYTES,
        (bytes: Uint8Array, position: number, length: number) => {
          const start = startOf(bytes.length, position);
          return bytes.subarray(start, endOf(bytes.length, start, length));
        },
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'TO_BYTES',
    category: CATEGORY,
    description: 'The bytes that a text writes in an encoding: hex, utf8, ascii or base64.',
    examples: [["LEN(TO_BYTES('1ab2', 'hex'))", '2']],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('value', STRING), parameter('encoding', STRING)],
        BYTES,
        (value: string, encoding: string) => bytesOf(value, encodingOf(encoding)),
      ),
    ],
  },
  {
    kind: 'scalar',
    name: 'TRIM',
    category: CATEGORY,
    description: 'The text without blanks and control characters at both ends.',
    examples: [["TRIM('  a b ')", "'a b'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, trim)],
  },
  {
    kind: 'scalar',
    name: 'UCASE',
    category: CATEGORY,
    description: 'The text in upper case.',
    examples: [["UCASE('abc')", "'ABC'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, (text: string) => text.toUpperCase())],
  },
  {
    kind: 'scalar',
    name: 'UUID',
    category: CATEGORY,
    description: 'A random UUID, another one for each call, or the UUID that 16 bytes stand for.',
    examples: [['LEN(UUID())', '36']],
    nulls: 'propagate',
    volatile: true,
    signatures: [
      {
        parameters: [],
        returns: STRING,
        open: (_args, _returns, context) => () => randomUuid(context.random),
      },
      fixed([parameter('value', BYTES)], STRING, (bytes: Uint8Array) =>
        bytes.length === 16 ? uuidText(bytes) : null,
      ),
    ],
  },
];
