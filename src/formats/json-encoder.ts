import { type ByteWriter, EMPTY_BYTES } from '../common/bytes.ts';
import { BLOCKWISE_MAX, copyBlocks, sizeOfBlocks } from '../common/copy-range.ts';
import { viewOf } from '../common/view-of.ts';
import { base64Text } from '../types/base64.ts';
import type { Decimal } from '../types/decimal.ts';
import { doubleText } from '../types/double-text.ts';
import { openPrint } from '../types/print-value.ts';
import type { Column } from '../types/schema.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { SqlValue } from '../types/value.ts';
import type { Decoder, Encoder } from './format.ts';
import { JsonDecoder } from './json-decoder.ts';
import { STRING_CLASS } from './json-skip.ts';

type Write = (value: SqlValue, writer: ByteWriter) => void;

/**
 * Writes JSON records: the columns in their order under their exact names, nulls written out, no blanks; DOUBLE as Java
 * prints it, DECIMAL a plain number with its scale, BYTES base64, DATE, TIME and TIMESTAMP numbers.
 */
export class JsonEncoder implements Encoder {
  /** Per column what stands before its value: `{"NAME":` or `,"NAME":`; empty when the value stands alone. */
  readonly #heads: readonly Uint8Array[];
  /** The same, each from a multiple of a block on, so that they can be copied by blocks. */
  readonly #headView: DataView;
  readonly #headAt: readonly number[];
  readonly #writes: readonly Write[];
  readonly #wrapped: boolean;

  constructor(columns: readonly Column[], wrapped: boolean) {
    this.#wrapped = wrapped;
    this.#heads = columns.map((column, i) =>
      Buffer.from(wrapped ? `${i === 0 ? '{' : ','}${JSON.stringify(column.name)}:` : ''),
    );
    let size = 0;
    this.#headAt = this.#heads.map((head) => (size += sizeOfBlocks(head.length)) - sizeOfBlocks(head.length));
    const heads = new Uint8Array(size);
    this.#heads.forEach((head, c) => heads.set(head, this.#headAt[c]));
    this.#headView = viewOf(heads);
    this.#writes = columns.map((column) => openWrite(column.type));
  }

  encode(row: readonly SqlValue[], slots: readonly number[], writer: ByteWriter): void {
    const heads = this.#heads;
    const writes = this.#writes;
    for (let c = 0; c < heads.length; c++) {
      this.#writeHead(c, writer);
      writes[c]!(row[slots[c]!]!, writer);
    }
    this.#close(writer);
  }

  withRaw(
    decoder: Decoder,
    rawIndex: readonly number[],
  ):
    | ((row: readonly SqlValue[], slots: readonly number[], source: Uint8Array, writer: ByteWriter) => void)
    | null {
    const ranges = decoder.rawRanges;
    if (ranges === null || !(decoder instanceof JsonDecoder)) return null;
    const heads = this.#heads;
    const writes = this.#writes;
    const raws = heads.map((_, c) => rawIndex[c] ?? -1);
    let lastSource: Uint8Array = EMPTY_BYTES;
    let view = viewOf(lastSource);
    return (row, slots, source, writer) => {
      if (source !== lastSource) {
        lastSource = source;
        view = viewOf(source);
      }
      for (let c = 0; c < heads.length; c++) {
        this.#writeHead(c, writer);
        const raw = raws[c]!;
        if (raw < 0) {
          writes[c]!(row[slots[c]!]!, writer);
        } else if (ranges[2 * raw]! >= 0) {
          writeRange(source, view, ranges[2 * raw]!, ranges[2 * raw + 1]!, writer);
        } else {
          writes[c]!(decoder.rawFallback(raw), writer);
        }
      }
      this.#close(writer);
    };
  }

  #writeHead(c: number, writer: ByteWriter): void {
    const size = this.#heads[c]!.length;
    writer.reserve(sizeOfBlocks(size));
    copyBlocks(this.#headView, this.#headAt[c]!, size, writer.view, writer.length);
    writer.length += size;
  }

  #close(writer: ByteWriter): void {
    if (!this.#wrapped) return;
    if (this.#heads.length === 0) writer.writeByte(0x7b);
    writer.writeByte(0x7d);
  }
}

function openWrite(type: SqlType): Write {
  const inner = openInnerWrite(type);
  return (value, writer) => {
    if (value === null || value === undefined) writer.writeText('null');
    else inner(value, writer);
  };
}

function openInnerWrite(type: SqlType): Write {
  switch (type.kind) {
    case 'boolean':
      return (value, writer) => writer.writeText(value === true ? 'true' : 'false');
    case 'string':
      return (value, writer) => writeString(value as string, writer);
    case 'double':
      return (value, writer) => writeDouble(value as number, writer);
    case 'decimal':
      return (value, writer) => writer.writeText((value as Decimal).toString());
    case 'bytes':
      return (value, writer) => {
        writer.writeByte(0x22);
        writer.writeText(base64Text(value as Uint8Array));
        writer.writeByte(0x22);
      };
    case 'array': {
      const element = openWrite(type.element);
      return (value, writer) => {
        const items = value as readonly SqlValue[];
        writer.writeByte(0x5b);
        for (let i = 0; i < items.length; i++) {
          if (i > 0) writer.writeByte(0x2c);
          element(items[i]!, writer);
        }
        writer.writeByte(0x5d);
      };
    }
    case 'map': {
      const key = openPrint(type.key);
      const item = openWrite(type.value);
      return (value, writer) => {
        let separator = 0x7b;
        for (const [name, entry] of value as ReadonlyMap<SqlValue, SqlValue>) {
          writer.writeByte(separator);
          writeString(key(name), writer);
          writer.writeByte(0x3a);
          item(entry, writer);
          separator = 0x2c;
        }
        if (separator === 0x7b) writer.writeByte(0x7b);
        writer.writeByte(0x7d);
      };
    }
    case 'struct': {
      const fields = new JsonEncoder(type.fields, true);
      const slots = type.fields.map((_, i) => i);
      return (value, writer) => fields.encode(value as readonly SqlValue[], slots, writer);
    }
    default:
      return (value, writer) => writeWhole(value as number | bigint, writer);
  }
}

/** Copies a range of the source's bytes: by blocks unless it is long, or so near to the end that a block is not there. */
function writeRange(
  source: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  writer: ByteWriter,
): void {
  const size = end - start;
  const blocks = sizeOfBlocks(size);
  if (size > BLOCKWISE_MAX || start + blocks > source.length) {
    writer.writeBytes(source, start, end);
    return;
  }
  writer.reserve(blocks);
  copyBlocks(view, start, size, writer.view, writer.length);
  writer.length += size;
}

function writeString(text: string, writer: ByteWriter): void {
  const size = text.length;
  if (size <= 64) {
    writer.reserve(size + 2);
    const buffer = writer.buffer;
    let at = writer.length;
    buffer[at++] = 0x22;
    let i = 0;
    for (; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f || STRING_CLASS[code] !== 0) break;
      buffer[at++] = code;
    }
    if (i === size) {
      buffer[at++] = 0x22;
      writer.length = at;
      return;
    }
  }
  writer.writeText(JSON.stringify(text));
}

const DIGITS = new Uint8Array(20);

/** An INTEGER, BIGINT or temporal value in decimal digits. */
function writeWhole(value: number | bigint, writer: ByteWriter): void {
  if (typeof value !== 'number') {
    writer.writeText(value.toString());
    return;
  }
  writer.reserve(20);
  const buffer = writer.buffer;
  let at = writer.length;
  if (value < 0) {
    buffer[at++] = 0x2d;
    value = 0 - value;
  }
  writer.length = writeDigits(value, buffer, at);
}

/** Writes the digits of a whole number, which is a safe integer and not negative. Gives the position after them. */
function writeDigits(value: number, buffer: Uint8Array, at: number): number {
  let count = 0;
  while (value > 0x7fff_ffff) {
    const rest = Math.floor(value / 10);
    DIGITS[count++] = value - rest * 10;
    value = rest;
  }
  // Within 32 bits the division is an integer one.
  let small = value | 0;
  do {
    const rest = (small / 10) | 0;
    DIGITS[count++] = small - rest * 10;
    small = rest;
  } while (small > 0);
  while (count > 0) buffer[at++] = 0x30 + DIGITS[--count]!;
  return at;
}

/** A double as Java prints it; those that JSON has no number for in quotes. */
function writeDouble(value: number, writer: ByteWriter): void {
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) {
    // Two digits after the point are usual (prices). If they give the value back, its shortest text is theirs.
    const hundredths = Math.round(size * 100);
    if (hundredths / 100 === size) {
      writer.reserve(20);
      const buffer = writer.buffer;
      let at = writer.length;
      if (value < 0) buffer[at++] = 0x2d;
      const whole = Math.floor(hundredths / 100);
      const rest = hundredths - whole * 100;
      at = writeDigits(whole, buffer, at);
      buffer[at++] = 0x2e;
      const tenths = (rest / 10) | 0;
      buffer[at++] = 0x30 + tenths;
      if (rest !== tenths * 10) buffer[at++] = 0x30 + (rest - tenths * 10);
      writer.length = at;
      return;
    }
  }
  const text = doubleText(value);
  writer.writeText(Number.isFinite(value) ? text : `"${text}"`);
}
