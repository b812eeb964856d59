import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runTests } from '../../src/test-runner/run-tests.ts';
import { systemClock } from '../../src/common/clock.ts';
import { execute, openEngine } from '../harness/open-engine.ts';

/** What the documents show, run as it stands there. */

function blocksOf(document: string, language: string): readonly string[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${document}`, import.meta.url)), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1]!,
  );
}

test('the functions of docs/user-functions.md work together', async () => {
  const engine = await openEngine();
  await execute(engine, blocksOf('user-functions.md', 'sql').join('\n'));
  await execute(
    engine,
    "INSERT INTO orders VALUES (1, 'a tea', 10); INSERT INTO orders VALUES (2, 'a tea', 20); INSERT INTO orders VALUES (3, 'a tea', 30);",
  );
  await engine.drain();
  expect((await execute(engine, 'SELECT price FROM means;')).rows).toEqual([[24]]);
  const words = 'SELECT WORDS(item)->WORD, WORDS(item)->N FROM orders EMIT CHANGES LIMIT 2;';
  expect((await execute(engine, words)).rows).toEqual([
    ['a', 0],
    ['tea', 1],
  ]);
  await engine.close();
});

test('the test file of docs/sql-tests.md passes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-documents-'));
  const lines: string[] = [];
  try {
    writeFileSync(join(directory, 'shown.test.sql'), blocksOf('sql-tests.md', '').join('\n'));
    await runTests({
      paths: [directory],
      optimizer: true,
      clock: systemClock,
      write: (line) => lines.push(line),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
  expect(lines.join('')).toBe('4 passed, 0 failed, 0 skipped\n');
});
