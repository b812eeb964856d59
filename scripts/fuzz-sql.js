/**
 * Generated queries against laws that every engine must keep: over one source at a time (`test/simulation/sql/check-laws.ts`),
 * and in worlds of several partitions in which engines are restarted, killed and edited (`check-world.ts`).
 * `node scripts/fuzz-sql.js [SEED [COUNT [FAILURES [THREADS]]]]`, by default 30,000 queries from seed 1 on in two
 * threads; it stops after that many failures, by default 20. A failure names its seed: `node scripts/fuzz-sql.js SEED 1`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const [seed = '1', count = '30000', failures = '20', threads = '2'] = process.argv.slice(2);
const args = [`${here}run-ts.js`, `${here}../test/simulation/sql/main.ts`, seed, count, failures, threads];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
