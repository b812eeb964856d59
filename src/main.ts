#!/usr/bin/env node
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import type { Backend } from './cli/backend.ts';
import { keepAlive } from './common/clock.ts';
import type { OutputFormat } from './cli/output-format.ts';
import type { RunOptions } from './cli/run-statements.ts';
import type { Engine } from './engine/engine.ts';
import type { Session } from './engine/session.ts';

/** Where everything is put together. Rooms are loaded when a command needs them, so that it starts at once. */

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

interface CommonOptions {
  readonly kafka?: string;
  readonly dataDir?: string;
  readonly set: readonly string[];
  readonly output: OutputFormat;
  readonly logLevel: string;
  readonly serviceId: string;
  readonly functions?: string;
}

class UsageError extends Error {}

async function openLocalEngine(
  options: CommonOptions,
  commandLog: boolean,
  properties: ReadonlyMap<string, string>,
): Promise<Engine> {
  const [{ openEngine }, { openStateBackend }, { openLogger }, { systemClock, systemRandom }] =
    await Promise.all([
      import('./engine/open-engine.ts'),
      import('./state/task-state.ts'),
      import('./common/logger.ts'),
      import('./common/clock.ts'),
    ]);
  const logger = openLogger(options.logLevel);
  const shared = { clock: systemClock, logger };
  const directory = options.dataDir;
  if (directory !== undefined) makeDataDirectory(directory);
  let log;
  if (options.kafka !== undefined) {
    const { openKafkaLog } = await import('./log/kafka/open-kafka-log.ts');
    log = await openKafkaLog({ brokers: options.kafka.split(','), clientId: 'millrace', ...shared });
  } else {
    const { openEmbeddedLog } = await import('./log/embedded/embedded-log.ts');
    log = await openEmbeddedLog({
      ...(directory === undefined ? {} : { directory: join(directory, 'log') }),
      ...shared,
    });
  }
  return openEngine({
    log,
    durable: options.kafka !== undefined || directory !== undefined,
    stateDirectory: directory === undefined ? null : join(directory, 'state'),
    state: openStateBackend(),
    clock: systemClock,
    random: systemRandom,
    logger,
    serviceId: options.serviceId,
    commandLog,
    version: packageJson.version,
    properties,
    ...(options.functions === undefined
      ? {}
      : {
          functions: (await import('./engine/user-functions/load-user-functions.ts')).loadUserFunctions(
            options.functions,
          ).functions,
        }),
  });
}

async function openBackend(
  options: CommonOptions & { server?: string },
  session: Session,
): Promise<{ backend: Backend; engine: Engine | null }> {
  if (options.server !== undefined) {
    if (!/^https?:\/\/[^/]/i.test(options.server) || !URL.canParse(options.server))
      throw new UsageError(`--server takes a URL such as http://localhost:8088, not ${options.server}`);
    const { RemoteBackend } = await import('./cli/remote-backend.ts');
    return { backend: await RemoteBackend.open(options.server), engine: null };
  }
  const engine = await openLocalEngine(
    options,
    options.dataDir !== undefined || options.kafka !== undefined,
    await ofStart(session),
  );
  const { LocalBackend } = await import('./cli/local-backend.ts');
  const where =
    options.kafka !== undefined
      ? `Kafka at ${options.kafka}`
      : (options.dataDir ?? 'the embedded log, in memory');
  return { backend: new LocalBackend(engine, where), engine };
}

async function openSession(settings: readonly string[]): Promise<Session> {
  const [{ newSession }, { checkProperty }] = await Promise.all([
    import('./engine/session.ts'),
    import('./engine/properties.ts'),
  ]);
  const session = newSession();
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw new UsageError(`--set takes name=value, not ${setting}`);
    const value = setting.slice(at + 1);
    try {
      session.properties.set(checkProperty(setting.slice(0, at), value, {}, 'at-start'), value);
    } catch (error) {
      throw new UsageError(`--set ${setting}: ${(error as Error).message}`);
    }
  }
  return session;
}

/** What --set says of the process; the rest is the session's, which may set or unset it. */
async function ofStart({ properties }: Session): Promise<ReadonlyMap<string, string>> {
  const { isOfStart } = await import('./engine/properties.ts');
  return new Map([...properties].filter(([name]) => isOfStart(name)));
}

/** Aborted by Ctrl-C or a termination signal; a second one ends the process at once. */
function interruption(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_FAILED);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  return controller.signal;
}

async function runOptions(
  options: CommonOptions,
  backend: Backend,
  session: Session,
  signal: AbortSignal,
  acknowledge: boolean,
): Promise<RunOptions> {
  const [{ Output }, { rendererOf }, { terminalWidthOf }] = await Promise.all([
    import('./cli/output.ts'),
    import('./cli/output-format.ts'),
    import('./cli/text-columns.ts'),
  ]);
  return {
    backend,
    session,
    renderer: rendererOf(options.output, terminalWidthOf(process.stdout)),
    output: new Output(process.stdout),
    errors: new Output(process.stderr),
    acknowledge,
    settle: true,
    signal,
  };
}

async function promptCommand(options: CommonOptions & { server?: string; demo?: boolean }): Promise<number> {
  const session = await openSession(options.set);
  const { backend, engine } = await openBackend(options, session);
  const { repl } = await import('./cli/repl.ts');
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  // At the prompt, Ctrl-C only ends what runs.
  const signal = interruption(interactive ? ['SIGTERM'] : ['SIGINT', 'SIGTERM']);
  const stopDemo = options.demo === true && engine !== null ? await engine.startDemo() : null;
  const hint =
    stopDemo === null
      ? 'Type help; statements end with a semicolon.'
      : 'A demo stream is running. Try: SELECT * FROM TRADES EMIT CHANGES LIMIT 3;';
  try {
    return await repl({
      backend,
      session,
      input: process.stdin,
      output: process.stdout,
      errors: process.stderr,
      interactive,
      signal,
      banner: `Millrace ${packageJson.version} on ${backend.description}. ${hint}\n`,
      version: packageJson.version,
      format: options.output,
    });
  } finally {
    await stopDemo?.();
    await backend.close();
  }
}

async function executeCommand(
  text: string,
  options: CommonOptions & { server?: string; demo?: boolean },
): Promise<number> {
  const session = await openSession(options.set);
  const { backend, engine } = await openBackend(options, session);
  const stopDemo = options.demo === true && engine !== null ? await engine.startDemo() : null;
  const signal = interruption();
  try {
    const run = await runOptions(options, backend, session, signal, true);
    const [{ scriptStatements }, { describeError, runStatement }, { splitStatements }] = await Promise.all([
      import('./cli/script-statements.ts'),
      import('./cli/run-statements.ts'),
      import('./sql/parser/split-statements.ts'),
    ]);
    const complete = splitStatements(text).rest === '' ? text : `${text};`;
    let statements;
    try {
      statements = scriptStatements(complete, null, session.variables);
    } catch (error) {
      await run.errors.write(`${describeError(error, complete)}\n`);
      return EXIT_FAILED;
    }
    for (const statement of statements) {
      if (signal.aborted || run.output.closed) break;
      if (!(await runStatement(statement, run))) return EXIT_FAILED;
    }
    return EXIT_DONE;
  } finally {
    await stopDemo?.();
    await backend.close();
  }
}

async function runCommand(
  files: readonly string[],
  options: CommonOptions & { stay?: boolean },
): Promise<number> {
  const session = await openSession(options.set);
  // A script on Kafka is the source of truth itself: its statements run anew, its queries go on where they were.
  const engine = await openLocalEngine(
    options,
    options.dataDir !== undefined && options.kafka === undefined,
    await ofStart(session),
  );
  const signal = interruption();
  const [{ LocalBackend }, { runFiles }, { aborted }] = await Promise.all([
    import('./cli/local-backend.ts'),
    import('./cli/run-files.ts'),
    import('./cli/aborted.ts'),
  ]);
  const backend = new LocalBackend(engine, '');
  try {
    const run = await runOptions(options, backend, session, signal, false);
    const { ok, script } = await runFiles(files, run, {
      openScript: (text) => engine.openScript(text),
      execute: (statement, each) => backend.execute(statement, session, each),
    });
    if (ok && options.stay === true) await aborted(signal);
    if (ok && !signal.aborted) await Promise.race([engine.drain(), aborted(signal)]);
    if (ok && !signal.aborted && options.stay !== true) await script?.finish();
    else await script?.close();
    return ok && !engine.hasFailedQuery ? EXIT_DONE : EXIT_FAILED;
  } finally {
    await backend.close();
  }
}

/** Throws an error that says which directory, and why. */
function makeDataDirectory(directory: string): void {
  try {
    makeDirectory(resolve(directory));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it is a file' : message;
    throw new Error(`the data directory ${directory} cannot be used: ${reason}`, { cause: error });
  }
}

/** Level by level: mkdir's own recursion never ends where a file system such as /proc says that there is nothing. */
function makeDirectory(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path);
}

async function serverCommand(
  options: CommonOptions & { port: string; host: string; queriesFile?: string },
): Promise<number> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port takes a number up to 65535, not ${options.port}`);
  const session = await openSession(options.set);
  const headless = options.queriesFile !== undefined;
  const engine = await openLocalEngine(
    options,
    !headless && (options.kafka !== undefined || options.dataDir !== undefined),
    // Every client's session begins with them.
    new Map(session.properties),
  );
  const signal = interruption();
  const [{ startServer }, { aborted }] = await Promise.all([
    import('./server/server.ts'),
    import('./cli/aborted.ts'),
  ]);
  try {
    if (options.queriesFile !== undefined) {
      const [{ LocalBackend }, { runFiles }] = await Promise.all([
        import('./cli/local-backend.ts'),
        import('./cli/run-files.ts'),
      ]);
      const backend = new LocalBackend(engine, '');
      const run = await runOptions(options, backend, session, signal, false);
      const { ok } = await runFiles([options.queriesFile], run, {
        openScript: () => Promise.resolve(null),
        execute: (statement) => backend.execute(statement, session),
      });
      if (!ok) return EXIT_FAILED;
    }
    const server = await startServer({ engine, host: options.host, port, version: packageJson.version });
    process.stdout.write(
      `Millrace ${packageJson.version} listens on http://${options.host}:${server.port}\n`,
    );
    await aborted(signal);
    await server.close();
    return EXIT_DONE;
  } finally {
    await engine.close();
  }
}

async function testCommand(
  paths: readonly string[],
  options: { report?: string; optimizer: 'on' | 'off'; only?: string; functions?: string },
): Promise<number> {
  const [{ runTests }, { loadUserFunctions }, { systemClock }] = await Promise.all([
    import('./cli/testing/test-command.ts'),
    import('./engine/user-functions/load-user-functions.ts'),
    import('./common/clock.ts'),
  ]);
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`there is no file or directory ${missing}`);
  const ok = await runTests({
    paths,
    report: options.report,
    optimizer: options.optimizer === 'on',
    only: options.only,
    functions: options.functions === undefined ? undefined : loadUserFunctions(options.functions).functions,
    clock: systemClock,
    async serve(engine) {
      const { startServer } = await import('./server/server.ts');
      return startServer({ engine, host: '127.0.0.1', port: 0, version: packageJson.version });
    },
    write: (text) => process.stdout.write(text),
  });
  return ok ? EXIT_DONE : EXIT_FAILED;
}

interface ResetCommandOptions extends Pick<CommonOptions, 'kafka' | 'dataDir' | 'logLevel'> {
  readonly applicationId: string;
  readonly inputTopics: readonly string[];
  readonly internalTopics?: readonly string[];
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: string;
  readonly byDuration?: string;
  readonly toDatetime?: string;
  readonly dryRun?: boolean;
}

async function resetCommand(options: ResetCommandOptions): Promise<number> {
  const [{ StreamsResetError, parseDateTime, parseDuration, streamsReset }, { openLogger }, { systemClock }] =
    await Promise.all([
      import('./cli/streams-reset.ts'),
      import('./common/logger.ts'),
      import('./common/clock.ts'),
    ]);
  const { kafka, dataDir, toOffset, byDuration, toDatetime } = options;
  if (kafka === undefined && dataDir === undefined)
    throw new UsageError('streams-reset needs --kafka or --data-dir');
  const targets = ['toEarliest', 'toLatest', 'toOffset', 'byDuration', 'toDatetime'] as const;
  if (targets.filter((name) => options[name] !== undefined).length > 1)
    throw new UsageError(
      'only one of --to-earliest, --to-latest, --to-offset, --by-duration and --to-datetime can be given',
    );
  let target: Parameters<typeof streamsReset>[0]['target'] = {
    kind: options.toLatest === true ? 'latest' : 'earliest',
  };
  if (toOffset !== undefined) {
    if (!/^\d{1,15}$/.test(toOffset)) throw new UsageError(`--to-offset takes a number, not ${toOffset}`);
    target = { kind: 'offset', offset: Number(toOffset) };
  } else if (byDuration !== undefined) {
    const durationMs = parseDuration(byDuration);
    if (durationMs === undefined)
      throw new UsageError(`--by-duration takes an ISO duration such as PT1H30M or P7D, not ${byDuration}`);
    target = { kind: 'time', timeMs: systemClock.now() - durationMs };
  } else if (toDatetime !== undefined) {
    const timeMs = parseDateTime(toDatetime);
    if (timeMs === undefined)
      throw new UsageError(
        `--to-datetime takes an ISO date and time such as 2026-01-31T12:00:00Z, not ${toDatetime}`,
      );
    target = { kind: 'time', timeMs };
  }
  const shared = { clock: systemClock, logger: openLogger(options.logLevel) };
  let log;
  if (kafka !== undefined) {
    const { openKafkaLog } = await import('./log/kafka/open-kafka-log.ts');
    log = await openKafkaLog({ brokers: kafka.split(','), clientId: 'millrace', ...shared });
  } else {
    const { openEmbeddedLog } = await import('./log/embedded/embedded-log.ts');
    log = await openEmbeddedLog({ directory: join(dataDir!, 'log'), ...shared });
  }
  try {
    await streamsReset(
      {
        applicationId: options.applicationId,
        inputTopics: options.inputTopics,
        target,
        internalTopics: options.internalTopics ?? null,
        dryRun: options.dryRun === true,
      },
      {
        log,
        stateDirectory: dataDir === undefined ? null : join(dataDir, 'state'),
        write: (line) => new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve())),
      },
    );
    return EXIT_DONE;
  } catch (error) {
    if (!(error instanceof StreamsResetError)) throw error;
    process.stderr.write(`error: ${error.message}\nhint: ${error.hint}\n`);
    return EXIT_FAILED;
  } finally {
    await log.close();
  }
}

function buildProgram(finish: (code: number) => void): Command {
  const output = new Option('--output <format>', 'how results are shown')
    .choices(['table', 'json', 'csv'])
    .default('table');
  const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value];
  const common = (command: Command): Command =>
    command
      .option('--kafka <host:port>', 'use this Kafka instead of the embedded log')
      .option('--data-dir <dir>', 'keep the embedded log and state in this directory')
      .option('--set <name=value>', 'a session property; may be given several times', collect, [])
      .option('--functions <file>', 'a JavaScript module of functions to use in statements')
      .option('--service-id <id>', 'names this service’s topics and groups', 'default_')
      .addOption(
        new Option('--log-level <level>', 'how much is logged to standard error')
          .choices(['silent', 'error', 'warn', 'info', 'debug'])
          .default('error'),
      )
      .addOption(output);

  const program = common(new Command('millrace'))
    .description('Streaming SQL for Kafka: no JVM, and no broker needed to begin.')
    .version(packageJson.version)
    .option('-e, --execute <sql>', 'run these statements and exit')
    .option('--server <url>', 'talk to a running server')
    .option('--demo', 'with a demo stream to query')
    .argument('[command]', 'run, server, test or streams-reset; none opens the prompt')
    .exitOverride()
    .showHelpAfterError('(millrace --help shows the commands)')
    .action(
      async (
        unknown: string | undefined,
        options: CommonOptions & { execute?: string; server?: string; demo?: boolean },
      ) => {
        if (unknown !== undefined) throw new UsageError(`there is no command ${unknown}`);
        finish(
          options.execute === undefined
            ? await promptCommand(options)
            : await executeCommand(options.execute, options),
        );
      },
    );
  common(program.command('run'))
    .description('runs script files and prints the rows of their queries')
    .argument('<file...>')
    .option('--stay', 'keep the queries running until Ctrl-C')
    .exitOverride()
    .action(async (files: string[], _options: object, command: Command) =>
      finish(await runCommand(files, command.optsWithGlobals())),
    );
  common(program.command('server'))
    .description('serves statements and queries over HTTP and WebSocket')
    .option('--port <number>', 'where to listen; 0 takes a free one', '8088')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--queries-file <file>', 'run the statements of this file at start (headless)')
    .exitOverride()
    .action(async (_options: object, command: Command) =>
      finish(await serverCommand(command.optsWithGlobals())),
    );
  program
    .command('test')
    .description('runs test cases and says how many passed')
    .argument('<path...>', 'case files, or directories of them')
    .option('--report <file>', 'write the result of every case as JSON')
    .option('--functions <file>', 'a JavaScript module of functions that the cases call')
    .option('--only <text>', 'only the cases whose name has this in it')
    .addOption(
      new Option('--optimizer <state>', 'run plans optimized or as they are built')
        .choices(['on', 'off'])
        .default('on'),
    )
    .exitOverride()
    .action(async (paths: string[], _options: object, command: Command) =>
      finish(await testCommand(paths, command.optsWithGlobals())),
    );
  const list = (value: string): readonly string[] =>
    value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
  program
    .command('streams-reset')
    .description(
      'lets a stopped streams application begin again: its input offsets, internal topics and local state',
    )
    .requiredOption('--application-id <id>', 'whose')
    .option('--input-topics <topics>', 'topics to read again, separated by commas', list, [])
    .option('--to-earliest', 'read them from their beginning; the default')
    .option('--to-latest', 'read them from their end')
    .option('--to-offset <number>', 'read every partition from this offset, or the nearest that exists')
    .option('--by-duration <duration>', 'read what is at most that old, such as PT1H')
    .option('--to-datetime <time>', 'read what is not older, such as 2026-01-31T12:00:00Z')
    .option('--internal-topics <topics>', 'delete only these of its internal topics, instead of all', list)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--kafka <host:port>', 'the application runs on this Kafka')
    .option('--data-dir <dir>', 'where the embedded log and the application’s state are kept')
    .exitOverride()
    .action(async (_options: object, command: Command) =>
      finish(await resetCommand(command.optsWithGlobals())),
    );
  return program;
}

async function main(argv: readonly string[]): Promise<number> {
  let code = EXIT_DONE;
  const program = buildProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
    if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n(millrace --help shows the commands)\n`);
      return EXIT_USAGE;
    }
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT_FAILED;
  }
}

keepAlive();
process.exitCode = await main(process.argv);
// Nothing should be left to keep the process, and a foreign handle must not hang a script.
process.stdout.write('', () => process.exit());
