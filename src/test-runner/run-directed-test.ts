import { renderSqlError, SqlError } from '../common/error.ts';
import type { Engine } from '../engine/engine.ts';
import { newSession } from '../engine/session.ts';
import {
  inSource,
  ScriptError,
  scriptStatements,
  type ScriptStatement,
} from '../engine/statements/script-statements.ts';
import { createDeclaredTopic } from './create-topics.ts';
import { describeFailure, isForTheUser } from './describe-failure.ts';
import { openTestEngine } from './open-test-engine.ts';
import type { DirectedTest, ExpectedError } from './read-directives.ts';
import type { RunCaseOptions } from './run-case.ts';
import { stepQueries } from './stepped-queries.ts';

/**
 * Runs a test's statements until one fails: each takes effect in all queries before the next. Returns null when that was
 * as expected, else what was not.
 */
export async function runDirectedTest(
  test: DirectedTest,
  file: string,
  options: RunCaseOptions,
): Promise<string | null> {
  const { functions, clock } = options;
  const engine = await openTestEngine(clock, {
    startQueries: 'stepped',
    ...(functions === undefined ? {} : { functions }),
  });
  try {
    return judge(await failureOf(test, file, engine, options), test.expected);
  } finally {
    await engine.close();
  }
}

/** The error that ended a test. */
interface Failure {
  readonly error: Error;
  /** With its place in the file. */
  readonly text: string;
  readonly isLast: boolean;
}

async function failureOf(
  test: DirectedTest,
  file: string,
  engine: Engine,
  { optimizer, signal }: RunCaseOptions,
): Promise<Failure | null> {
  const session = newSession();
  // A query sees what comes after it: so it is in ksqlDB's runner, and in ksqlDB where nothing else is set.
  session.properties.set('auto.offset.reset', 'latest');
  if (!optimizer) session.properties.set('ksql.optimizer.enabled', 'false');
  let at = 0;
  let statements: readonly ScriptStatement[] = [];
  try {
    statements = scriptStatements(test.sql, file, new Map(session.variables));
    for (; at < statements.length; at++) {
      if (signal.aborted) throw new Error('took too long');
      const statement = statements[at]!;
      await createDeclaredTopic(engine.log.admin, statement.statement);
      const result = await engine.execute(statement, session);
      if (result.kind === 'rows') await result.rows.close();
      await stepQueries(engine, signal);
    }
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error, text: textOf(error, statements[at]), isLast: at >= statements.length - 1 };
  }
}

function textOf(error: Error, statement: ScriptStatement | undefined): string {
  if (error instanceof ScriptError) return error.message;
  if (error instanceof SqlError && statement !== undefined)
    return renderSqlError(inSource(error, statement.start), statement.source, statement.file);
  return describeFailure(error);
}

function judge(failure: Failure | null, expected: ExpectedError | null): string | null {
  if (failure === null)
    return expected === null ? null : 'an error was expected, and every statement was accepted';
  const { error, text, isLast } = failure;
  if (expected === null || !isForTheUser(error)) return text;
  const cause = error instanceof ScriptError ? error.cause : error;
  const code = cause instanceof SqlError ? cause.code : null;
  const { kind, message } = expected;
  if (kind.startsWith('ML_') && code !== kind) return `expected ${kind}, found ${text}`;
  const ofAssertion = kind === 'java.lang.AssertionError';
  if (ofAssertion && code !== 'ML_ASSERT') return `expected an assertion that does not hold, found ${text}`;
  if (message === null || text.toLowerCase().includes(message.toLowerCase())) return null;
  // ksqlDB's words for it are not ours; then it has to be what the test is about.
  if (JAVA_CLASS.test(kind) && (isLast || ofAssertion)) return null;
  return `expected an error with '${message}', found ${text}`;
}

const JAVA_CLASS = /^(?:[a-z]\w*\.)+[A-Z]\w*$/;
