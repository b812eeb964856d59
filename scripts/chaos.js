/** `npm run chaos -- --minutes N --seed N`: kills under load on real brokers; the head of `test/chaos/main.ts` tells the rest. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const directory = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const outfile = join(directory, 'main.mjs');
await build({
  entryPoints: ['test/chaos/main.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'error',
});
symlinkSync(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'), 'dir');
// It starts itself again, to write.
process.argv[1] = outfile;
await import(pathToFileURL(outfile).href);
