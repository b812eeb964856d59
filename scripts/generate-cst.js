// Writes grammar/cst.d.ts, the types of the concrete syntax tree, from the grammar itself.
// `node scripts/generate-cst.js --print` writes to standard output instead.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { generateCstDts } from 'chevrotain';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = `${root}grammar/.grammar-${process.pid}.mjs`;

try {
  await build({
    entryPoints: [`${root}grammar/grammar.ts`],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const { SqlParser } = await import(pathToFileURL(bundle).href);
  const parser = new SqlParser({ validate: true });
  const unformatted = `// Written by scripts/generate-cst.js from the grammar. Do not edit.\n${generateCstDts(parser.getGAstProductions())}`;
  const types = execFileSync(`${root}node_modules/.bin/oxfmt`, ['--stdin-filepath=grammar/cst.d.ts'], {
    input: unformatted,
    cwd: root,
    encoding: 'utf8',
  });
  if (process.argv.includes('--print')) process.stdout.write(types);
  else writeFileSync(`${root}grammar/cst.d.ts`, types);
} finally {
  rmSync(bundle, { force: true });
}
