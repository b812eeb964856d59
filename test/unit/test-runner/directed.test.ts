import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDirectedTests } from '../../../src/test-runner/read-directives.ts';
import { runTests } from '../../../src/test-runner/run-tests.ts';
import { systemClock } from '../../../src/common/clock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-directed-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function outputOf(text: string, optimizer = false): Promise<string> {
  const file = join(directory, 'case.sql');
  writeFileSync(file, text);
  return (await run([file], optimizer)).output;
}

async function run(
  paths: readonly string[],
  optimizer = false,
  only?: string,
): Promise<{ readonly ok: boolean; readonly output: string }> {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const ok = await runTests({ paths, optimizer, only, clock: systemClock, write });
  return { ok, output: lines.join('') };
}

const STREAM =
  "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);";

test('each --@test is a test with an engine of its own', async () => {
  const text = `--@test: one\n${STREAM}\n--@test: two\n${STREAM}\nASSERT STREAM S (K INT KEY, V INT);\n`;
  expect(await outputOf(text)).toBe('2 passed, 0 failed, 0 skipped\n');
});

test('an assertion that does not hold is shown with its place in the file', async () => {
  const text = `--@test: one\n${STREAM}\n\nINSERT INTO S VALUES (1, 2);\nASSERT VALUES S (K, V) VALUES (1, 3);\n`;
  expect(await outputOf(text)).toContain('V is 2, not 3 (line 5, column 1 of');
});

test('an expected error has to come, with its text', async () => {
  const directives =
    '--@test: one\n--@expected.error: Exception\n--@expected.message: NO STREAM OR TABLE S\n';
  expect(await outputOf(`${directives}DESCRIBE S;\n`)).toBe('1 passed, 0 failed, 0 skipped\n');
  expect(await outputOf(`${directives}${STREAM}`)).toContain('an error was expected');
  expect(await outputOf(`${directives}DESCRIBE;\n`)).toContain(
    "expected an error with 'NO STREAM OR TABLE S'",
  );
});

test('a directive that nobody knows, or before the first test, fails the file', async () => {
  expect(await outputOf('--@test: one\n--@expected.nothing: x\n')).toContain('line 2: there is no directive');
  expect(() => readDirectedTests('--@expected.error: x\n--@test: a\n')).toThrow('before the first');
  expect(readDirectedTests('-- only a comment\nSHOW STREAMS;\n')).toBeNull();
});

/** As ksqlDB's own files have them: nothing says how many partitions there are. */
const DECLARED = "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');";

test.each([true, false])('a topic needs no PARTITIONS, optimizer %s', async (optimizer) => {
  const text = `--@test: one
${DECLARED}
CREATE STREAM COPY AS SELECT * FROM S;
INSERT INTO S VALUES (1, 2);
ASSERT VALUES COPY (K, V) VALUES (1, 2);
ASSERT TOPIC 's' WITH (PARTITIONS=1);
`;
  expect(await outputOf(text, optimizer)).toBe(`${optimizer ? 2 : 1} passed, 0 failed, 0 skipped\n`);
});

test('a row goes through the queries that there are when it is inserted', async () => {
  const text = `--@test: replaced
${DECLARED}
CREATE STREAM BIG AS SELECT * FROM S WHERE V > 10;
INSERT INTO S VALUES (1, 5);
INSERT INTO S VALUES (2, 50);
CREATE OR REPLACE STREAM BIG AS SELECT * FROM S WHERE V < 10;
INSERT INTO S VALUES (3, 50);
INSERT INTO S VALUES (4, 5);
ASSERT VALUES BIG (K) VALUES (2);
ASSERT VALUES BIG (K) VALUES (4);

--@test: replaced, with state
${DECLARED}
CREATE TABLE N AS SELECT K, COUNT(*) C FROM S GROUP BY K;
INSERT INTO S VALUES (1, 1);
CREATE OR REPLACE TABLE N AS SELECT K, COUNT(*) C FROM S GROUP BY K;
INSERT INTO S VALUES (1, 1);
ASSERT VALUES N (K, C) VALUES (1, 1);
ASSERT VALUES N (K, C) VALUES (1, 2);

--@test: dropped, and made anew
${DECLARED}
CREATE STREAM COPY AS SELECT * FROM S;
INSERT INTO S VALUES (1, 1);
DROP STREAM COPY;
CREATE STREAM COPY AS SELECT * FROM S WHERE V > 1;
INSERT INTO S VALUES (2, 2);
ASSERT VALUES COPY (K) VALUES (1);
ASSERT VALUES COPY (K) VALUES (2);

--@test: terminated
${DECLARED}
CREATE STREAM COPY AS SELECT * FROM S;
INSERT INTO S VALUES (1, 1);
TERMINATE ALL;
INSERT INTO S VALUES (2, 2);
INSERT INTO COPY VALUES (3, 3);
ASSERT VALUES COPY (K) VALUES (1);
ASSERT VALUES COPY (K) VALUES (3);

--@test: paused
${DECLARED}
CREATE STREAM COPY AS SELECT * FROM S;
INSERT INTO S VALUES (1, 1);
PAUSE ALL;
INSERT INTO S VALUES (2, 2);
INSERT INTO COPY VALUES (3, 3);
RESUME ALL;
ASSERT VALUES COPY (K) VALUES (1);
ASSERT VALUES COPY (K) VALUES (3);
ASSERT VALUES COPY (K) VALUES (2);

--@test: made afterwards
${DECLARED}
INSERT INTO S VALUES (1, 1);
CREATE STREAM COPY AS SELECT * FROM S;
SET 'auto.offset.reset'='earliest';
CREATE STREAM ALL_OF_IT AS SELECT * FROM S;
INSERT INTO S VALUES (2, 2);
ASSERT VALUES COPY (K) VALUES (2);
ASSERT VALUES ALL_OF_IT (K) VALUES (1);
`;
  expect(await outputOf(text)).toBe('6 passed, 0 failed, 0 skipped\n');
});

test('a record that is not there is not waited for', async () => {
  const text = `--@test: one\n${DECLARED}\nASSERT VALUES S (K) VALUES (1);\n`;
  const before = systemClock.monotonic();
  expect(await outputOf(text)).toContain('there is no further record');
  expect(systemClock.monotonic() - before).toBeLessThan(900);
});

test('what processing fails with is the test’s error', async () => {
  const text = `--@test: one
--@expected.error: any
--@expected.message: does not fit in DECIMAL(4, 2)
CREATE STREAM D (K INT KEY, A DECIMAL(4,2)) WITH (KAFKA_TOPIC='d', VALUE_FORMAT='JSON');
CREATE TABLE T AS SELECT K, SUM(A) S FROM D GROUP BY K;
INSERT INTO D VALUES (1, 60.00);
INSERT INTO D VALUES (1, 60.00);
`;
  expect(await outputOf(text)).toBe('1 passed, 0 failed, 0 skipped\n');
});

test('an error by its code, or by a class of ksqlDB’s, whose words are not ours', async () => {
  const about = (kind: string, statements: string): string =>
    `--@test: one\n--@expected.error: ${kind}\n--@expected.message: FOO does not exist.\n${statements}`;
  const unknown = 'DESCRIBE FOO;\n';
  const wrong = `${DECLARED}\nINSERT INTO S VALUES (1, 1);\nASSERT VALUES S (K) VALUES (2);\n`;
  const passed = '1 passed, 0 failed, 0 skipped\n';
  expect(await outputOf(about('io.confluent.ksql.util.KsqlException', unknown))).toBe(passed);
  expect(await outputOf(about('java.lang.AssertionError', wrong))).toBe(passed);
  expect(await outputOf(about('java.lang.AssertionError', unknown))).toContain('expected an assertion');
  // Not the statement that the test is about.
  expect(await outputOf(about('io.confluent.ksql.util.KsqlException', unknown + DECLARED))).toContain(
    "expected an error with 'FOO does not exist.'",
  );
  expect(await outputOf(about('ML_TOPIC', unknown))).toContain('expected ML_TOPIC, found ML_NAME_UNKNOWN');
  expect(await outputOf(`--@test: one\n--@expected.error: ML_NAME_UNKNOWN\n${unknown}`)).toBe(passed);
});

test('a test that needs a schema registry is skipped, and says so', async () => {
  const avro = DECLARED.replace('JSON', 'AVRO');
  expect(await outputOf(`--@test: one\n${avro}\n--@test: two\n${DECLARED}\n`)).toBe(
    'skipped: 1 (needs a schema registry)\n1 passed, 0 failed, 1 skipped\n',
  );
});

test('files with tests are found in folders, other SQL files are not', async () => {
  writeFileSync(join(directory, 'tests.sql'), `--@test: one\n${DECLARED}\n`);
  writeFileSync(join(directory, 'script.sql'), DECLARED);
  expect(await run([directory])).toEqual({ ok: true, output: '1 passed, 0 failed, 0 skipped\n' });
});

test('a run that tests nothing is not a good one', async () => {
  const nothing = await run([directory]);
  expect(nothing.output).toContain('there is no test in it');
  writeFileSync(join(directory, 'tests.sql'), `--@test: one\n${DECLARED.replace('JSON', 'AVRO')}\n`);
  const skipped = await run([directory]);
  expect(skipped.output).toContain('all tests were skipped');
  const unmatched = await run([directory], false, 'two');
  expect(unmatched.output).toContain("no test has 'two' in its name");
  expect([nothing.ok, skipped.ok, unmatched.ok]).toEqual([false, false, false]);
});
