import type { ByteWriter } from '../common/bytes.ts';
import type { Column } from '../types/schema.ts';
import type { SqlValue } from '../types/value.ts';
import type { BytesGuess } from './bytes-guess.ts';
import type { TestRecords } from './test-records.ts';

/**
 * A serialization format for keys or values, with everything that other rooms ask of one: none of them knows a format
 * by its name. One literal a format in `formats/<name>.ts`, and a line in `formats/every-format.ts`.
 */
export interface Format {
  /** As in WITH: `JSON`, `DELIMITED`, `KAFKA`, `NONE`. */
  readonly name: string;
  /** The WITH properties that it understands. */
  readonly properties: readonly FormatProperty[];
  /** Whether one column may stand alone (unwrapped), inside a record (wrapped), and what happens unasked. */
  readonly singleColumn: 'always-unwrapped' | 'always-wrapped' | 'wrapped-by-default';
  /** Whether it can hold more than one column. Values of a format that can't are neither joined nor grouped. */
  readonly multiColumn: boolean;
  /** Whether names of columns are in the bytes of a record: equal values under other names are other bytes then. */
  readonly namesColumns: boolean;
  /**
   * Whether bytes say which registered schema they were written with. Equal values of two topics need not be equal bytes
   * then, so that such keys are written anew before they meet, and topics of a query's own have another format.
   */
  readonly registered: boolean;
  /** What a sink writes for the null of a value that stands alone: a record without a value, or bytes that mean null. */
  readonly loneNull: 'no-value' | 'bytes';
  /** Bytes of a value that say that there is none: the record is read as one without a value. Null: there are none such. */
  readonly noValue: Uint8Array | null;
  /** Whether a STRING that stands alone is its UTF-8 and nothing else: keys sort as it does then. */
  readonly textIsBytes: boolean;
  /** Whether its decoders give raw ranges, and its encoders take them. */
  readonly rawRanges: boolean;
  /** Throws `SqlError` ML_FORMAT when it cannot hold these columns (types, count) or a property is bad. */
  validate(columns: readonly Column[], settings: FormatSettings): void;
  openDecoder(columns: readonly Column[], settings: FormatSettings, wanted: readonly WantedColumn[]): Decoder;
  openEncoder(columns: readonly Column[], settings: FormatSettings): Encoder;
  /** How keys that others wrote are recognized. Null where any bytes are a key, and each the only way to write it. */
  openWrittenKey(columns: readonly Column[], settings: FormatSettings): WrittenKey | null;
  /** What PRINT takes bytes for that may be of the format, the likeliest first. */
  readonly guesses: readonly BytesGuess[];
  readonly testRecords: TestRecords;
}

export interface FormatProperty {
  /** Without KEY_ or VALUE_: `DELIMITER`. */
  readonly name: string;
  /** Whether a sink has it from its source where both have the format. */
  readonly inherited: boolean;
}

export interface FormatSettings {
  readonly isKey: boolean;
  /** Columns stand in a record (JSON: an object), not alone. Always true for more than one column. */
  readonly wrapped: boolean;
  /** WITH properties of this side by name (`DELIMITER`), upper case, as text. */
  readonly properties: ReadonlyMap<string, string>;
}

/** A column that the query needs, and what for. The rest is checked, and nothing is made of it. */
export interface WantedColumn {
  /** Index into the format's columns. */
  readonly column: number;
  /** Where in the row its value goes. -1: only its bytes are wanted (see `Decoder.rawRanges`). */
  readonly slot: number;
  /**
   * Asks for the encoded bytes as they stand, so that an encoder of the same format and type can copy them.
   * Index into `rawRanges`, or -1. Only honoured when `Decoder.rawRanges` is not null.
   */
  readonly raw: number;
}

/**
 * Reads one side of records. Opened once per source, called once per record, allocates nothing but the
 * values themselves. Not reentrant.
 */
export interface Decoder {
  /**
   * Reads `buffer[start, end)` into the wanted slots of `row`; a missing field becomes null. The range is
   * never null bytes: the caller deals with those.
   *
   * Throws `DataError` naming field, expected type and what was found, for any of the columns, wanted or not: which
   * records can be read does not depend on what is asked of them. The row is then undefined.
   */
  decode(buffer: Uint8Array, start: number, end: number, row: SqlValue[]): void;
  /**
   * After `decode`, for the column with raw index `i`: its bytes are `buffer[rawRanges[2i], rawRanges[2i+1])`
   * and can be copied into an encoded record as they stand; a start of -1 means that they can't (absent,
   * null, or written in an unusual way) and `rawFallback(i)` gives the value. Null when the format has no
   * such notion.
   */
  readonly rawRanges: Int32Array | null;
  rawFallback(i: number): SqlValue;
}

/**
 * Whether key bytes are surely those that the format's own encoder writes for their value, told without decoding them.
 * False: perhaps not. Called for each record.
 */
export type WrittenKey = (buffer: Uint8Array, start: number, end: number) => boolean;

/** Writes one side of records. */
export interface Encoder {
  /**
   * Appends the encoding of the row's columns: column c is `row[slots[c]]`. Throws `DataError` for a value that
   * the format cannot write; what was appended is then garbage and the caller resets `writer.length`.
   */
  encode(row: readonly SqlValue[], slots: readonly number[], writer: ByteWriter): void;
  /**
   * An encoder that takes some columns from raw ranges of a decoder of the same format (columns c with
   * `rawIndex[c] >= 0`), or null when the format cannot. `source` gives the buffer of the current record.
   */
  withRaw?(
    decoder: Decoder,
    rawIndex: readonly number[],
  ):
    | ((row: readonly SqlValue[], slots: readonly number[], source: Uint8Array, writer: ByteWriter) => void)
    | null;
}
