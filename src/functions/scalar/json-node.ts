import { DataError } from '../../common/error.ts';

/**
 * JSON as a tree that keeps the text of its numbers, which `JSON.parse` would round. What follows the first value is ignored, as
 * Jackson's `readTree` does.
 */
export type JsonNode =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonNode[]
  | ReadonlyMap<string, JsonNode>;

export class JsonNumber {
  /** As it was written, except that an exponent stands as Java's BigDecimal prints it. */
  readonly text: string;
  readonly isInteger: boolean;

  constructor(text: string) {
    this.isInteger = !/[.eE]/.test(text);
    this.text = /[eE]/.test(text) ? exponentText(text) : text;
  }
}

/** `1.5E+3`, `0.0015`, `1.5E-7`: with an exponent unless the point is within the digits or at most six places before. */
function exponentText(text: string): string {
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d*))?[eE]([+-]?\d+)$/.exec(text)!;
  const digits = (whole! + fraction).replace(/^0+(?=\d)/, '');
  const scale = fraction.length - Number(exponent);
  const adjusted = digits.length - 1 - scale;
  if (scale === 0) return sign + digits;
  if (scale > 0 && adjusted >= -6) {
    const padded = digits.padStart(scale + 1, '0');
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
  return `${sign}${mantissa}${adjusted === 0 ? '' : `E${adjusted > 0 ? '+' : ''}${adjusted}`}`;
}

/** Deeper than any real document; keeps hostile ones from using up the stack. */
const MAX_DEPTH = 1000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING_TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y; // oxlint-disable-line no-control-regex
const BLANKS = /[ \t\n\r]*/y;

/** The first value in the text; undefined when there is only blank space. Throws `DataError` for malformed JSON. */
export function parseJson(text: string): JsonNode | undefined {
  const reader = { text, at: 0 };
  skipBlanks(reader);
  if (reader.at === text.length) return undefined;
  const node = readNode(reader, 0);
  // A number or word that runs on (`1a`) is malformed, unlike a second value after it.
  if (/[A-Za-z0-9_$]/.test(text[reader.at] ?? '') && /[A-Za-z0-9]/.test(text[reader.at - 1]!))
    throw malformed(reader);
  return node;
}

interface Reader {
  readonly text: string;
  at: number;
}

function malformed(reader: Reader): DataError {
  return new DataError(`malformed JSON at character ${reader.at + 1}`);
}

function take(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.at;
  const match = pattern.exec(reader.text);
  if (match === null) return null;
  reader.at = pattern.lastIndex;
  return match[0];
}

function skipBlanks(reader: Reader): void {
  take(reader, BLANKS);
}

function expect(reader: Reader, character: string): void {
  skipBlanks(reader);
  if (reader.text[reader.at] !== character) throw malformed(reader);
  reader.at++;
}

function readNode(reader: Reader, depth: number): JsonNode {
  if (depth > MAX_DEPTH) throw new DataError(`JSON is nested deeper than ${MAX_DEPTH} levels`);
  skipBlanks(reader);
  switch (reader.text[reader.at]) {
    case '{':
      return readObject(reader, depth);
    case '[':
      return readArray(reader, depth);
    case '"':
      return readString(reader);
    case 't':
      return readWord(reader, 'true', true);
    case 'f':
      return readWord(reader, 'false', false);
    case 'n':
      return readWord(reader, 'null', null);
    default: {
      const number = take(reader, NUMBER);
      if (number === null) throw malformed(reader);
      return new JsonNumber(number);
    }
  }
}

function readWord<V>(reader: Reader, word: string, value: V): V {
  if (!reader.text.startsWith(word, reader.at)) throw malformed(reader);
  reader.at += word.length;
  return value;
}

function readString(reader: Reader): string {
  const text = take(reader, STRING_TEXT);
  if (text === null) throw malformed(reader);
  return JSON.parse(text) as string;
}

function readArray(reader: Reader, depth: number): JsonNode {
  const items: JsonNode[] = [];
  reader.at++;
  skipBlanks(reader);
  if (reader.text[reader.at] === ']') {
    reader.at++;
    return items;
  }
  for (;;) {
    items.push(readNode(reader, depth + 1));
    skipBlanks(reader);
    if (reader.text[reader.at] !== ',') break;
    reader.at++;
  }
  expect(reader, ']');
  return items;
}

function readObject(reader: Reader, depth: number): JsonNode {
  const fields = new Map<string, JsonNode>();
  reader.at++;
  skipBlanks(reader);
  if (reader.text[reader.at] === '}') {
    reader.at++;
    return fields;
  }
  for (;;) {
    skipBlanks(reader);
    const name = readString(reader);
    expect(reader, ':');
    fields.set(name, readNode(reader, depth + 1));
    skipBlanks(reader);
    if (reader.text[reader.at] !== ',') break;
    reader.at++;
  }
  expect(reader, '}');
  return fields;
}

/** The node as compact JSON text, its numbers as they were written. */
export function printJson(node: JsonNode): string {
  if (node instanceof JsonNumber) return node.text;
  if (node instanceof Map)
    return `{${[...(node as ReadonlyMap<string, JsonNode>)].map(([name, value]) => `${JSON.stringify(name)}:${printJson(value)}`).join(',')}}`;
  if (Array.isArray(node)) return `[${(node as readonly JsonNode[]).map(printJson).join(',')}]`;
  return JSON.stringify(node);
}

/** A string without its quotes, anything else as JSON text. */
export function plainText(node: JsonNode): string {
  return typeof node === 'string' ? node : printJson(node);
}
