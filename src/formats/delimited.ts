import type { ByteWriter } from '../common/bytes.ts';
import { DataError, SqlError } from '../common/error.ts';
import { base64Text, parseBase64 } from '../types/base64.ts';
import { parseBigint, parseInteger } from '../types/bigint.ts';
import { Decimal } from '../types/decimal.ts';
import { doubleText, parseDouble } from '../types/double-text.ts';
import { printType } from '../types/print-type.ts';
import type { Column } from '../types/schema.ts';
import type { SqlValue } from '../types/value.ts';
import type { Decoder, Encoder, Format, FormatSettings } from './format.ts';
import { checkKinds, checkProperties } from './settings.ts';
import { asBuffer, checkedText } from './text-slice.ts';

/**
 * A line of comma-separated values (RFC 4180), one value a column: quoted where needed, empty is null, temporal
 * values are numbers, BYTES base64, BOOLEAN `true` or `false`, STRING loses nothing but an empty text, which reads as
 * null. `DELIMITER` is one character, or `TAB` or `SPACE`.
 */
export const delimited: Format = {
  name: 'DELIMITED',
  properties: ['DELIMITER'],
  singleColumn: 'always-unwrapped',
  multiColumnKey: true,
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
  openDecoder(columns, settings, wanted): Decoder {
    const delimiter = delimiterOf(settings);
    const targets = wanted
      .filter((want) => want.slot >= 0)
      .map((want) => ({ ...want, read: openRead(columns[want.column]!) }));
    return {
      rawRanges: null,
      rawFallback: () => null,
      decode(buffer, start, end, row) {
        // Nothing is how the null of a lone column is written, and too little for several.
        const fields =
          start === end
            ? columns.slice(0, 1).map(() => '')
            : splitLine(checkedText(asBuffer(buffer), start, end), delimiter);
        if (fields.length !== columns.length)
          throw new DataError(
            `expected ${columns.length} columns separated by ${JSON.stringify(delimiter)}, found ${start === end ? 'nothing' : fields.length}`,
          );
        for (const { column, slot, read } of targets) {
          const text = fields[column]!;
          row[slot] = text === '' ? null : read(text);
        }
      },
    };
  },
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
};

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
  const between = (min: number, max: number) => (text: string) => {
    const value = parseBigint(text.trim());
    return typeof value === 'number' && value >= min && value <= max ? value : refuse(text);
  };
  switch (type.kind) {
    case 'string':
      return (text) => text;
    case 'boolean':
      return (text) => text.trim().toLowerCase() === 'true';
    case 'integer':
      return (text) => parseInteger(text.trim()) ?? refuse(text);
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
    case 'date':
      return between(-100_000_000, 100_000_000);
    case 'time':
      return between(0, 86_399_999);
    case 'timestamp':
      return between(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
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
