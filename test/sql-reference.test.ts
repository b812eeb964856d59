import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { referencePages } from './harness/sql-reference.ts';

const DIRECTORY = fileURLToPath(new URL('../docs/sql/', import.meta.url));

test.each([...referencePages()])('docs/sql/%s is what the sources say', (name, text) => {
  if (process.env['UPDATE_DOCS'] === '1') {
    mkdirSync(DIRECTORY, { recursive: true });
    writeFileSync(DIRECTORY + name, text);
  }
  const stale = 'stale: UPDATE_DOCS=1 npx vitest run test/sql-reference.test.ts writes it anew';
  expect(readFileSync(DIRECTORY + name, 'utf8'), stale).toBe(text);
});
