// Writes grammar/cst.d.ts, the types of the concrete syntax tree, from the grammar itself.
// `node scripts/generate-cst.js --print` writes to standard output instead.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { generateCstDts } from 'chevrotain';
import { bundleTs } from './bundle-ts.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'millrace-grammar-'));

try {
  const bundle = await bundleTs('grammar/grammar.ts', directory);
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
  rmSync(directory, { recursive: true, force: true });
}
