import { existsSync } from 'node:fs';
import { Option } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import type { CliCommand } from './command.ts';
import { functionsOption } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

export const testCommand: CliCommand = {
  usage: 'test <path...>',
  description: 'runs test cases, files or directories of them, and says how many passed',
  page: 'sql-tests.md',
  options: [
    new Option('--report <file>', 'write the result of every case as JSON'),
    functionsOption('a JavaScript or TypeScript module of functions that the cases call'),
    new Option('--only <text>', 'only the cases whose name has this in it'),
    new Option(
      '--optimizer <state>',
      'run plans optimized or as they are built; tests in SQL run both ways when it is on',
    )
      .choices(['on', 'off'])
      .default('on'),
  ],
  run: runCases,
};

async function runCases(
  paths: readonly string[],
  options: { report?: string; optimizer: 'on' | 'off'; only?: string; functions?: string },
): Promise<number> {
  const [{ runTests }, { loadUserFunctions }, { systemClock }] = await Promise.all([
    import('../../test-runner/run-tests.ts'),
    import('../../engine/user-functions/load-user-functions.ts'),
    import('../../common/clock.ts'),
  ]);
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`there is no file or directory ${missing}`);
  const ok = await runTests({
    paths,
    report: options.report,
    optimizer: options.optimizer === 'on',
    only: options.only,
    functions:
      options.functions === undefined
        ? undefined
        : loadUserFunctions(options.functions, systemClock).functions,
    clock: systemClock,
    async serve(engine) {
      const { startServer } = await import('../../server/server.ts');
      return startServer({ engine, host: '127.0.0.1', port: 0, version: packageJson.version });
    },
    write: (text) => process.stdout.write(text),
  });
  return ok ? EXIT_DONE : EXIT_FAILED;
}
