import { resolve } from 'node:path';
import { SqlError } from '../../common/error.ts';
import { readText } from '../../common/read-text.ts';
import type { Script } from '../../engine/script.ts';
import { rowsOf } from '../../engine/statements/statements.ts';
import type { ParsedStatement } from '../../sql/parser/parse.ts';
import type { Outcome } from '../backend/backend.ts';
import { describeError, type RunOptions, runStatement } from './run-statements.ts';
import {
  ScriptError,
  type ScriptStatement,
  scriptStatements,
} from '../../engine/statements/script-statements.ts';

export interface ScriptRunner {
  openScript(files: readonly string[], statements: readonly ParsedStatement[]): Promise<Script>;
  execute(statement: ParsedStatement, script: Script): Promise<Outcome>;
}

/**
 * Runs script files as one script. Parses everything first: a syntax error anywhere means that nothing ran.
 * Returns false, with the error printed, at the first statement that fails.
 */
export async function runFiles(
  files: readonly string[],
  options: RunOptions,
  runner: ScriptRunner,
): Promise<{ ok: boolean; script: Script | null }> {
  const texts: string[] = [];
  for (const file of files) {
    try {
      texts.push(readText(file));
    } catch (error) {
      await options.errors.write(`cannot read ${file}: ${(error as Error).message}\n`);
      return { ok: false, script: null };
    }
  }
  const statements: ScriptStatement[] = [];
  // Variables that one file defines are seen by the next.
  const variables = new Map(options.session.variables);
  for (const [i, text] of texts.entries()) {
    try {
      statements.push(...scriptStatements(text, files[i]!, variables));
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      await options.errors.write(`${error.message}\n`);
      return { ok: false, script: null };
    }
  }
  let script: Script;
  try {
    script = await runner.openScript(
      files.map((file) => resolve(file)),
      statements,
    );
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    await options.errors.write(`${describeError(error, '')}\n`);
    return { ok: false, script: null };
  }
  return { ok: await runAll(statements, script, options, runner), script };
}

async function runAll(
  statements: readonly ScriptStatement[],
  script: Script,
  options: RunOptions,
  runner: ScriptRunner,
): Promise<boolean> {
  for (const [index, statement] of statements.entries()) {
    if (options.signal.aborted || options.output.closed) break;
    if (statements.length > index + 1 && rowsOf(statement.statement)?.isEndless === true)
      await options.errors.write(followed(statement));
    script.index = index;
    if (script.isDone()) continue;
    if (!(await runStatement(statement, options, (each) => runner.execute(each, script)))) return false;
  }
  return true;
}

function followed({ file, source, start }: ScriptStatement): string {
  const line = source.slice(0, start).split('\n').length;
  const place = file === null ? '' : `${file}, `;
  return `note: the query of ${place}line ${line} runs until Ctrl-C; what comes after it waits. LIMIT ends it by itself\n`;
}
