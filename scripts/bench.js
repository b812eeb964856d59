/** `npm run bench -- [--records N] [--rounds N] [--only TEXT] [--profile]`: see bench/main.ts. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const args = ['scripts/run-ts.js', 'bench/main.ts', ...process.argv.slice(2)];
const cwd = fileURLToPath(new URL('..', import.meta.url));
process.exitCode = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' }).status ?? 1;
