import { existsSync } from 'node:fs';
import packageJson from '../../../package.json' with { type: 'json' };
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

/** `millrace test`: runs test cases. */
export async function testCommand(
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
