import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { MUTANTS, mutated } from './mutants.ts';

/** Runs tests on the sources with one of the mutants in them, whose number `MILLRACE_MUTANT` gives. No file is changed. */
const mutant = MUTANTS[Number(process.env['MILLRACE_MUTANT'])]!;
const file = fileURLToPath(new URL(`../../${mutant.file}`, import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      transform: (code, id) => (id === file ? mutated(mutant, code) : undefined),
    },
  ],
  test: { include: ['test/**/*.test.ts'], pool: 'forks', maxWorkers: 1, testTimeout: 20_000, bail: 1 },
});
