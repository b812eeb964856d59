// Runs the tests, names the ten slowest files, and ends with the line `N passed, N failed` (and `, N skipped`).
// `--long` runs those of test/long instead, which take longer than people wait. Other arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
const report = join(directory, 'report.json');
const SLOWEST = 10;
const long = process.argv[2] === '--long';

const built = spawnSync(process.execPath, ['scripts/build.js'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) process.exit(1);
const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...(long ? ['--config=vitest.long.config.ts'] : []),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(long ? 3 : 2),
  ],
  { cwd: root, stdio: 'inherit' },
);

let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed = result.numPassedTests;
  failed =
    result.numFailedTests +
    result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
      .length;
  skipped = result.numPendingTests + (result.numTodoTests ?? 0);
  const took = ({ startTime, endTime }) => endTime - startTime;
  console.log('slowest files:');
  for (const file of result.testResults.toSorted((a, b) => took(b) - took(a)).slice(0, SLOWEST))
    console.log(`${(took(file) / 1000).toFixed(1).padStart(7)} s  ${relative(root, file.name)}`);
  for (const file of result.testResults)
    for (const each of file.assertionResults)
      if (each.status === 'pending' || each.status === 'skipped') console.log(`skipped: ${each.fullName}`);
} catch (error) {
  console.error(`the test run left no report: ${error.message}`);
}
rmSync(directory, { recursive: true, force: true });
if (run.status !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
