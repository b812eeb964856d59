import { EMPTY_BYTES } from '../common/bytes.ts';
import { isBase64 } from '../types/base64.ts';
import { type Head, learnHead, matchesHead, type Place, strayHead } from './json-head.ts';
import { MAX_DEPTH } from '../types/json-node.ts';
import {
  ANY_SHAPE,
  ANYTHING,
  ARRAY,
  BOOLEAN,
  BYTES,
  fieldNamed,
  MAP,
  type Shape,
  type ShapeField,
  STRUCT,
} from './json-shape.ts';
import {
  BACKSLASH,
  FALSE,
  NON_ASCII,
  NULL,
  plainEnd,
  QUOTE,
  skipBlanks,
  skipEscape,
  skipWord,
  STRING_CLASS,
  TRUE,
} from './json-skip.ts';
import { plainNumberEnd } from './plain-number.ts';
import { characterEnd } from './text-slice.ts';

/** A field that is not declared. */
const UNDECLARED: ShapeField = { nameBytes: EMPTY_BYTES, position: -1, shape: ANY_SHAPE };

/**
 * Tells where a JSON value ends, and that it can be read as what it was declared to be, without making anything of it:
 * columns that are not read are checked by this, so that whether a record is readable does not depend on the reader. An answer of
 * -1 says only that somebody more careful must look (`openCoerce`): a value that is malformed or does not fit, but also
 * a number that is close to a limit or stands in a text with blanks, and names with escapes.
 */
export class JsonWalk {
  #buffer: Uint8Array = EMPTY_BYTES;
  #view: DataView = new DataView(EMPTY_BYTES.buffer, 0, 0);
  /** For names that are not remembered. Nothing is learned below it, where objects of any shape come by. */
  readonly #stray: Head = strayHead(ANY_SHAPE);
  /** The head of the name that `nameEnd` found. */
  head: Head = this.#stray;

  /** The bytes that the next calls read, and a view of them. */
  enter(buffer: Uint8Array, view: DataView): void {
    this.#buffer = buffer;
    this.#view = view;
  }

  /**
   * Reads a name of an object in `place`, its `index`th, from behind the opening quote. Gives where its value begins, at
   * most `end`, or -1 when it must be read to know whose it is.
   */
  nameEnd(shape: Shape, place: Place, index: number, at: number, end: number): number {
    const { heads } = place;
    if (index < heads.length) {
      const head = heads[index]!;
      if (at + head.size < end && matchesHead(head, this.#view, at)) {
        at += head.size;
        this.head = head;
        return this.#buffer[at]! <= 0x20 ? skipBlanks(this.#buffer, at, end) : at;
      }
    }
    return this.#newNameEnd(shape, place, index, at, end);
  }

  #newNameEnd(shape: Shape, place: Place, index: number, start: number, end: number): number {
    const buffer = this.#buffer;
    let at = plainEnd(this.#view, buffer, start, end);
    let field = UNDECLARED;
    if (at < end && buffer[at] === 0x22) {
      if (shape.code === STRUCT) field = fieldNamed(shape, buffer, start, at) ?? UNDECLARED;
      at++;
    } else {
      if (shape.code === STRUCT) return -1;
      at = this.#stringRest(at, end);
      if (at < 0) return -1;
    }
    at = skipBlanks(buffer, at, end);
    if (at >= end || buffer[at] !== 0x3a) return -1;
    at = skipBlanks(buffer, at + 1, end);
    const stray = this.#stray;
    stray.position = field.position;
    stray.shape = field === UNDECLARED ? (shape.item ?? ANY_SHAPE) : field.shape;
    this.head = stray;
    if (place !== stray) learnHead(place, index, this.#view, start, at, stray);
    return at;
  }

  /** The end of the JSON value that begins at `at`, whatever it is; -1 when it is malformed. */
  anyEnd(at: number, end: number, depth: number): number {
    return this.valueEnd(ANY_SHAPE, this.#stray, at, end, depth);
  }

  /**
   * The end of the value that begins at `at`. `depth`: 1 for a record, 2 for its fields. In one place stand values of one
   * shape: what is remembered of their names also says what follows them.
   */
  valueEnd(shape: Shape, place: Place, at: number, end: number, depth: number): number {
    if (at >= end) return -1;
    const buffer = this.#buffer;
    const first = buffer[at]!;
    if (first === 0x22) {
      if (shape.code !== ANYTHING) return this.#textEnd(shape, at, end);
      const close = plainEnd(this.#view, buffer, at + 1, end);
      return close < end && buffer[close] === 0x22 ? close + 1 : this.#stringRest(close, end);
    }
    if (first <= 0x39) return plainNumberEnd(shape.number, this.#view, buffer, at, end);
    switch (first) {
      case 0x7b:
        return this.#objectEnd(shape, place, at, end, depth);
      case 0x5b:
        return this.#arrayEnd(shape, place, at, end, depth);
      case 0x6e:
        return skipWord(buffer, at, end, NULL);
      case 0x74:
      case 0x66:
        if (shape.code !== BOOLEAN && shape.code !== ANYTHING) return -1;
        return skipWord(buffer, at, end, first === 0x74 ? TRUE : FALSE);
      default:
        return -1;
    }
  }

  /** The end of the string whose opening quote is at `at`, or -1. */
  stringEnd(at: number, end: number): number {
    return this.#stringRest(at + 1, end);
  }

  /** The end of a string from somewhere in it. */
  #stringRest(at: number, end: number): number {
    const buffer = this.#buffer;
    while (at < end) {
      switch (STRING_CLASS[buffer[at]!]) {
        case QUOTE:
          return at + 1;
        case BACKSLASH:
          at = skipEscape(buffer, at, end);
          break;
        case NON_ASCII:
          at = characterEnd(buffer, at, end);
          break;
        case 0:
          at = plainEnd(this.#view, buffer, at, end);
          break;
        default:
          return -1;
      }
      if (at < 0) return -1;
    }
    return -1;
  }

  /** A string where something else than text is declared: numbers may be written as strings, and BYTES are. */
  #textEnd(shape: Shape, at: number, end: number): number {
    const buffer = this.#buffer;
    if (shape.code === BYTES) {
      const close = plainEnd(this.#view, buffer, at + 1, end);
      if (close >= end || buffer[close] !== 0x22 || !isBase64(buffer, at + 1, close)) return -1;
      return close + 1;
    }
    const close = plainNumberEnd(shape.number, this.#view, buffer, at + 1, end);
    return close >= 0 && close < end && buffer[close] === 0x22 ? close + 1 : -1;
  }

  #objectEnd(shape: Shape, place: Place, at: number, end: number, depth: number): number {
    const { code } = shape;
    if (depth > MAX_DEPTH || (code !== STRUCT && code !== MAP && code !== ANYTHING)) return -1;
    const buffer = this.#buffer;
    at++;
    if (at < end && buffer[at] !== 0x22) at = skipBlanks(buffer, at, end);
    if (at < end && buffer[at] === 0x7d) return at + 1;
    for (let index = 0; ; index++) {
      if (at >= end || buffer[at] !== 0x22) return -1;
      at = this.nameEnd(shape, place, index, at + 1, end);
      if (at < 0) return -1;
      const { head } = this;
      if (at < end && buffer[at] === 0x22 && head.shape.code === ANYTHING) {
        const close = plainEnd(this.#view, buffer, at + 1, end);
        at = close < end && buffer[close] === 0x22 ? close + 1 : this.#stringRest(close, end);
      } else {
        at = this.valueEnd(head.shape, head, at, end, depth + 1);
      }
      if (at < 0) return -1;
      if (at < end && buffer[at]! <= 0x20) at = skipBlanks(buffer, at, end);
      if (at >= end) return -1;
      if (buffer[at] === 0x7d) return at + 1;
      if (buffer[at] !== 0x2c) return -1;
      at++;
      if (at < end && buffer[at] !== 0x22) at = skipBlanks(buffer, at, end);
    }
  }

  #arrayEnd(shape: Shape, place: Place, at: number, end: number, depth: number): number {
    if (depth > MAX_DEPTH || (shape.code !== ARRAY && shape.code !== ANYTHING)) return -1;
    const buffer = this.#buffer;
    const item = shape.item ?? ANY_SHAPE;
    at = skipBlanks(buffer, at + 1, end);
    if (at < end && buffer[at] === 0x5d) return at + 1;
    for (;;) {
      at = this.valueEnd(item, place, at, end, depth + 1);
      if (at < 0) return -1;
      if (at < end && buffer[at]! <= 0x20) at = skipBlanks(buffer, at, end);
      if (at >= end) return -1;
      if (buffer[at] === 0x5d) return at + 1;
      if (buffer[at] !== 0x2c) return -1;
      at++;
      if (at < end && buffer[at]! <= 0x20) at = skipBlanks(buffer, at, end);
    }
  }
}
