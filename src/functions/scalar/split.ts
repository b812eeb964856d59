import { array, BYTES, map, STRING } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction } from '../function.ts';
import { fixed, parameter, scalars } from '../signature.ts';

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

export const splitFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'SPLIT',
    description: 'The parts between a delimiter, empty ones too. An empty delimiter splits after every unit.',
    examples: [["SPLIT('a.b.', '.')", "ARRAY['a', 'b', '']"]],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('input', STRING), parameter('delimiter', STRING)], array(STRING), split),
      fixed([parameter('input', BYTES), parameter('delimiter', BYTES)], array(BYTES), splitBytes),
    ],
  },
  {
    name: 'SPLIT_TO_MAP',
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
]);
