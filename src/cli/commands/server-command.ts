import packageJson from '../../../package.json' with { type: 'json' };
import { aborted } from '../../common/abort.ts';
import { describeRange, readWholeNumber } from '../../common/whole-number.ts';
import type { CommonOptions } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { openLocalEngine } from './open-local-engine.ts';
import { openSession } from './open-session.ts';
import { runOptions } from './run-options.ts';
import { UsageError } from './usage-error.ts';

/** 0 stands for a free one. */
const PORTS = { min: 0, max: 65_535 };

/** `millrace server`: serves until it is told to stop. */
export async function serverCommand(
  options: CommonOptions & {
    readonly port: string;
    readonly host: string;
    readonly queriesFile?: string;
    readonly fresh?: boolean;
    readonly demo?: boolean;
    readonly allowOrigin: readonly string[];
    readonly allowHost: readonly string[];
    readonly limit: readonly string[];
  },
): Promise<number> {
  const port = readWholeNumber(options.port, PORTS);
  if (port === null) throw new UsageError(`--port takes ${describeRange(PORTS)}, not ${options.port}`);
  const limits = (await import('./server-limits.ts')).parseLimits(options.limit);
  const session = await openSession(options.set);
  const headless = options.queriesFile !== undefined;
  const isDurable = options.kafka !== undefined || options.dataDir !== undefined;
  if (options.fresh === true && !headless)
    throw new UsageError(
      '--fresh is for the script of --queries-file: at the prompt, DROP what is to begin anew',
    );
  const engine = await openLocalEngine(
    options,
    !headless && isDurable,
    // Every client's session begins with them.
    new Map(session.properties),
    { ...limits.engine, keepQueries: headless && isDurable, fresh: options.fresh === true },
  );
  const signal = interruption();
  const { startServer } = await import('../../server/server.ts');
  let stopDemo: (() => Promise<void>) | null = null;
  try {
    if (options.demo === true) stopDemo = await engine.startDemo();
    if (options.queriesFile !== undefined) {
      const [{ LocalBackend }, { runFiles }] = await Promise.all([
        import('../backend/local-backend.ts'),
        import('../run/run-files.ts'),
      ]);
      const backend = new LocalBackend(engine, '');
      const run = await runOptions(options, backend, session, signal, false);
      const { ok } = await runFiles([options.queriesFile], run, {
        openScript: (files, statements) => engine.openScript(files, statements),
        execute: (statement, script) => backend.execute(statement, session, script),
      });
      if (!ok) return EXIT_FAILED;
      if (!signal.aborted) engine.tellLeft();
    }
    const server = await startServer({
      engine,
      host: options.host,
      port,
      version: packageJson.version,
      allowedOrigins: options.allowOrigin,
      allowedHosts: options.allowHost,
      limits: limits.server,
    });
    process.stdout.write(
      `Millrace ${packageJson.version} listens on http://${options.host}:${server.port}\n`,
    );
    await aborted(signal);
    await server.close();
    return EXIT_DONE;
  } finally {
    await stopDemo?.();
    await engine.close();
  }
}
