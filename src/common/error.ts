/**
 * Three kinds of errors, by who can mend them.
 *
 * - `SqlError`: the user's. It points into the text and says what to do. It never stops the server.
 * - `DataError`: the data's. One record cannot be read or evaluated; it is counted, logged and kept, and the
 *   query goes on unless it was asked to fail.
 * - everything else (`AssertionError`, I/O): ours or the machine's. The query stops; the server lives on.
 */

/** A thrown value, which may be anything, as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A half-open range of UTF-16 positions in the statement text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Every code a user can meet, with what it stands for; docs/sql/errors.md is made of it. Codes are a contract; texts are not. */
export const ERROR_CODES = {
  ML_SYNTAX: 'the text is not a statement of the language',
  ML_NAME_UNKNOWN: 'a stream, table, column, type, function, query or variable that does not exist',
  ML_NAME_TAKEN: 'something of that name exists already',
  ML_NAME_AMBIGUOUS: 'a name that could mean two things',
  ML_TYPE: 'an expression, column or argument has a type that does not fit here',
  ML_SCHEMA: 'the columns or keys of a stream, table or projection are not allowed',
  ML_PROPERTY: 'a property in WITH, SET or on the command line is unknown or has a bad value',
  ML_TOPIC: 'a topic does not exist, exists with other settings, or cannot be created',
  ML_FORMAT: 'a serialization format cannot hold these columns or does not know this setting',
  ML_UNSUPPORTED: 'valid SQL that this engine cannot run (or not here)',
  ML_IN_USE: 'something cannot be dropped or changed while others use it',
  ML_LIMIT: 'a limit of the server, or of how large a statement may be, was reached',
  ML_ASSERT: 'an ASSERT statement did not hold',
  ML_DATA: 'a value of a statement cannot be used (for instance in INSERT VALUES)',
  ML_WAITING: 'another process of the service runs its queries, and is asked instead',
  ML_LOG: 'the log (Kafka) did not answer in time',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * A mistake in what the user wrote. `message` is one sentence without a period; `hint` says what to do. Both quote what
 * was written, which may be megabytes long, so what is too long to be read loses its middle here.
 */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly code: ErrorCode;
  /** Where in the text; absent only when the text is not the cause (a missing topic, a limit). */
  readonly span: Span | undefined;
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { span?: Span | undefined; hint?: string | undefined } = {},
  ) {
    super(excerpt(message));
    this.code = code;
    this.span = options.span;
    this.hint = options.hint === undefined ? undefined : excerpt(options.hint);
  }
}

/** A record, or a value in it, that cannot be read, evaluated or written. Never carries a position in SQL. */
export class DataError extends Error {
  override readonly name = 'DataError';

  constructor(message: string) {
    super(excerpt(message));
  }
}

/** The longest message, in characters: a longer one is not read, but sent and logged wherever the error goes. */
const MESSAGE_MAX = 1000;

/** A text of at most about `max` UTF-16 units: what is longer loses all but its beginning and the last fifth. */
export function excerpt(text: string, max = MESSAGE_MAX): string {
  if (text.length <= max) return text;
  const tail = Math.floor(max / 5);
  const head = text.slice(0, wholeUntil(text, max - tail));
  return `${head} … ${text.slice(wholeUntil(text, text.length - tail))}`;
}

/** `at`, or the place before it when it would cut a pair of surrogates in two. */
function wholeUntil(text: string, at: number): number {
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
}

/** Line and column, both from 1, of a position in `text`. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

/** How much of a line is shown around an error, in UTF-16 units: what fits on a screen. */
const SHOWN_BEFORE = 60;
const SHOWN_WIDTH = 120;

/**
 * The error as people read it:
 *
 * ```
 * ML_NAME_UNKNOWN: column AMNT does not exist (line 1, column 8)
 *   SELECT AMNT FROM ORDERS EMIT CHANGES;
 *          ^^^^
 * hint: did you mean AMOUNT?
 * ```
 *
 * A long line is cut to the text around the place, between `…`; the column counts in the whole line.
 * `file`: where `text` is from.
 */
export function renderSqlError(error: SqlError, text: string, file: string | null = null): string {
  const lines: string[] = [];
  if (error.span === undefined) {
    lines.push(`${error.code}: ${error.message}${file === null ? '' : ` (in ${file})`}`);
  } else {
    const { line, column } = positionOf(text, error.span.start);
    lines.push(
      `${error.code}: ${error.message} (line ${line}, column ${column}${file === null ? '' : ` of ${file}`})`,
    );
    lines.push(...showPlace(text, error.span.start - column + 1, error.span));
  }
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.map(visible).join('\n');
}

/** Control characters as their pictures, one cell each: they would move the cursor, and the caret would point elsewhere. */
function visible(line: string): string {
  return line.replaceAll(/[^\P{Cc}\t]/gu, (control) => {
    const code = control.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
  });
}

/** The line that begins at `lineStart`, or what is near the place of it, and carets below the place. */
function showPlace(text: string, lineStart: number, span: Span): readonly [string, string] {
  const newline = text.indexOf('\n', lineStart);
  const lineEnd = newline < 0 ? text.length : newline;
  let from = lineStart;
  let to = lineEnd;
  if (lineEnd - lineStart > SHOWN_WIDTH) {
    // As much before the place as a screen leaves, and more where little stands behind it.
    const latest = Math.max(lineStart, lineEnd - SHOWN_WIDTH);
    from = wholeUntil(text, Math.min(Math.max(lineStart, span.start - SHOWN_BEFORE), latest));
    to = wholeUntil(text, Math.min(lineEnd, from + SHOWN_WIDTH));
  }
  const before = from > lineStart ? '…' : '';
  const after = to < lineEnd ? '…' : '';
  const width = Math.max(1, Math.min(span.end, to) - span.start);
  const indent = text.slice(from, span.start).replaceAll(/[^\t]/g, ' ');
  return [
    `  ${before}${text.slice(from, to)}${after}`,
    `  ${' '.repeat(before.length)}${indent}${'^'.repeat(width)}`,
  ];
}
