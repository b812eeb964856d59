import { EMPTY_BYTES } from '../common/bytes.ts';
import { DataError } from '../common/error.ts';
import { parseBigint } from '../types/bigint.ts';
import { Decimal, powerOfTen } from '../types/decimal.ts';
import { parseJson, type JsonNode } from '../types/json-node.ts';
import type { Column } from '../types/schema.ts';
import type { SqlValue } from '../types/value.ts';
import type { Decoder, WantedColumn } from './format.ts';
import { fieldOf, openCoerce, type Coerce } from './json-coerce.ts';
import { newPlace, type Place } from './json-head.ts';
import {
  ANY_SHAPE,
  ANYTHING,
  BIGINT,
  BOOLEAN,
  DECIMAL,
  DOUBLE,
  type Shape,
  shapeOf,
  structShape,
  WHOLE,
} from './json-shape.ts';
import { FALSE, NULL, plainEnd, skipBlanks, skipWord, TRUE } from './json-skip.ts';
import { JsonWalk } from './json-walk.ts';
import { isDigit, isExponent, plainNumberEnd } from './plain-number.ts';
import { StringDictionary } from './string-dictionary.ts';
import { asBuffer, asciiText, checkedText, utf8Text } from './text-slice.ts';
import { viewOf } from '../common/view-of.ts';

/** Numbers of at most this many digits are exact in a double, and so are their decimal fractions once divided. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** A declared column: how its values are read, and where they go. */
interface Field {
  readonly name: string;
  readonly shape: Shape;
  /** False: its values are only checked, and `slot` and `raw` are -1. */
  readonly isRead: boolean;
  readonly slot: number;
  readonly raw: number;
  readonly coerce: Coerce;
  readonly strings: StringDictionary;
  /** The number of the record in which the field was last met: tells fields that are missing or given twice. */
  seenIn: number;
}

/**
 * Reads JSON records in one walk over the bytes. Whether a record can be read, and which of two fields of one name
 * counts, does not depend on the columns a query happens to want: those that it doesn't are checked (`JsonWalk`).
 *
 * Names are guessed from the record before: what stood at this position then, with its quote, colon and blanks, is
 * compared first, so the usual record costs one comparison a field. Whatever is unusual (escaped or repeated names,
 * values of another type than the column's, anything malformed) makes the walk give up, and the record is read again by
 * the exact path (`parseJson`, `openCoerce`), which also words the error. Both must agree, which test/unit/formats
 * holds them to.
 */
export class JsonDecoder implements Decoder {
  readonly rawRanges: Int32Array | null;
  readonly #wrapped: boolean;
  readonly #fields: readonly Field[];
  readonly #readFields: readonly Field[];
  readonly #shape: Shape;
  /** Pairs of slots: a column that is wanted twice is read once and copied. */
  readonly #slotCopies: readonly (readonly [from: number, to: number])[];
  readonly #rawCopies: readonly (readonly [from: number, to: number])[];
  readonly #fallbacks: SqlValue[];
  /** Two names that differ in case only are matched by the exact path. */
  readonly #scannable: boolean;
  readonly #walk = new JsonWalk();
  readonly #place: Place = newPlace();
  /** The buffer of the last record, and it again for reading four bytes at once: a batch has one buffer for all. */
  #bytes: Uint8Array = EMPTY_BYTES;
  #buffer: Buffer = EMPTY_BYTES;
  #view: DataView = new DataView(EMPTY_BYTES.buffer, 0, 0);
  #record = 0;

  constructor(columns: readonly Column[], wrapped: boolean, wanted: readonly WantedColumn[]) {
    const slotCopies: [number, number][] = [];
    const rawCopies: [number, number][] = [];
    const targets = columns.map(() => ({ slot: -1, raw: -1 }));
    let raws = 0;
    for (const want of wanted) {
      raws = Math.max(raws, want.raw + 1);
      const first = targets[want.column]!;
      if (first.slot < 0) first.slot = want.slot;
      else if (want.slot >= 0 && want.slot !== first.slot) slotCopies.push([first.slot, want.slot]);
      if (first.raw < 0) first.raw = want.raw;
      else if (want.raw >= 0 && want.raw !== first.raw) rawCopies.push([first.raw, want.raw]);
    }
    const fields = columns.map(({ name, type }, index) => {
      const { slot, raw } = targets[index]!;
      return {
        name,
        shape: shapeOf(type),
        isRead: slot >= 0 || raw >= 0,
        slot,
        raw,
        coerce: openCoerce(type, name),
        strings: new StringDictionary(),
        seenIn: 0,
      };
    });
    this.#fields = fields;
    this.#readFields = fields.filter((field) => field.isRead);
    this.#shape = structShape(columns);
    this.#wrapped = wrapped;
    this.#slotCopies = slotCopies;
    this.#rawCopies = rawCopies;
    this.#fallbacks = Array.from({ length: raws }, () => null);
    this.rawRanges = raws === 0 ? null : new Int32Array(raws * 2).fill(-1);
    this.#scannable = new Set(fields.map((field) => field.name.toUpperCase())).size === fields.length;
  }

  decode(bytes: Uint8Array, start: number, end: number, row: SqlValue[]): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#buffer = asBuffer(bytes);
      this.#view = viewOf(bytes);
      this.#walk.enter(this.#buffer, this.#view);
    }
    const buffer = this.#buffer;
    if (
      !this.#scannable ||
      !(this.#wrapped ? this.#scan(buffer, start, end, row) : this.#scanValue(buffer, start, end, row))
    )
      this.#decodeExactly(buffer, start, end, row);
    for (const [from, to] of this.#slotCopies) row[to] = row[from]!;
    for (const [from, to] of this.#rawCopies) {
      this.rawRanges![2 * to] = this.rawRanges![2 * from]!;
      this.rawRanges![2 * to + 1] = this.rawRanges![2 * from + 1]!;
      this.#fallbacks[to] = this.#fallbacks[from]!;
    }
  }

  rawFallback(i: number): SqlValue {
    return this.#fallbacks[i]!;
  }

  /** The exact path: the whole record as a tree. Throws `DataError`. */
  #decodeExactly(buffer: Buffer, start: number, end: number, row: SqlValue[]): void {
    const node = start === end ? null : parseJson(checkedText(buffer, start, end));
    if (this.#wrapped && node !== null && !(node instanceof Map))
      throw new DataError(
        `not a record: expected a JSON object, found ${Array.isArray(node) ? 'an array' : 'a single value'}`,
      );
    for (const field of this.#fields) {
      const value: JsonNode =
        this.#wrapped && node !== null ? fieldOf(node as ReadonlyMap<string, JsonNode>, field.name) : node;
      this.#storeValue(field, row, field.coerce(value));
    }
  }

  /** The whole record is one value. False when the exact path must read it. */
  #scanValue(buffer: Buffer, start: number, end: number, row: SqlValue[]): boolean {
    const at = skipBlanks(buffer, start, end);
    const field = this.#fields[0];
    let after = -1;
    if (field === undefined || !field.isRead)
      after = this.#walk.valueEnd(field?.shape ?? ANY_SHAPE, this.#place, at, end, 1);
    if (after < 0 && field !== undefined) after = this.#read(field, buffer, at, end, row);
    return after >= 0 && skipBlanks(buffer, after, end) === end;
  }

  /** The record is an object. False when the exact path must read it. */
  #scan(buffer: Buffer, start: number, end: number, row: SqlValue[]): boolean {
    const walk = this.#walk;
    const record = ++this.#record;
    let met = 0;
    let at = start;
    if (buffer[at] !== 0x7b) {
      at = skipBlanks(buffer, start, end);
      if (at >= end || buffer[at] !== 0x7b) return false;
    }
    at++;
    if (at < end && buffer[at] !== 0x22) at = skipBlanks(buffer, at, end);
    if (at < end && buffer[at] === 0x7d) {
      at++;
    } else {
      for (let index = 0; ; index++) {
        if (at >= end || buffer[at] !== 0x22) return false;
        at = walk.nameEnd(this.#shape, this.#place, index, at + 1, end);
        if (at < 0) return false;
        const { head } = walk;
        const field = head.position < 0 ? null : this.#fields[head.position]!;
        if (field === null) {
          at = walk.valueEnd(ANY_SHAPE, head, at, end, 2);
        } else if (field.isRead) {
          if (field.seenIn === record) return false;
          field.seenIn = record;
          met++;
          at = this.#read(field, buffer, at, end, row);
        } else {
          const after = walk.valueEnd(field.shape, head, at, end, 2);
          at = after < 0 ? this.#read(field, buffer, at, end, row) : after;
        }
        if (at < 0 || at >= end) return false;
        let byte = buffer[at];
        if (byte !== 0x2c && byte !== 0x7d) {
          at = skipBlanks(buffer, at, end);
          if (at >= end) return false;
          byte = buffer[at];
        }
        at++;
        if (byte === 0x7d) break;
        if (byte !== 0x2c) return false;
        if (at < end && buffer[at] !== 0x22) at = skipBlanks(buffer, at, end);
      }
    }
    if (at !== end && skipBlanks(buffer, at, end) !== end) return false;
    if (met < this.#readFields.length)
      for (const field of this.#readFields) if (field.seenIn !== record) this.#storeValue(field, row, null);
    return true;
  }

  /** Reads the value at `at` into the field. Gives its end; -1 when the exact path must read the record. */
  #read(field: Field, buffer: Buffer, at: number, end: number, row: SqlValue[]): number {
    if (at >= end) return -1;
    const first = buffer[at]!;
    const { code } = field.shape;
    if (first === 0x22) {
      if (code !== ANYTHING) return this.#readUnusual(field, buffer, at, end, row);
      const start = at + 1;
      let close = plainEnd(this.#view, buffer, start, end);
      if (close < end && buffer[close] === 0x22) {
        if (field.slot >= 0) row[field.slot] = field.strings.get(buffer, start, close);
      } else {
        close = this.#walk.stringEnd(at, end) - 1;
        if (close < 0) return -1;
        const text = utf8Text(buffer, start, close);
        if (text.includes('\\')) return this.#readUnusual(field, buffer, at, end, row);
        if (field.slot >= 0) row[field.slot] = text;
      }
      if (field.raw >= 0) this.#storeRange(field.raw, at, close + 1);
      return close + 1;
    }
    if (first === 0x2d || isDigit(first)) {
      if (field.slot < 0 && (code === WHOLE || code === BIGINT)) {
        // A whole number that is only passed on: its digits are counted, not read. -0 would be written as 0.
        const after = plainNumberEnd(field.shape.number, this.#view, buffer, at, end);
        if (after > 0 && (first !== 0x2d || buffer[at + 1] !== 0x30)) {
          if (field.raw >= 0) this.#storeRange(field.raw, at, after);
          return after;
        }
      }
      return this.#readNumber(field, buffer, at, end, row);
    }
    if (first === 0x6e) {
      const after = skipWord(buffer, at, end, NULL);
      if (after > 0) this.#storeValue(field, row, null);
      return after;
    }
    if (code === BOOLEAN && (first === 0x74 || first === 0x66)) {
      const after = skipWord(buffer, at, end, first === 0x74 ? TRUE : FALSE);
      if (after > 0) {
        if (field.slot >= 0) row[field.slot] = first === 0x74;
        if (field.raw >= 0) this.#storeRange(field.raw, at, after);
      }
      return after;
    }
    return this.#readUnusual(field, buffer, at, end, row);
  }

  #readNumber(field: Field, buffer: Buffer, at: number, end: number, row: SqlValue[]): number {
    const negative = buffer[at] === 0x2d;
    const first = negative ? at + 1 : at;
    let i = first;
    let digits = 0;
    let byte = 0;
    while (i < end && (byte = buffer[i]!) >= 0x30 && byte <= 0x39) {
      digits = digits * 10 + (byte - 0x30);
      i++;
    }
    let count = i - first;
    if (count === 0 || (count > 1 && buffer[first] === 0x30)) return -1;
    let scale = 0;
    if (i < end && buffer[i] === 0x2e) {
      const point = ++i;
      while (i < end && (byte = buffer[i]!) >= 0x30 && byte <= 0x39) {
        digits = digits * 10 + (byte - 0x30);
        i++;
      }
      scale = i - point;
      if (scale === 0) return -1;
      count += scale;
    }
    if (count > EXACT_DIGITS || (i < end && isExponent(buffer[i]!)))
      return this.#readUnusual(field, buffer, at, end, row);
    // Whether the encoder would write the value with these very bytes.
    let canonical = !negative || digits !== 0;
    let value: SqlValue;
    const { shape } = field;
    switch (shape.code) {
      case WHOLE:
      case BIGINT:
        value = negative ? 0 - digits : digits;
        if (scale > 0 || value < shape.least || value > shape.most)
          return this.#readUnusual(field, buffer, at, end, row);
        break;
      case DOUBLE: {
        const size = scale === 0 ? digits : digits / POWERS_OF_TEN[scale]!;
        value = negative ? 0 - size : size;
        canonical &&=
          scale > 0 &&
          (scale === 1 || buffer[i - 1] !== 0x30) &&
          ((size >= 1e-3 && size < 1e7) || (digits === 0 && scale === 1));
        break;
      }
      case DECIMAL: {
        if (scale > shape.number.scale || count - scale > shape.number.digits)
          return this.#readUnusual(field, buffer, at, end, row);
        canonical &&= scale === shape.number.scale;
        if (field.slot < 0 && canonical) {
          value = null;
          break;
        }
        const whole = BigInt(negative ? 0 - digits : digits);
        value = new Decimal(
          scale === shape.number.scale ? whole : whole * powerOfTen(shape.number.scale - scale),
          shape.number.scale,
        );
        break;
      }
      default:
        return this.#readUnusual(field, buffer, at, end, row);
    }
    if (field.slot >= 0) row[field.slot] = value;
    if (field.raw >= 0) {
      if (canonical) {
        this.#storeRange(field.raw, at, i);
      } else {
        this.rawRanges![2 * field.raw] = -1;
        this.#fallbacks[field.raw] = value;
      }
    }
    return i;
  }

  /** Reads one value by the exact path: nested ones, other types than the column's, long numbers, escapes. */
  #readUnusual(field: Field, buffer: Buffer, at: number, end: number, row: SqlValue[]): number {
    const after = this.#walk.anyEnd(at, end, 2);
    if (after < 0) return -1;
    if (field.shape.code === BIGINT && buffer[at] !== 0x22 && after - at < 21) {
      const value = parseBigint(asciiText(buffer, at, after));
      if (value !== undefined) {
        this.#storeValue(field, row, value);
        return after;
      }
    }
    try {
      this.#storeValue(field, row, field.coerce(parseJson(checkedText(buffer, at, after))));
    } catch {
      // The exact path finds it again and words it, or another field of that name counts.
      return -1;
    }
    return after;
  }

  #storeRange(raw: number, start: number, end: number): void {
    this.rawRanges![2 * raw] = start;
    this.rawRanges![2 * raw + 1] = end;
  }

  #storeValue(field: Field, row: SqlValue[], value: SqlValue): void {
    if (field.slot >= 0) row[field.slot] = value;
    if (field.raw >= 0) {
      this.rawRanges![2 * field.raw] = -1;
      this.#fallbacks[field.raw] = value;
    }
  }
}
