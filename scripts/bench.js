/**
 * Benches; the head of each file says which options it takes.
 *
 *   npm run bench -- [OPTION…]           bench/main.ts: records a CPU second
 *   npm run bench -- latency [OPTION…]   bench/latency.ts: from a producer to a reader, and the broker's part
 *   npm run bench -- state [OPTION…]     bench/state.ts: with more keys than memory holds
 *   npm run bench -- restart [OPTION…]   bench/restart.ts: and what a restart with it costs
 *   npm run bench -- idle [OPTION…]      bench/idle.ts: what a thousand queries cost that have nothing to do
 *   npm run bench -- soak [OPTION…]      bench/soak.ts: what two queries cost that have a little to do, for an hour
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const given = process.argv.slice(2);
const named = given[0] !== undefined && !given[0].startsWith('-') ? given.shift() : 'main';
// As the others of the table are asked for.
const name = named === 'main' && given[given.indexOf('--only') + 1] === 'state' ? 'state' : named;
const args = ['scripts/run-ts.js', `bench/${name}.ts`, ...given];
const cwd = fileURLToPath(new URL('..', import.meta.url));
process.exitCode = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' }).status ?? 1;
