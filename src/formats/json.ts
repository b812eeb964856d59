import { SqlError } from '../common/error.ts';
import { parseJson, printJson } from '../types/json-node.ts';
import { printIdentifier, printType } from '../types/print-type.ts';
import type { SqlType } from '../types/sql-type.ts';
import { readableText } from './bytes-guess.ts';
import type { Format } from './format.ts';
import { JsonDecoder } from './json-decoder.ts';
import { JsonEncoder } from './json-encoder.ts';
import { checkProperties } from './settings.ts';
import { openWrittenText } from './written-key.ts';

/** JSON text: an object per record, or one bare value when unwrapped. Every type; MAP keys must be STRING. */
export const json: Format = {
  name: 'JSON',
  properties: [],
  singleColumn: 'wrapped-by-default',
  multiColumn: true,
  namesColumns: true,
  registered: false,
  loneNull: 'no-value',
  noValue: Buffer.from('null'),
  textIsBytes: false,
  rawRanges: true,
  validate(columns, settings) {
    checkProperties(json, settings);
    for (const column of columns) {
      const bad = findBadMap(column.type);
      if (bad !== null)
        throw new SqlError(
          'ML_FORMAT',
          `format JSON cannot hold column ${printIdentifier(column.name)} of type ${printType(column.type)}`,
          { hint: `the keys of a MAP must be STRING, and those of ${printType(bad)} are not` },
        );
    }
  },
  openDecoder: (columns, settings, wanted) => new JsonDecoder(columns, settings.wrapped, wanted),
  openEncoder: (columns, settings) => new JsonEncoder(columns, settings.wrapped),
  openWrittenKey: (columns, settings) => openWrittenText(columns, settings, true, isPlainJsonText),
  guesses: [
    {
      name: 'JSON',
      print(bytes) {
        const text = readableText(bytes);
        if (text === null) return null;
        try {
          JSON.parse(text);
          return text;
        } catch {
          return null;
        }
      },
    },
  ],
  testRecords: {
    isText: false,
    encode: (node) => Buffer.from(printJson(node)),
    decode: (bytes) => parseJson(bytes.toString()),
  },
};

/** ASCII in quotes, with nothing in it that JSON escapes. */
function isPlainJsonText(buffer: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || buffer[start] !== 0x22 || buffer[end - 1] !== 0x22) return false;
  for (let i = start + 1; i < end - 1; i++) {
    const byte = buffer[i]!;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}

/** A MAP within the type whose keys are not STRING, or null. */
function findBadMap(type: SqlType): SqlType | null {
  switch (type.kind) {
    case 'array':
      return findBadMap(type.element);
    case 'map':
      return type.key.kind === 'string' ? findBadMap(type.value) : type;
    case 'struct':
      return type.fields.map((field) => findBadMap(field.type)).find((bad) => bad !== null) ?? null;
    default:
      return null;
  }
}
