import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runTests } from '../src/test-runner/run-tests.ts';
import { systemClock } from '../src/common/clock.ts';
import { loadUserFunctions } from '../src/engine/user-functions/load-user-functions.ts';
import { startServer } from '../src/server/server.ts';

/**
 * ksqlDB's own cases, run as `millrace test` runs them, when their folder stands beside the project: how many pass never
 * falls. When more do, the baseline is raised with the change that did it.
 */
const CASES = fileURLToPath(new URL('../../shared/conformance/ksqldb', import.meta.url));
const FUNCTIONS = fileURLToPath(new URL('fixtures/test-functions.js', import.meta.url));
const BASELINE = fileURLToPath(new URL('conformance-baseline.json', import.meta.url));

test.skipIf(!existsSync(CASES)).each([
  ['query', true],
  ['query', false],
  ['rest', true],
  // Runs each both ways.
  ['sql-tests', true],
] as const)(
  'no fewer of ksqlDB’s %s cases pass than before, optimizer %s (skipped without ../shared/conformance)',
  async (folder, optimizer) => {
    const name = optimizer ? folder : `${folder}, optimizer off`;
    const least = (JSON.parse(readFileSync(BASELINE, 'utf8')) as Record<string, number>)[name];
    const { functions, close } = loadUserFunctions(FUNCTIONS, systemClock);
    const lines: string[] = [];
    try {
      await runTests({
        paths: [join(CASES, folder)],
        optimizer,
        functions,
        serve: (engine) => startServer({ engine, host: '127.0.0.1', port: 0, version: 'test' }),
        clock: systemClock,
        write: (text) => lines.push(text),
      });
    } finally {
      await close();
    }
    const passed = Number(/^(\d+) passed/.exec(lines.at(-1) ?? '')?.[1]);
    expect(passed, lines.join('')).toBeGreaterThanOrEqual(least ?? Infinity);
  },
  300_000,
);
