import { DataError } from '../common/error.ts';

/**
 * JSON text as a tree that loses nothing: numbers keep their text, objects their order. Of two fields of one name the
 * later wins. This is the exact path; the scanner in json-decoder.ts takes the usual records.
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

/** Deeper nesting is refused, so that a record cannot exhaust the stack. */
export const MAX_DEPTH = 500;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Reads one JSON value and nothing after it but blanks. Throws `DataError`. */
export function parseJson(text: string): JsonNode {
  const reader = new JsonReader(text);
  const node = reader.readValue(0);
  reader.expectEnd();
  return node;
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
