import { isUtf8 } from 'node:buffer';
import { EMPTY_BYTES } from '../common/bytes.ts';
import { DataError } from '../common/error.ts';
import { parseBigint } from '../types/bigint.ts';
import { Decimal, powerOfTen } from '../types/decimal.ts';
import type { Column } from '../types/schema.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { SqlValue } from '../types/value.ts';
import type { Decoder, WantedColumn } from './format.ts';
import { fieldOf, openCoerce, type Coerce } from './json-coerce.ts';
import { parseJson, type JsonNode } from './json-node.ts';
import {
  FALSE,
  NON_ASCII,
  NULL,
  QUOTE,
  skipBlanks,
  skipNumber,
  skipString,
  skipValue,
  skipWord,
  STRING_CLASS,
  TRUE,
} from './json-skip.ts';
import { plainEnd, plainValueEnd } from './json-plain.ts';
import { StringDictionary } from './string-dictionary.ts';
import { asBuffer, asciiText, checkedText, utf8Text } from './text-slice.ts';

const OTHER = 0;
const STRING = 1;
const INTEGER = 2;
const BIGINT = 3;
const DOUBLE = 4;
const DECIMAL = 5;
const BOOLEAN = 6;
const TIME = 7;

/** Numbers of at most this many digits are exact in a double, and so are their decimal fractions once divided. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Field positions of a record whose names are remembered. Later ones are looked up each time. */
const REMEMBERED = 128;

/** A wanted column: where it goes and how its values are read. */
interface Field {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly code: number;
  /** For DECIMAL. */
  readonly precision: number;
  readonly scale: number;
  readonly slot: number;
  readonly raw: number;
  readonly coerce: Coerce;
  readonly strings: StringDictionary;
  /** The number of the record in which the field was last met: tells fields that are missing or given twice. */
  seenIn: number;
}

function codeOf(type: SqlType): number {
  switch (type.kind) {
    case 'string':
      return STRING;
    case 'integer':
      return INTEGER;
    case 'bigint':
      return BIGINT;
    case 'double':
      return DOUBLE;
    case 'decimal':
      return DECIMAL;
    case 'boolean':
      return BOOLEAN;
    case 'time':
      return TIME;
    default:
      return OTHER;
  }
}

/** What stood between a name's opening quote and the value, as little-endian words: the name, `":` and blanks. */
interface Head {
  readonly size: number;
  readonly words: Int32Array;
  /** The last four bytes, which overlap the last word; 0 for a head of fewer bytes. */
  readonly tail: number;
  /** The bytes of a head of fewer than four. */
  readonly bytes: Uint8Array;
  /** The field that the value goes to, or -1. */
  readonly target: number;
}

function headOf(view: DataView, start: number, end: number, target: number): Head {
  const size = end - start;
  return {
    size,
    words: Int32Array.from({ length: size >> 2 }, (_, i) => view.getInt32(start + 4 * i, true)),
    tail: size >= 4 ? view.getInt32(end - 4, true) : 0,
    bytes: Uint8Array.from({ length: size < 4 ? size : 0 }, (_, i) => view.getUint8(start + i)),
    target,
  };
}

function matchesHead(head: Head, view: DataView, at: number): boolean {
  const { size, words } = head;
  if (size < 4) {
    for (let i = 0; i < size; i++) if (view.getUint8(at + i) !== head.bytes[i]) return false;
    return true;
  }
  for (let i = 0; i < words.length; i++) if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
  return view.getInt32(at + size - 4, true) === head.tail;
}

/** Where records of several partitions take turns, so do their buffers: making a view for each record would show. */
const views = new WeakMap<Uint8Array, DataView>();

function viewOf(bytes: Uint8Array): DataView {
  let view = views.get(bytes);
  if (view === undefined)
    views.set(bytes, (view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  return view;
}

/**
 * Reads JSON records, wanted fields only, in one walk over the bytes. The whole record is always walked: whether a
 * record is valid, and which of two fields of one name counts, must not depend on the columns a query happens to want.
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
  readonly #fields: Field[];
  /** Pairs of slots: a column that is wanted twice is read once and copied. */
  readonly #slotCopies: readonly (readonly [from: number, to: number])[];
  readonly #rawCopies: readonly (readonly [from: number, to: number])[];
  readonly #fallbacks: SqlValue[];
  /** Two wanted names that differ in case only are matched by the exact path. */
  readonly #scannable: boolean;
  /** By position in the record. */
  readonly #heads: Head[] = [];
  /** The buffer of the last record, and it again for reading four bytes at once: a batch has one buffer for all. */
  #bytes: Uint8Array = EMPTY_BYTES;
  #buffer: Buffer = EMPTY_BYTES;
  #view: DataView = new DataView(EMPTY_BYTES.buffer, 0, 0);
  #record = 0;
  #sawNonAscii = false;
  #found = -1;

  constructor(columns: readonly Column[], wrapped: boolean, wanted: readonly WantedColumn[]) {
    const fields: Field[] = [];
    const slotCopies: [number, number][] = [];
    const rawCopies: [number, number][] = [];
    const byColumn = new Map<number, { slot: number; raw: number }>();
    let raws = 0;
    for (const want of wanted) {
      raws = Math.max(raws, want.raw + 1);
      const first = byColumn.get(want.column);
      if (first === undefined) {
        byColumn.set(want.column, { slot: want.slot, raw: want.raw });
        continue;
      }
      if (first.slot < 0) first.slot = want.slot;
      else if (want.slot >= 0 && want.slot !== first.slot) slotCopies.push([first.slot, want.slot]);
      if (first.raw < 0) first.raw = want.raw;
      else if (want.raw >= 0 && want.raw !== first.raw) rawCopies.push([first.raw, want.raw]);
    }
    for (const [index, { slot, raw }] of byColumn) {
      const column = columns[index]!;
      fields.push({
        name: column.name,
        nameBytes: Buffer.from(column.name),
        code: codeOf(column.type),
        precision: column.type.kind === 'decimal' ? column.type.precision : 0,
        scale: column.type.kind === 'decimal' ? column.type.scale : 0,
        slot,
        raw,
        coerce: openCoerce(column.type, column.name),
        strings: new StringDictionary(),
        seenIn: 0,
      });
    }
    this.#fields = fields;
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
    }
    const buffer = this.#buffer;
    this.#sawNonAscii = false;
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
    const after = field === undefined ? skipValue(buffer, at, end) : this.#read(field, buffer, at, end, row);
    if (after < 0 || skipBlanks(buffer, after, end) !== end) return false;
    return this.#isText(buffer, start, end, field === undefined);
  }

  /** The record is an object. False when the exact path must read it. */
  #scan(buffer: Buffer, start: number, end: number, row: SqlValue[]): boolean {
    const fields = this.#fields;
    const heads = this.#heads;
    const view = this.#view;
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
      for (let position = 0; ; position++) {
        if (at >= end || buffer[at] !== 0x22) return false;
        at++;
        let target = -2;
        if (position < heads.length) {
          const head = heads[position]!;
          if (at + head.size < end && matchesHead(head, view, at)) {
            at += head.size;
            target = head.target;
            if (buffer[at]! <= 0x20) at = skipBlanks(buffer, at, end);
          }
        }
        if (target === -2) {
          at = this.#matchName(buffer, at, end, position);
          if (at < 0) return false;
          target = this.#found;
        }
        if (target >= 0) {
          const field = fields[target]!;
          if (field.seenIn === record) return false;
          field.seenIn = record;
          met++;
          at = this.#read(field, buffer, at, end, row);
        } else {
          at = this.#skip(buffer, at, end);
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
    if (met < fields.length)
      for (const field of fields) if (field.seenIn !== record) this.#storeValue(field, row, null);
    return this.#isText(buffer, start, end, false);
  }

  #isText(buffer: Buffer, start: number, end: number, unknown: boolean): boolean {
    return !(this.#sawNonAscii || unknown) || isUtf8(buffer.subarray(start, end));
  }

  /**
   * Reads the name that begins after the quote before `at`, and what follows it up to the value, and remembers both.
   * Gives the start of the value and leaves the field in `#found`; -1 when the exact path must read the record.
   */
  #matchName(buffer: Buffer, at: number, end: number, position: number): number {
    const nameStart = at;
    while (at < end && STRING_CLASS[buffer[at]!] === 0) at++;
    if (at >= end || buffer[at] !== 0x22) return -1;
    const nameEnd = at;
    at = skipBlanks(buffer, at + 1, end);
    if (at >= end || buffer[at] !== 0x3a) return -1;
    at = skipBlanks(buffer, at + 1, end);
    if (at >= end) return -1;
    this.#found = this.#fieldNamed(buffer, nameStart, nameEnd);
    if (position <= this.#heads.length && position < REMEMBERED && at - nameStart <= 256) {
      this.#heads[position] = headOf(this.#view, nameStart, at, this.#found);
    }
    return at;
  }

  #fieldNamed(buffer: Buffer, start: number, end: number): number {
    const size = end - start;
    for (let f = 0; f < this.#fields.length; f++) {
      const name = this.#fields[f]!.nameBytes;
      if (name.length !== size) continue;
      let i = 0;
      for (; i < size; i++) {
        const byte = buffer[start + i]!;
        // The name as it is, or in upper case: a field that matches both ways in one record is read exactly.
        if (byte !== name[i] && (byte < 0x61 || byte > 0x7a || byte - 0x20 !== name[i])) break;
      }
      if (i === size && this.#matchesOneWay(name, buffer, start)) return f;
    }
    return -1;
  }

  /** Either every byte is the name's, or every byte is after upper-casing. */
  #matchesOneWay(name: Uint8Array, buffer: Buffer, start: number): boolean {
    let exact = true;
    let upper = true;
    for (let i = 0; i < name.length; i++) {
      const byte = buffer[start + i]!;
      if (byte !== name[i]) exact = false;
      if ((byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte) !== name[i]) upper = false;
    }
    return exact || upper;
  }

  /** Skips a value that is not wanted; -1 when it is malformed. */
  #skip(buffer: Buffer, at: number, end: number): number {
    const first = buffer[at]!;
    if (first === 0x22) {
      const i = plainEnd(this.#view, buffer, at + 1, end);
      if (i < end && buffer[i] === 0x22) return i + 1;
      // Escapes or text beyond ASCII: rare enough to begin again.
      this.#sawNonAscii = true;
      return skipString(buffer, at, end);
    }
    if (first <= 0x39) return skipNumber(buffer, at, end);
    const plain = plainValueEnd(this.#view, buffer, at, end, 2);
    if (plain >= 0) return plain;
    this.#sawNonAscii = true;
    return skipValue(buffer, at, end, 2);
  }

  /** Reads the value at `at` into the field. Gives its end; -1 when the exact path must read the record. */
  #read(field: Field, buffer: Buffer, at: number, end: number, row: SqlValue[]): number {
    if (at >= end) return -1;
    const first = buffer[at]!;
    if (first === 0x22) {
      if (field.code !== STRING) return this.#readUnusual(field, buffer, at, end, row);
      const start = at + 1;
      let i = plainEnd(this.#view, buffer, start, end);
      if (i >= end) return -1;
      let kind = STRING_CLASS[buffer[i]!];
      const isAscii = kind === QUOTE;
      while (kind === NON_ASCII || kind === 0) {
        this.#sawNonAscii = true;
        if (++i >= end) return -1;
        kind = STRING_CLASS[buffer[i]!];
      }
      if (kind !== QUOTE) return this.#readUnusual(field, buffer, at, end, row);
      if (field.slot >= 0)
        row[field.slot] = isAscii ? field.strings.get(buffer, start, i) : utf8Text(buffer, start, i);
      if (field.raw >= 0) this.#storeRange(field.raw, at, i + 1);
      return i + 1;
    }
    if (first === 0x2d || (first >= 0x30 && first <= 0x39))
      return this.#readNumber(field, buffer, at, end, row);
    if (first === 0x6e) {
      const after = skipWord(buffer, at, end, NULL);
      if (after > 0) this.#storeValue(field, row, null);
      return after;
    }
    if (field.code === BOOLEAN && (first === 0x74 || first === 0x66)) {
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
    if (count > EXACT_DIGITS || (i < end && (buffer[i] === 0x65 || buffer[i] === 0x45)))
      return this.#readUnusual(field, buffer, at, end, row);
    // Whether the encoder would write the value with these very bytes.
    let canonical = !negative || digits !== 0;
    let value: SqlValue;
    switch (field.code) {
      case INTEGER:
        if (scale > 0 || digits > (negative ? 2147483648 : 2147483647))
          return this.#readUnusual(field, buffer, at, end, row);
        value = negative ? 0 - digits : digits;
        break;
      case BIGINT:
        if (scale > 0) return this.#readUnusual(field, buffer, at, end, row);
        value = negative ? 0 - digits : digits;
        break;
      case TIME:
        if (scale > 0 || negative || digits >= 86_400_000)
          return this.#readUnusual(field, buffer, at, end, row);
        value = digits;
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
        if (scale > field.scale || count - scale > field.precision - field.scale)
          return this.#readUnusual(field, buffer, at, end, row);
        canonical &&= scale === field.scale;
        if (field.slot < 0 && canonical) {
          value = null;
          break;
        }
        const whole = BigInt(negative ? 0 - digits : digits);
        value = new Decimal(
          scale === field.scale ? whole : whole * powerOfTen(field.scale - scale),
          field.scale,
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
    const after = skipValue(buffer, at, end, 2);
    if (after < 0) return -1;
    if (field.code === BIGINT && buffer[at] !== 0x22 && after - at < 21) {
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
