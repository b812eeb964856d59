/**
 * Runs a TypeScript file: `node scripts/run-ts.js FILE [ARGUMENT…]`. Node 20 reads no TypeScript, so the file is bundled
 * into a temporary directory, which is removed afterwards. Packages are not bundled: they load from node_modules.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleTs } from './bundle-ts.js';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run-ts.js FILE [ARGUMENT…]');
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'run-ts-'));
try {
  const outfile = await bundleTs(resolve(file), directory);
  const nodeArgs = [...process.execArgv, '--enable-source-maps', outfile, ...args];
  process.exitCode = spawnSync(process.execPath, nodeArgs, { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
