/** `npm run chaos -- --minutes N --seed N`: kills under load on real brokers; the head of `test/chaos/main.ts` tells the rest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleTs } from './bundle-ts.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const directory = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const outfile = await bundleTs('test/chaos/main.ts', directory);
// It starts itself again, to write.
process.argv[1] = outfile;
await import(pathToFileURL(outfile).href);
