import { DataError } from '../common/error.ts';

/**
 * A test of the form that ksqlDB's SQL test runner has: statements, and comments that direct the runner. Topics that
 * say nothing of partitions have one, and a statement has taken effect in all queries before the next one runs.
 *
 * ```
 * --@test: a name
 * CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
 * INSERT INTO S VALUES (1, 2);
 * ASSERT VALUES S (K, V) VALUES (1, 2);
 * --@test: another one
 * --@expected.error: ML_NAME_UNKNOWN
 * --@expected.message: no stream or table S
 * DROP STREAM S;
 * ```
 */
export interface DirectedTest {
  readonly name: string;
  /** Its statements; what stands before is blank, so that positions are those of the file. */
  readonly sql: string;
  /** Null: every statement has to be accepted. */
  readonly expected: ExpectedError | null;
}

/** How the statement that ends a test has to fail. */
export interface ExpectedError {
  /** A code of ours (`ML_ASSERT`), a class of ksqlDB's, or any other word for any error. */
  readonly kind: string;
  /** Has to be found in the error's text, any case. Null: whatever it says. */
  readonly message: string | null;
}

const ANY_ERROR = 'any';
const DIRECTIVE = /^--@([a-z.]+)\s*:\s*(.*?)\s*$/;

export function hasDirectedTests(text: string): boolean {
  return text.split('\n').some((line) => DIRECTIVE.exec(line)?.[1] === 'test');
}

/** Null when the text has no `--@test`. Throws `DataError` for a directive that does not exist. */
export function readDirectedTests(text: string): readonly DirectedTest[] | null {
  const tests: { name: string; from: number; to: number; kind: string | null; message: string | null }[] = [];
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const [, directive, argument = ''] = DIRECTIVE.exec(line) ?? [];
    if (directive === undefined) return;
    const test = tests.at(-1);
    if (directive === 'test') {
      if (test !== undefined) test.to = i;
      tests.push({ name: argument, from: i, to: lines.length, kind: null, message: null });
    } else if (test === undefined) {
      throw new DataError(`line ${i + 1}: --@${directive} stands before the first --@test`);
    } else if (directive === 'expected.error') {
      test.kind = argument;
    } else if (directive === 'expected.message') {
      test.kind ??= ANY_ERROR;
      test.message = argument;
    } else {
      throw new DataError(`line ${i + 1}: there is no directive --@${directive}`);
    }
  });
  if (tests.length === 0) return null;
  return tests.map(({ name, from, to, kind, message }) => ({
    name,
    sql: '\n'.repeat(from) + lines.slice(from, to).join('\n'),
    expected: kind === null ? null : { kind, message },
  }));
}
