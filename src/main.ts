#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import type { InteractiveOptions } from './cli/commands/common-options.ts';
import { executeCommand } from './cli/commands/execute-command.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from './cli/commands/exit-codes.ts';
import { promptCommand } from './cli/commands/prompt-command.ts';
import { repairCommand } from './cli/commands/repair-command.ts';
import { resetCommand } from './cli/commands/reset-command.ts';
import { runCommand } from './cli/commands/run-command.ts';
import { serverCommand } from './cli/commands/server-command.ts';
import { testCommand } from './cli/commands/test-command.ts';
import { UsageError } from './cli/commands/usage-error.ts';
import { keepAlive, nextTurn } from './common/clock.ts';
import { readWholeNumber } from './common/whole-number.ts';

/** The command line. Rooms are loaded when a command needs them, so that it starts at once. */

/** It stands in the names of topics, with what they are for behind it. */
function serviceId(value: string): string {
  if (/^[a-zA-Z0-9._-]{1,100}$/.test(value)) return value;
  throw new UsageError(
    `--service-id takes up to 100 letters, digits, dots, underscores and dashes, not ${value}`,
  );
}

const PORTS = { min: 1, max: 65_535 };

/** Host and port, or several with commas between them. */
function brokers(value: string): string {
  const isBroker = (broker: string): boolean => {
    const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):([0-9]+)$/.exec(broker)?.[1];
    return port !== undefined && readWholeNumber(port, PORTS) !== null;
  };
  if (value.split(',').every(isBroker)) return value;
  throw new UsageError(`--kafka takes host:port, or several with commas between them, not '${value}'`);
}

function dataDir(value: string): string {
  if (value.trim() !== '' && !value.includes('\0')) return value;
  throw new UsageError('--data-dir takes the path of a directory; leave it out to keep everything in memory');
}

/** Commander takes the program's options behind every command: one that the command does not have would mean nothing. */
function refuseForeignOptions(program: Command, command: Command): void {
  if (command === program) return;
  const own = new Set(command.options.map(({ long }) => long));
  const foreign = program.options.find(
    (option) => !own.has(option.long) && program.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (foreign !== undefined) throw new UsageError(`${command.name()} does not take ${foreign.long}`);
}

function buildProgram(finish: (code: number) => void): Command {
  const output = new Option('--output <format>', 'how results are shown')
    .choices(['table', 'json', 'csv'])
    .default('table');
  const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value];
  const common = (command: Command): Command =>
    command
      .option('--kafka <host:port>', 'use this Kafka instead of the embedded log', brokers)
      .option('--data-dir <dir>', 'keep the embedded log and state in this directory', dataDir)
      .option('--set <name=value>', 'a session property; may be given several times', collect, [])
      .option('--functions <file>', 'a JavaScript or TypeScript module of functions to use in statements')
      .option('--service-id <id>', 'names this service’s topics and groups', serviceId, 'default_')
      .addOption(
        new Option('--log-level <level>', 'how much is logged to standard error')
          .choices(['silent', 'error', 'warn', 'info', 'debug'])
          .default('warn'),
      )
      .addOption(output);

  const program = common(new Command('millrace'))
    .description('Streaming SQL for Kafka: no JVM, and no broker needed to begin.')
    .version(packageJson.version)
    .option('-e, --execute <sql>', 'run these statements and exit')
    .option('--server <url>', 'talk to a running server')
    .option('--demo', 'with a demo stream to query')
    .argument('[command]', 'run, server, test, repair or streams-reset; none opens the prompt')
    .exitOverride()
    .hook('preAction', refuseForeignOptions)
    .showHelpAfterError('(millrace --help shows the commands)')
    .action(
      async (unknown: string | undefined, options: InteractiveOptions & { readonly execute?: string }) => {
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
    .option('--fresh', 'begin anew: forget offsets and state of the script’s queries')
    .exitOverride()
    .action(async (files: string[], _options: object, command: Command) =>
      finish(await runCommand(files, command.optsWithGlobals())),
    );
  common(program.command('server'))
    .description('serves statements and queries over HTTP and WebSocket')
    .option('--port <number>', 'where to listen; 0 takes a free one', '8088')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--demo', 'with a demo stream to query')
    .option('--queries-file <file>', 'run the statements of this file at start (headless)')
    .option('--fresh', 'begin anew: forget offsets and state of the file’s queries')
    .option(
      '--limit <name=number>',
      'how much clients may take (docs/server.md); may be given several times',
      collect,
      [],
    )
    .option(
      '--allow-origin <origin>',
      'let web pages of this origin use the server, such as https://example.com; may be given several times',
      collect,
      [],
    )
    .option(
      '--allow-host <name>',
      'let clients reach a server on a loopback address by this name; may be given several times',
      collect,
      [],
    )
    .exitOverride()
    .action(async (_options: object, command: Command) =>
      finish(await serverCommand(command.optsWithGlobals())),
    );
  program
    .command('test')
    .description('runs test cases and says how many passed')
    .argument('<path...>', 'case files, or directories of them')
    .option('--report <file>', 'write the result of every case as JSON')
    .option('--functions <file>', 'a JavaScript or TypeScript module of functions that the cases call')
    .option('--only <text>', 'only the cases whose name has this in it')
    .addOption(
      new Option(
        '--optimizer <state>',
        'run plans optimized or as they are built; tests in SQL run both ways when it is on',
      )
        .choices(['on', 'off'])
        .default('on'),
    )
    .exitOverride()
    .action(async (paths: string[], _options: object, command: Command) =>
      finish(await testCommand(paths, command.optsWithGlobals())),
    );
  program
    .command('repair')
    .description(
      'keeps what can be kept of an embedded log whose files are damaged or missing, and says what is lost',
    )
    .argument('<dir>', 'the data directory, or the log directory in it')
    .option('--dry-run', 'say what would be kept and lost, and change nothing')
    .exitOverride()
    .action(async (directory: string, _options: object, command: Command) =>
      finish(await repairCommand(directory, command.optsWithGlobals())),
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
    .option('--kafka <host:port>', 'the application runs on this Kafka', brokers)
    .option('--data-dir <dir>', 'where the embedded log and the application’s state are kept', dataDir)
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
let lost: Error | null = null;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away has what it wanted.
  if (error.code !== 'EPIPE') lost = error;
});
process.exitCode = await main(process.argv);
// A write that failed is told in a later turn.
await nextTurn();
// Nothing should be left to keep the process, and a foreign handle must not hang a script.
process.stdout.write('', () => {
  if (lost !== null) {
    process.stderr.write(`error: the output could not be written: ${lost.message}\n`);
    process.exitCode = EXIT_FAILED;
  }
  process.exit();
});
