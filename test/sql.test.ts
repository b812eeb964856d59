import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runTests } from '../src/test-runner/run-tests.ts';
import { systemClock } from '../src/common/clock.ts';

/** Our own cases in SQL (`src/test-runner/read-script.ts` has their form), optimized and not. */
test('every script in test/sql holds', async () => {
  const lines: string[] = [];
  const ok = await runTests({
    paths: [fileURLToPath(new URL('sql', import.meta.url))],
    optimizer: true,
    clock: systemClock,
    write: (text) => lines.push(text),
  });
  expect(ok, lines.join('')).toBe(true);
  expect(lines.join('')).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped\n$/);
});
