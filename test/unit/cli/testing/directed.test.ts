import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDirectedTests } from '../../../../src/cli/testing/read-directives.ts';
import { runTests } from '../../../../src/cli/testing/test-command.ts';
import { systemClock } from '../../../../src/common/clock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-directed-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function outputOf(text: string, name = 'case.sql'): Promise<string> {
  const file = join(directory, name);
  writeFileSync(file, text);
  const lines: string[] = [];
  await runTests({ paths: [file], optimizer: false, clock: systemClock, write: (line) => lines.push(line) });
  return lines.join('');
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
