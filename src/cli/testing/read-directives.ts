import { DataError } from '../../common/error.ts';

/**
 * A test of the form that ksqlDB's SQL test runner has: statements, and comments that direct the runner.
 *
 * ```
 * --@test: a name
 * CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
 * INSERT INTO S VALUES (1, 2);
 * ASSERT VALUES S (K, V) VALUES (1, 2);
 * --@test: another one
 * --@expected.error: io.confluent.ksql.util.KsqlException
 * --@expected.message: does not exist
 * DROP STREAM S;
 * ```
 */
export interface DirectedTest {
  readonly name: string;
  /** Its statements; what stands before is blank, so that positions are those of the file. */
  readonly sql: string;
  readonly expectsError: boolean;
  /** Has to be found in the error's text, any case; texts of ours are not ksqlDB's. */
  readonly message: string | null;
}

const DIRECTIVE = /^--@([a-z.]+)\s*:\s*(.*?)\s*$/;

/** Null when the text has no `--@test`. Throws `DataError` for a directive that does not exist. */
export function readDirectedTests(text: string): readonly DirectedTest[] | null {
  const tests: { name: string; from: number; to: number; error: boolean; message: string | null }[] = [];
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const [, directive, argument = ''] = DIRECTIVE.exec(line) ?? [];
    if (directive === undefined) return;
    const test = tests.at(-1);
    if (directive === 'test') {
      if (test !== undefined) test.to = i;
      tests.push({ name: argument, from: i, to: lines.length, error: false, message: null });
    } else if (test === undefined) {
      throw new DataError(`line ${i + 1}: --@${directive} stands before the first --@test`);
    } else if (directive === 'expected.error') {
      test.error = true;
    } else if (directive === 'expected.message') {
      test.error = true;
      test.message = argument;
    } else {
      throw new DataError(`line ${i + 1}: there is no directive --@${directive}`);
    }
  });
  if (tests.length === 0) return null;
  return tests.map(({ name, from, to, error, message }) => ({
    name,
    sql: '\n'.repeat(from) + lines.slice(from, to).join('\n'),
    expectsError: error,
    message,
  }));
}
