/**
 * `npm run simulate -- [--library] [SEED] [COUNT]`: random topologies, inputs, orders of processing, commits, errors, rebalances and
 * crashes on the engine, each seed driven record by record and in the running loop, held to the reference interpreter.
 * COUNT seeds (10,000) from SEED (1), shared among all processors. Prints each seed that failed with its case, and
 * `N passed, N failed`. One seed again: `npm run simulate -- SEED 1`.
 *
 * With `--library`: cases of the whole streams library, with processors, headers, cogroups, suppressions and versioned
 * tables, each once in the running loop, held to a model that shares no code with the engine. Prints in how many seeds
 * each feature was.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleTs } from './bundle-ts.js';

const library = process.argv[2] === '--library';
const [seed = '1', count = library ? '2000' : '10000'] = process.argv.slice(library ? 3 : 2);
if (!/^\d+$/.test(seed) || !/^[1-9]\d*$/.test(count)) {
  console.error('usage: npm run simulate -- [--library] [SEED] [COUNT]');
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'millrace-simulate-'));
const outfile = await bundleTs(
  library ? 'test/simulation/library/main.ts' : 'test/simulation/main.ts',
  directory,
);

/** Seeds a worker takes at a time. */
const PORTION = library ? 50 : 250;
const end = Number(seed) + Number(count);
let next = Number(seed);
const total = { seeds: 0, failed: 0, crashes: 0, errors: 0, restarts: 0, steps: 0, states: 0, rows: 0 };
const shares = new Map();
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
    for (const name of Object.keys(total)) total[name] += result[name] ?? 0;
    for (const [name, seeds] of Object.entries(result.shares ?? {}))
      shares.set(name, (shares.get(name) ?? 0) + seeds);
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
for (const [name, seeds] of [...shares].sort((a, b) => b[1] - a[1]))
  console.log(`${((100 * seeds) / total.seeds).toFixed(1).padStart(5)} %  ${name}`);
const { crashes, errors, restarts, steps, states, rows } = total;
if (library) console.log(`${rows} output records compared, and all stores of ${states} cases`);
console.log(
  `${steps} records processed, ${restarts} restarts, ${crashes} of them after a crash; ${errors} errors`,
);
console.log(`${total.seeds - total.failed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 || broken ? 1 : 0);
