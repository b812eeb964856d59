import { createHash } from 'node:crypto';
import { BYTES, INTEGER, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction } from '../function.ts';
import { fixed, parameter, scalars, variadic } from '../signature.ts';

type Text = string | null;

/** Java's trim: everything up to U+0020 goes, at both ends. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}

function initcap(text: string): string {
  return text
    .toLowerCase()
    .trimStart()
    .replaceAll(/(^|\s)(\S)/gu, (_match, before: string, first: string) => before + first.toUpperCase());
}

export const stringFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'ELT',
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
    name: 'FIELD',
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
    name: 'INITCAP',
    description:
      'Each word with its first letter in upper case and the rest in lower case. Leading blanks are dropped.',
    examples: [["INITCAP('the quick FOX')", "'The Quick Fox'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, initcap)],
  },
  {
    name: 'LCASE',
    description: 'The text in lower case.',
    examples: [["LCASE('ABC')", "'abc'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, (text: string) => text.toLowerCase())],
  },
  {
    name: 'LEN',
    description: 'The length of a text in UTF-16 units, or of bytes.',
    examples: [["LEN('abc')", '3']],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('input', STRING)], INTEGER, (text: string) => text.length),
      fixed([parameter('input', BYTES)], INTEGER, (bytes: Uint8Array) => bytes.length),
    ],
  },
  {
    name: 'MD5',
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
    name: 'REPLACE',
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
    name: 'TRIM',
    description: 'The text without blanks and control characters at both ends.',
    examples: [["TRIM('  a b ')", "'a b'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, trim)],
  },
  {
    name: 'UCASE',
    description: 'The text in upper case.',
    examples: [["UCASE('abc')", "'ABC'"]],
    nulls: 'propagate',
    signatures: [fixed([parameter('input', STRING)], STRING, (text: string) => text.toUpperCase())],
  },
]);
