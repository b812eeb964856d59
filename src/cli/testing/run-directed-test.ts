import { renderSqlError, SqlError } from '../../common/error.ts';
import { newSession } from '../../engine/session.ts';
import { inSource, ScriptError, scriptStatements, type ScriptStatement } from '../script-statements.ts';
import { describeFailure } from './describe-failure.ts';
import { openTestEngine } from './open-test-engine.ts';
import type { DirectedTest } from './read-directives.ts';
import type { RunCaseOptions } from './run-case.ts';

/** Runs a test's statements until one fails. Returns null when that was as expected, else what was not. */
export async function runDirectedTest(
  test: DirectedTest,
  file: string,
  { functions, clock, optimizer, signal }: RunCaseOptions,
): Promise<string | null> {
  const engine = await openTestEngine(clock, functions === undefined ? {} : { functions });
  const session = newSession();
  if (!optimizer) session.properties.set('ksql.optimizer.enabled', 'false');
  let statement: ScriptStatement | null = null;
  try {
    for (statement of scriptStatements(test.sql, file, session.variables)) {
      if (signal.aborted) return 'took too long';
      const result = await engine.execute(statement, session);
      if (result.kind === 'rows') await result.rows.close();
    }
  } catch (error) {
    return judge(error, statement, test);
  } finally {
    await engine.close();
  }
  return test.expectsError ? 'an error was expected, and every statement was accepted' : null;
}

function judge(
  error: unknown,
  statement: ScriptStatement | null,
  { expectsError, message }: DirectedTest,
): string | null {
  const isForTheUser = error instanceof SqlError || error instanceof ScriptError;
  if (!isForTheUser) return describeFailure(error);
  const text =
    error instanceof SqlError && statement !== null
      ? renderSqlError(inSource(error, statement.start), statement.source, statement.file)
      : error.message;
  if (!expectsError) return text;
  if (message === null || text.toLowerCase().includes(message.toLowerCase())) return null;
  return `expected an error with '${message}', found ${text}`;
}
