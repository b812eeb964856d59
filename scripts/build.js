// Bundles the command line and the library into dist/. Bundled, the command starts in a fraction of the time that
// loading its packages file by file takes. Packages with native parts or with their own file look-ups stay outside.
// The old dist/ stays until the new one is whole, so that a command that runs meanwhile finds its chunks.
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const OUTSIDE = ['rocksdb-native', 'fs-native-extensions', 'kafkajs'];

const fresh = `.dist-${process.pid}`;
await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/main.ts',
    streams: 'src/streams/streams-api.ts',
    // A thread's program, found beside what starts it.
    'member-thread': 'src/log/kafka/member-thread.ts',
  },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  external: OUTSIDE.filter((name) => name in dependencies),
  // Bundled CommonJS packages call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
chmodSync(`${root}${fresh}/main.js`, 0o755);
if (existsSync(`${root}dist`)) renameSync(`${root}dist`, `${root}${fresh}-old`);
renameSync(`${root}${fresh}`, `${root}dist`);
rmSync(`${root}${fresh}-old`, { recursive: true, force: true });
