import { readFileSync } from 'node:fs';
import { SqlError } from '../common/error.ts';
import type { Script } from '../engine/script.ts';
import { type ParsedStatement, parseStatements } from '../sql/parser/parse.ts';
import { describeError, type RunOptions, runStatement } from './run-statements.ts';
import type { Outcome } from './backend.ts';

export interface ScriptRunner {
  /** The progress of a script with this text; null where progress is not kept. */
  openScript(text: string): Promise<Script | null>;
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
      texts.push(readFileSync(file, 'utf8'));
    } catch (error) {
      await options.errors.write(`cannot read ${file}: ${(error as Error).message}\n`);
      return { ok: false, script: null };
    }
  }
  const statements: ParsedStatement[] = [];
  for (const [i, text] of texts.entries()) {
    try {
      statements.push(...parseStatements(text, options.session.variables));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      await options.errors.write(`${files[i]!}: ${describeError(error, text)}\n`);
      return { ok: false, script: null };
    }
  }
  return runAll(statements, texts.join('\n'), options, runner);
}

async function runAll(
  statements: readonly ParsedStatement[],
  text: string,
  options: RunOptions,
  runner: ScriptRunner,
): Promise<{ ok: boolean; script: Script | null }> {
  const script = await runner.openScript(text);
  for (const [index, statement] of statements.entries()) {
    if (options.signal.aborted || options.output.closed) break;
    if (script === null) {
      if (!(await runStatement(statement, options))) return { ok: false, script };
      continue;
    }
    script.index = index;
    if (script.isDone(statement.statement.kind)) continue;
    if (!(await runStatement(statement, options, (each) => runner.execute(each, script))))
      return { ok: false, script };
  }
  return { ok: true, script };
}
