import { readText } from '../common/read-text.ts';
import type { Script } from '../engine/script.ts';
import type { ParsedStatement } from '../sql/parser/parse.ts';
import type { Outcome } from './backend.ts';
import { type RunOptions, runStatement } from './run-statements.ts';
import { ScriptError, type ScriptStatement, scriptStatements } from './script-statements.ts';

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
      texts.push(readText(file));
    } catch (error) {
      await options.errors.write(`cannot read ${file}: ${(error as Error).message}\n`);
      return { ok: false, script: null };
    }
  }
  // What one file defines, the next one sees.
  const statements: ScriptStatement[] = [];
  const variables = new Map(options.session.variables);
  for (const [i, text] of texts.entries()) {
    try {
      for (const statement of scriptStatements(text, files[i]!, variables)) {
        statements.push(statement);
        const { statement: node } = statement;
        if (node.kind === 'defineVariable') variables.set(node.name, node.value);
        if (node.kind === 'undefineVariable') variables.delete(node.name);
      }
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      await options.errors.write(`${error.message}\n`);
      return { ok: false, script: null };
    }
  }
  // What the scripts run by name belongs to them: changed, they are other scripts.
  return runAll(statements, statements.map((each) => each.text).join('\n'), options, runner);
}

async function runAll(
  statements: readonly ScriptStatement[],
  text: string,
  options: RunOptions,
  runner: ScriptRunner,
): Promise<{ ok: boolean; script: Script | null }> {
  const script = await runner.openScript(text);
  for (const [index, statement] of statements.entries()) {
    if (options.signal.aborted || options.output.closed) break;
    if (statements.length > index + 1 && isEndless(statement))
      await options.errors.write(followed(statement));
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

/** A push query without LIMIT, or PRINT without one. */
function isEndless({ statement }: ScriptStatement): boolean {
  if (statement.kind === 'query') return statement.emit !== null && statement.limit === null;
  return statement.kind === 'printTopic' && statement.limit === null;
}

function followed({ file, source, start }: ScriptStatement): string {
  const line = source.slice(0, start).split('\n').length;
  const place = file === null ? '' : `${file}, `;
  return `note: the query of ${place}line ${line} runs until Ctrl-C; what comes after it waits. LIMIT ends it by itself\n`;
}
