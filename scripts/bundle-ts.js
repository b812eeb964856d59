import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles a TypeScript file into `directory`, for this Node.js, which reads none, to run; gives the bundle's path. Packages are not
 * bundled: the directory gets a link to node_modules, so that they are found wherever it is.
 *
 * @param {string} file of the repository, or anywhere by an absolute path
 * @param {string} directory
 */
export async function bundleTs(file, directory) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const outfile = join(directory, 'main.mjs');
  await build({
    absWorkingDir: root,
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
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'dir');
  return outfile;
}
