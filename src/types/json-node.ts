import { DataError } from '../common/error.ts';

/**
 * JSON text as a tree that loses nothing: numbers keep their text, objects their order. Of two fields of one name the
 * later wins.
 */
export type JsonNode =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonNode[]
  | ReadonlyMap<string, JsonNode>;

/** A number as it was written: `1e3` and `1000` differ in text. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** Written without a point and an exponent. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text);
  }
}

/** Deeper nesting is refused, as Jackson does, so that no text can exhaust the stack. */
export const MAX_DEPTH = 1000;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Reads one JSON value and nothing after it but blanks. Throws `DataError`. */
export function parseJson(text: string): JsonNode {
  const reader = new JsonReader(text);
  const node = reader.readValue(0);
  reader.expectEnd();
  return node;
}

/**
 * The first value in the text, whatever follows it, as Jackson's `readTree` does; undefined when there is only blank
 * space. Throws `DataError`.
 */
export function parseFirstJson(text: string): JsonNode | undefined {
  if (/^[ \t\n\r]*$/.test(text)) return undefined;
  const reader = new JsonReader(text);
  const node = reader.readValue(0);
  reader.expectBoundary();
  return node;
}

/** Compact JSON. */
export function printJson(
  node: JsonNode,
  printNumber: (number: JsonNumber) => string = ({ text }) => text,
): string {
  if (node instanceof JsonNumber) return printNumber(node);
  if (Array.isArray(node))
    return `[${(node as readonly JsonNode[]).map((item) => printJson(item, printNumber)).join(',')}]`;
  if (node instanceof Map)
    return `{${[...(node as ReadonlyMap<string, JsonNode>)]
      .map(([name, value]) => `${JSON.stringify(name)}:${printJson(value, printNumber)}`)
      .join(',')}}`;
  return JSON.stringify(node);
}

/** A number as Java prints the BigDecimal or whole number it reads it as: trailing zeros stay, 1e3 is 1E+3. */
export function bigDecimalText(node: JsonNumber): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(node.text)!;
  const fraction = match[3] ?? '';
  const exponent = Number(match[4] ?? 0);
  const digits = ((match[2] ?? '') + fraction).replace(/^0+(?=\d)/, '');
  const sign = match[1] === '-' && /[1-9]/.test(digits) ? '-' : '';
  const scale = fraction.length - exponent;
  const adjusted = digits.length - 1 - scale;
  if (scale === 0) return sign + digits;
  if (scale > 0 && adjusted >= -6) {
    const padded = digits.padStart(scale + 1, '0');
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${sign}${mantissa}${adjusted === 0 ? '' : `E${adjusted > 0 ? '+' : ''}${adjusted}`}`;
}

class JsonReader {
  #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new DataError(`not JSON: nested deeper than ${MAX_DEPTH} levels`);
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#readObject(depth);
      case '[':
        return this.#readArray(depth);
      case '"':
        return this.#readString();
      case 't':
        return this.#readLiteral('true', true);
      case 'f':
        return this.#readLiteral('false', false);
      case 'n':
        return this.#readLiteral('null', null);
      default:
        return this.#readNumber();
    }
  }

  expectEnd(): void {
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#refuse();
  }

  /** A number or word that runs on (`1a`) is malformed, unlike a second value after it. */
  expectBoundary(): void {
    if (/[A-Za-z0-9_$]/.test(this.#text[this.#at] ?? '') && /[A-Za-z0-9]/.test(this.#text[this.#at - 1]!))
      this.#refuse();
  }

  #readObject(depth: number): JsonNode {
    const fields = new Map<string, JsonNode>();
    this.#at++;
    this.#skipBlanks();
    if (this.#takes('}')) return fields;
    for (;;) {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') this.#refuse();
      const name = this.#readString();
      this.#skipBlanks();
      if (!this.#takes(':')) this.#refuse();
      fields.set(name, this.readValue(depth + 1));
      this.#skipBlanks();
      if (this.#takes('}')) return fields;
      if (!this.#takes(',')) this.#refuse();
    }
  }

  #readArray(depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#at++;
    this.#skipBlanks();
    if (this.#takes(']')) return items;
    for (;;) {
      items.push(this.readValue(depth + 1));
      this.#skipBlanks();
      if (this.#takes(']')) return items;
      if (!this.#takes(',')) this.#refuse();
    }
  }

  #readString(): string {
    const start = this.#at;
    let at = start + 1;
    for (;;) {
      // NaN at the end of the text: no comparison holds.
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        ESCAPE.lastIndex = at;
        if (!ESCAPE.test(this.#text)) this.#refuse(at);
        at = ESCAPE.lastIndex;
      } else if (code >= 0x20) {
        at++;
      } else {
        this.#refuse(at);
      }
    }
    this.#at = at + 1;
    const token = this.#text.slice(start, this.#at);
    return token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
  }

  #readLiteral(word: string, value: boolean | null): JsonNode {
    if (!this.#text.startsWith(word, this.#at)) this.#refuse();
    this.#at += word.length;
    return value;
  }

  #readNumber(): JsonNode {
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.#text)) this.#refuse();
    const text = this.#text.slice(this.#at, NUMBER.lastIndex);
    this.#at = NUMBER.lastIndex;
    return new JsonNumber(text);
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #refuse(at = this.#at): never {
    const found = at >= this.#text.length ? 'it ends early' : `unexpected ${JSON.stringify(this.#text[at])}`;
    throw new DataError(`not JSON: ${found} at character ${at + 1}`);
  }
}
