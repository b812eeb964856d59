import { dirname, resolve } from 'node:path';
import { renderSqlError, SqlError } from '../../common/error.ts';
import { readText } from '../../common/read-text.ts';
import { eachStatement, type ParsedStatement } from '../../sql/parser/parse.ts';

/** A statement and where it stands. */
export interface ScriptStatement extends ParsedStatement {
  /** As it was named; null for what was typed. */
  readonly file: string | null;
  /** The whole text of the file, in which the statement begins at `start`. */
  readonly source: string;
}

/** Files within files, at most. */
const DEPTH_MAX = 32;

/**
 * The statements of a text, with those of every file that RUN SCRIPT names in its place: a file's DEFINEs hold for what
 * comes after it, and a mistake in any of the files means that nothing has run. A file is looked for beside the file that
 * names it, what was typed names files from the working directory.
 *
 * `defined`: variables by upper-case name, changed by DEFINE and UNDEFINE. Throws `ScriptError`, whose message has file, line and column of the mistake.
 */
export function scriptStatements(
  text: string,
  file: string | null,
  defined: Map<string, string>,
): readonly ScriptStatement[] {
  return [...statementsOf(text, file, defined, file === null ? [] : [resolve(file)])];
}

/** A mistake in a script, in words that are ready to be shown. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** The same mistake, in the text that the statement stands in. */
export function inSource(error: SqlError, start: number): SqlError {
  const { span } = error;
  if (span === undefined) return error;
  return new SqlError(error.code, error.message, {
    span: { start: span.start + start, end: span.end + start },
    hint: error.hint,
  });
}

function* statementsOf(
  text: string,
  file: string | null,
  defined: Map<string, string>,
  open: readonly string[],
): Generator<ScriptStatement> {
  try {
    for (const parsed of eachStatement(text, defined)) {
      const { statement, start } = parsed;
      if (statement.kind !== 'runScript') {
        yield { ...parsed, file, source: text };
        continue;
      }
      const { path, pathSpan } = statement;
      const span = { start: pathSpan.start + start, end: pathSpan.end + start };
      const inner = resolve(file === null ? '.' : dirname(file), path);
      yield* statementsOf(textOf(inner, path, open, span), inner, defined, [...open, inner]);
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new ScriptError(`${file === null ? '' : `${file}: `}${renderSqlError(error, text)}`, {
      cause: error,
    });
  }
}

/** Throws `SqlError` at the path. */
function textOf(
  file: string,
  path: string,
  open: readonly string[],
  span: { start: number; end: number },
): string {
  if (open.includes(file))
    throw new SqlError('ML_LIMIT', `script ${path} runs itself`, {
      span,
      hint: `it is open already: ${[...open, file].join(' runs ')}`,
    });
  if (open.length >= DEPTH_MAX)
    throw new SqlError('ML_LIMIT', `scripts run scripts ${DEPTH_MAX} deep`, {
      span,
      hint: 'run some of them one after another instead',
    });
  try {
    return readText(file);
  } catch (error) {
    throw new SqlError('ML_DATA', `script ${path} cannot be read: ${(error as Error).message}`, {
      span,
      hint: 'a relative path begins where the script lies that names it, or in the working directory',
    });
  }
}
