/**
 * `npm run simulate -- [SEED] [COUNT]`: random topologies, inputs, orders of processing, commits, errors, rebalances and
 * crashes on the engine, each seed driven record by record and in the running loop, held to the reference interpreter.
 * COUNT seeds (10,000) from SEED (1), shared among all processors. Prints each seed that failed with its case, and
 * `N passed, N failed`. One seed again: `npm run simulate -- SEED 1`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [seed = '1', count = '10000'] = process.argv.slice(2);
if (!/^\d+$/.test(seed) || !/^[1-9]\d*$/.test(count)) {
  console.error('usage: npm run simulate -- [SEED] [COUNT]');
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'millrace-simulate-'));
const outfile = join(directory, 'main.mjs');
await build({
  entryPoints: [join(root, 'test/simulation/main.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'error',
});
symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'dir');

/** Seeds a worker takes at a time. */
const PORTION = 250;
const end = Number(seed) + Number(count);
let next = Number(seed);
const total = { seeds: 0, failed: 0, crashes: 0, errors: 0, restarts: 0, steps: 0 };
let broken = false;

/** Runs a portion of seeds in a process of its own; its last line tells how it went. */
function runPortion(first, size) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', outfile, String(first), String(size)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let result = null;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"seeds":')) result = JSON.parse(line);
      else console.log(line);
    });
    child.on('close', () => resolve(result));
  });
}

async function work() {
  while (next < end && !broken) {
    const first = next;
    const size = Math.min(PORTION, end - first);
    next += size;
    const result = await runPortion(first, size);
    if (result === null) {
      console.error(`the process that ran the seeds ${first} to ${first + size - 1} ended early`);
      broken = true;
      return;
    }
    for (const name of Object.keys(total)) total[name] += result[name];
    if (process.stderr.isTTY)
      process.stderr.write(`\r${total.seeds} of ${count} seeds, ${total.failed} failed `);
  }
}

try {
  await Promise.all(Array.from({ length: availableParallelism() }, work));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
if (process.stderr.isTTY) process.stderr.write('\n');
const { crashes, errors, restarts, steps } = total;
console.log(
  `${steps} records processed, ${restarts} restarts, ${crashes} of them after a crash; ${errors} errors`,
);
console.log(`${total.seeds - total.failed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 || broken ? 1 : 0);
