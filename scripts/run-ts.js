/**
 * Runs a TypeScript file: `node scripts/run-ts.js FILE [ARGUMENT…]`. Node 20 reads no TypeScript, so the file is bundled
 * into a temporary directory, which is removed afterwards. Packages are not bundled: they load from node_modules.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run-ts.js FILE [ARGUMENT…]');
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'run-ts-'));
try {
  const outfile = join(directory, 'main.mjs');
  await build({
    entryPoints: [file],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
  });
  symlinkSync(
    fileURLToPath(new URL('../node_modules', import.meta.url)),
    join(directory, 'node_modules'),
    'dir',
  );
  const nodeArgs = [...process.execArgv, '--enable-source-maps', outfile, ...args];
  process.exitCode = spawnSync(process.execPath, nodeArgs, { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
