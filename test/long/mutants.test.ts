import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { type Mutant, mutated, MUTANTS } from '../mutants/mutants.ts';

/** Each of the mutants is noticed by a test: `npm run mutants` prints by which. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** How long the tests may take with one of them. */
const RUN_MS = 300_000;

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-mutants-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The first test that fails with the mutant; null when none does. Throws when the tests could not even be begun. */
async function killerOf(mutant: Mutant, index: number): Promise<string | null> {
  const report = join(directory, `${index}.json`);
  const vitest = [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config=test/mutants/vitest.config.ts',
  ];
  const options = ['--reporter=json', `--outputFile=${report}`, mutant.test];
  const env = { ...process.env, MILLRACE_MUTANT: String(index) };
  // A group of its own, so that a fault that never ends is stopped with all its processes.
  const child = spawn(process.execPath, [...vitest, ...options], { cwd: ROOT, env, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const stop = systemClock.setTimer(RUN_MS, () => process.kill(-child.pid!, 'SIGKILL'));
  await once(child, 'close');
  stop();
  if (!existsSync(report)) throw new Error(`the tests with "${mutant.what}" did not end: ${output}`);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.find(({ status }) => status === 'failed');
  if (failed !== undefined) return failed.fullName;
  if (results.some(({ status }) => status === 'passed')) return null;
  throw new Error(`no test of ${mutant.test} was run: ${testResults[0]?.message ?? output}`);
}

test.each(MUTANTS)('the place of "$what" is in $file', (mutant) => {
  mutated(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'));
});

describe.concurrent('a test fails where', () => {
  test.each(MUTANTS.map((mutant, index) => [mutant.what, mutant, index] as const))(
    '%s',
    async (what, mutant, index) => {
      const killer = await killerOf(mutant, index);
      console.log(`${what}\n  ${mutant.test}: ${killer ?? 'SURVIVED'}`);
      expect(killer, `every test of ${mutant.test} passes where ${what}`).not.toBeNull();
    },
  );
});
