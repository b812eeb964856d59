import { must } from '../common/assert.ts';
import type { ByteWriter } from '../common/bytes.ts';
import { DataError, SqlError } from '../common/error.ts';
import { base64Text, isBase64, parseBase64 } from '../types/base64.ts';
import { parseBigint } from '../types/bigint.ts';
import { Decimal } from '../types/decimal.ts';
import { doubleText, parseDouble } from '../types/double-text.ts';
import { printType } from '../types/print-type.ts';
import type { Column } from '../types/schema.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { SqlValue } from '../types/value.ts';
import type { Decoder, Encoder, Format, FormatSettings, WantedColumn } from './format.ts';
import { numberShape, type NumberShape, plainNumberEnd, wholeRange } from './plain-number.ts';
import { checkKinds, checkProperties } from './settings.ts';
import { textRecords } from './test-records.ts';
import { asBuffer, asciiText, checkedText } from './text-slice.ts';
import { viewOf } from '../common/view-of.ts';
import { openWrittenText } from './written-key.ts';

/**
 * A line of comma-separated values (RFC 4180), one value a column: quoted where needed, empty is null, temporal
 * values are numbers, BYTES base64, BOOLEAN `true` or `false`, STRING loses nothing but an empty text, which reads as
 * null. `DELIMITER` is one character, or `TAB` or `SPACE`.
 */
export const delimited: Format = {
  name: 'DELIMITED',
  properties: [{ name: 'DELIMITER', inherited: true }],
  singleColumn: 'always-unwrapped',
  multiColumn: true,
  namesColumns: false,
  registered: false,
  loneNull: 'bytes',
  noValue: null,
  textIsBytes: false,
  rawRanges: false,
  validate(columns, settings) {
    checkProperties(delimited, settings);
    delimiterOf(settings);
    checkKinds(delimited, columns, [
      'boolean',
      'integer',
      'bigint',
      'double',
      'decimal',
      'string',
      'bytes',
      'date',
      'time',
      'timestamp',
    ]);
  },
  openDecoder: (columns, settings, wanted) => new DelimitedDecoder(columns, delimiterOf(settings), wanted),
  openEncoder(columns, settings): Encoder {
    const delimiter = delimiterOf(settings);
    const prints = columns.map((column) => openWrite(column));
    return {
      encode(row, slots, writer: ByteWriter) {
        for (let c = 0; c < prints.length; c++) {
          if (c > 0) writer.writeText(delimiter);
          const value = row[slots[c]!];
          if (value === null || value === undefined) continue;
          const text = prints[c]!(value);
          writer.writeText(needsQuotes(text, delimiter, c === 0) ? `"${text.replaceAll('"', '""')}"` : text);
        }
      },
    };
  },
  // A minus at the start of a line is quoted.
  openWrittenKey: (columns, settings) => openWrittenText(columns, settings, false, isPlainWord),
  // Any text is a line of values: nothing would be told by naming it.
  guesses: [],
  testRecords: textRecords,
};

/** Letters and digits only: no CSV writer quotes that. */
function isPlainWord(buffer: Uint8Array, start: number, end: number): boolean {
  if (end === start) return false;
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    const isAlphanumeric =
      (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
    if (!isAlphanumeric) return false;
  }
  return true;
}

/** The character between values. Throws `SqlError` ML_FORMAT. */
function delimiterOf(settings: FormatSettings): string {
  const text = settings.properties.get('DELIMITER');
  if (text === undefined) return ',';
  if (text === 'TAB') return '\t';
  if (text === 'SPACE') return ' ';
  if (text.length !== 1 || text === '"' || text === '\n' || text === '\r')
    throw new SqlError('ML_FORMAT', `${JSON.stringify(text)} cannot be the delimiter of format DELIMITED`, {
      hint: 'give one character, or TAB or SPACE',
    });
  return text;
}

/** A column: how its values are read, and where they go. */
interface Target {
  readonly type: SqlType;
  readonly number: NumberShape;
  readonly read: (text: string) => SqlValue;
  /** Empty: its values are only checked. */
  readonly slots: readonly number[];
}

/**
 * Plain lines (ASCII, no quotes) are read where they lie, and columns that nobody wants are checked without making
 * anything of them; whatever is unusual, or may not fit, is split and read column by column, which also words the error.
 */
class DelimitedDecoder implements Decoder {
  readonly rawRanges = null;
  readonly #targets: readonly Target[];
  readonly #delimiter: string;
  readonly #delimiterByte: number;

  constructor(columns: readonly Column[], delimiter: string, wanted: readonly WantedColumn[]) {
    this.#targets = columns.map((column, index) => ({
      type: column.type,
      number: numberShape(column.type),
      read: openRead(column),
      slots: wanted.flatMap((want) => (want.column === index && want.slot >= 0 ? [want.slot] : [])),
    }));
    this.#delimiter = delimiter;
    const code = delimiter.charCodeAt(0);
    this.#delimiterByte = code < 0x80 ? code : -1;
  }

  rawFallback(): SqlValue {
    return null;
  }

  decode(buffer: Uint8Array, start: number, end: number, row: SqlValue[]): void {
    let isPlain: boolean;
    try {
      isPlain = this.#scan(buffer, start, end, row);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      isPlain = false;
    }
    if (!isPlain) this.#decodeExactly(buffer, start, end, row);
  }

  /** Throws `DataError`. */
  #decodeExactly(buffer: Uint8Array, start: number, end: number, row: SqlValue[]): void {
    const targets = this.#targets;
    // Nothing is how the null of a lone column is written, and too little for several.
    const fields =
      start === end
        ? targets.slice(0, 1).map(() => '')
        : splitLine(checkedText(asBuffer(buffer), start, end), this.#delimiter);
    if (fields.length !== targets.length)
      throw new DataError(
        `expected ${targets.length} columns separated by ${JSON.stringify(this.#delimiter)}, found ${start === end ? 'nothing' : fields.length}`,
      );
    for (let i = 0; i < targets.length; i++) {
      const { read, slots } = targets[i]!;
      const text = fields[i]!;
      const value = text === '' ? null : read(text);
      for (const slot of slots) row[slot] = value;
    }
  }

  /** False when the line must be read exactly. */
  #scan(buffer: Uint8Array, start: number, end: number, row: SqlValue[]): boolean {
    const targets = this.#targets;
    const view = viewOf(buffer);
    if (end > start && buffer[end - 1] === LINE_FEED) end--;
    if (end > start && buffer[end - 1] === CARRIAGE_RETURN) end--;
    let at = start;
    for (let i = 0; i < targets.length; i++) {
      if (i > 0 && at++ >= end) return false;
      const { type, number, read, slots } = targets[i]!;
      const from = at;
      while (at < end && buffer[at] !== this.#delimiterByte) {
        const byte = buffer[at++]!;
        if (byte === QUOTE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte >= 0x80) return false;
      }
      if (slots.length > 0) {
        const value = from === at ? null : read(asciiText(asBuffer(buffer), from, at));
        for (const slot of slots) row[slot] = value;
      } else if (from < at && !fits(type, number, view, buffer, from, at)) {
        return false;
      }
    }
    return at === end && end > start;
  }
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Whether ASCII text surely is a value of the type. */
function fits(
  type: SqlType,
  number: NumberShape,
  view: DataView,
  buffer: Uint8Array,
  start: number,
  end: number,
): boolean {
  switch (type.kind) {
    case 'string':
    case 'boolean':
      return true;
    case 'bytes':
      return isBase64(buffer, start, end);
    default:
      return plainNumberEnd(number, view, buffer, start, end) === end;
  }
}

/**
 * The fields of one line; a line end after it is allowed, a second line is not. Quotes around a field may have blanks
 * outside them. Throws `DataError`.
 */
function splitLine(text: string, delimiter: string): string[] {
  const line = text.endsWith('\r\n')
    ? text.slice(0, -2)
    : text.endsWith('\n') || text.endsWith('\r')
      ? text.slice(0, -1)
      : text;
  if (!line.includes('"')) {
    if (line.includes('\n') || line.includes('\r'))
      throw new DataError('expected one line of values, found several');
    return line.split(delimiter);
  }
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let start = at;
    while (line[start] === ' ' && delimiter !== ' ') start++;
    if (line[start] === '"') {
      let field = '';
      let from = start + 1;
      for (;;) {
        const quote = line.indexOf('"', from);
        if (quote < 0) throw new DataError('a quoted value has no closing quote');
        field += line.slice(from, quote);
        from = quote + 1;
        if (line[from] !== '"') break;
        field += '"';
        from++;
      }
      while (line[from] === ' ' && delimiter !== ' ') from++;
      if (from < line.length && line[from] !== delimiter)
        throw new DataError(
          `expected ${JSON.stringify(delimiter)} after a closing quote, found ${JSON.stringify(line[from])}`,
        );
      fields.push(field);
      if (from >= line.length) return fields;
      at = from + 1;
    } else {
      const next = line.indexOf(delimiter, at);
      const field = next < 0 ? line.slice(at) : line.slice(at, next);
      if (field.includes('\n') || field.includes('\r'))
        throw new DataError('expected one line of values, found several');
      fields.push(field);
      if (next < 0) return fields;
      at = next + 1;
    }
  }
}

/**
 * Whether a value is written in quotes: the rule of the CSV library that ksqlDB writes with, so that bytes agree. The
 * first value of a line is quoted unless it begins with an ASCII letter or digit, later ones if they begin with a blank, `!`,
 * `"` or `#`; any if it contains a delimiter, quote or line end or ends in a blank.
 */
function needsQuotes(text: string, delimiter: string, isFirst: boolean): boolean {
  if (text === '') return isFirst;
  if (isFirst ? !/^[0-9A-Za-z]/.test(text) : text.charCodeAt(0) <= 0x23) return true;
  if (text.charCodeAt(text.length - 1) <= 0x20) return true;
  return text.includes(delimiter) || text.includes('"') || text.includes('\n') || text.includes('\r');
}

function openRead(column: Column): (text: string) => SqlValue {
  const { name, type } = column;
  const refuse = (text: string): never => {
    throw new DataError(
      `column ${name}: expected ${printType(type)}, found ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}`,
    );
  };
  switch (type.kind) {
    case 'string':
      return (text) => text;
    case 'boolean':
      return (text) => text.trim().toLowerCase() === 'true';
    case 'integer':
    case 'date':
    case 'time':
    case 'timestamp': {
      const { least, most } = must(wholeRange(type));
      return (text) => {
        const value = parseBigint(text.trim());
        return typeof value === 'number' && value >= least && value <= most ? value : refuse(text);
      };
    }
    case 'bigint':
      return (text) => parseBigint(text.trim()) ?? refuse(text);
    case 'double':
      return (text) => parseDouble(text) ?? refuse(text);
    case 'decimal':
      return (text) => {
        let value: Decimal;
        try {
          value = Decimal.parse(text.trim());
        } catch {
          return refuse(text);
        }
        return value.fits(type.precision, type.scale) ? value.setScale(type.scale) : refuse(text);
      };
    case 'bytes':
      return (text) => {
        try {
          return parseBase64(text);
        } catch {
          return refuse(text);
        }
      };
    default:
      return refuse;
  }
}

function openWrite(column: Column): (value: SqlValue) => string {
  switch (column.type.kind) {
    case 'string':
      return (value) => value as string;
    case 'double':
      return (value) => doubleText(value as number);
    case 'decimal':
      return (value) => (value as Decimal).toString();
    case 'bytes':
      return (value) => base64Text(value as Uint8Array);
    default:
      return String;
  }
}
