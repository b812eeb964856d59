import { hostname } from 'node:os';
import { Option } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { aborted } from '../../common/abort.ts';
import { describeRange, readWholeNumber } from '../../common/whole-number.ts';
import type { CliCommand } from './command.ts';
import { commonOptions, demoOption, type GivenOptions, repeatedOption } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { openLocalEngine } from './open-local-engine.ts';
import { openSession } from './open-session.ts';
import { runOptions } from './run-options.ts';
import { UsageError } from './usage-error.ts';
import { noteWaiting } from './waiting-note.ts';

/** 0 stands for a free one. */
const PORTS = { min: 0, max: 65_535 };
const DEFAULT_PORT = '8088';
const DEFAULT_HOST = '127.0.0.1';

export const serverCommand: CliCommand = {
  usage: 'server [properties]',
  description:
    'serves statements and queries over HTTP and WebSocket, for ksqlDB’s clients too; reads ksql-server.properties',
  page: 'server.md',
  options: [
    ...commonOptions(),
    new Option('--port <number>', `where to listen; 0 takes a free one (default: ${DEFAULT_PORT})`),
    new Option('--host <address>', `the address to listen on (default: ${DEFAULT_HOST})`),
    demoOption(),
    new Option('--advertise <url>', 'where other processes of the service say that this one is').argParser(
      url,
    ),
    new Option('--queries-file <file>', 'run the statements of this file at start (headless)'),
    new Option('--fresh', 'begin anew: forget offsets and state of the file’s queries'),
    repeatedOption('--limit <name=number>', 'how much clients may take (docs/server.md)'),
    repeatedOption(
      '--allow-origin <origin>',
      'let web pages of this origin use the server, such as https://example.com',
    ),
    repeatedOption('--allow-host <name>', 'let clients reach a server on a loopback address by this name'),
  ],
  run: serve,
};

function url(value: string): string {
  if (/^https?:\/\/[^/]/i.test(value) && URL.canParse(value)) return value;
  throw new UsageError(`--advertise takes a URL such as http://host-a:8088, not ${value}`);
}

/** How other machines reach a server that listens there, as far as can be known. */
function addressOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? hostname() : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Serves until it is told to stop. */
async function serve(
  [file]: readonly string[],
  given: GivenOptions & {
    readonly port?: string;
    readonly host?: string;
    readonly advertise?: string;
    readonly queriesFile?: string;
    readonly fresh?: boolean;
    readonly demo?: boolean;
    readonly allowOrigin: readonly string[];
    readonly allowHost: readonly string[];
    readonly limit: readonly string[];
  },
): Promise<number> {
  const options = await (await import('./server-settings.ts')).withServerSettings(given, file);
  const { port: portText = DEFAULT_PORT, host = DEFAULT_HOST } = options;
  const port = readWholeNumber(portText, PORTS);
  if (port === null) throw new UsageError(`--port takes ${describeRange(PORTS)}, not ${portText}`);
  const limits = (await import('./server-limits.ts')).parseLimits(options.limit);
  const session = await openSession(options.set);
  const headless = options.queriesFile !== undefined;
  const isDurable = options.kafka !== null || options.dataDir !== undefined;
  if (options.fresh === true && !headless)
    throw new UsageError(
      '--fresh is for the script of --queries-file: at the prompt, DROP what is to begin anew',
    );
  const engine = await openLocalEngine(
    { ...options, isServer: true },
    !headless && isDurable,
    // Every client's session begins with them.
    new Map(session.properties),
    {
      ...limits.engine,
      keepQueries: headless && isDurable,
      fresh: options.fresh === true,
      address: options.advertise ?? (port === 0 ? null : addressOf(host, port)),
      onWaiting: noteWaiting,
    },
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
      if (!signal.aborted) engine.kept?.tellLeft();
    }
    const server = await startServer({
      engine,
      host,
      port,
      version: packageJson.version,
      allowedOrigins: options.allowOrigin,
      allowedHosts: options.allowHost,
      limits: limits.server,
    });
    process.stdout.write(`Millrace ${packageJson.version} listens on http://${host}:${server.port}\n`);
    if (options.advertise === undefined) engine.ownership?.advertise(addressOf(host, server.port));
    await aborted(signal);
    await server.close();
    return EXIT_DONE;
  } finally {
    await stopDemo?.();
    await engine.close();
  }
}
