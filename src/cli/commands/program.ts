import { Command, CommanderError } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import type { CliCommand } from './command.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from './exit-codes.ts';
import { promptCommand } from './prompt-command.ts';
import { repairCommand } from './repair-command.ts';
import { resetCommand } from './reset-command.ts';
import { runCommand } from './run-command.ts';
import { serverCommand } from './server-command.ts';
import { testCommand } from './test-command.ts';
import { UsageError } from './usage-error.ts';

/**
 * In the order in which help and README list them; the prompt is what runs when none is named. They load other rooms only
 * when they run, so that the command line starts at once.
 */
export const COMMANDS: readonly CliCommand[] = [
  runCommand,
  serverCommand,
  testCommand,
  repairCommand,
  resetCommand,
];

/** Commander takes the program's options behind every command: one that the command does not have would mean nothing. */
function refuseForeignOptions(program: Command, command: Command): void {
  if (command === program) return;
  const own = new Set(command.options.map(({ long }) => long));
  const foreign = program.options.find(
    (option) => !own.has(option.long) && program.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (foreign !== undefined) throw new UsageError(`${command.name()} does not take ${foreign.long}`);
}

/** `finish` is told the exit code of what ran. */
function buildProgram(finish: (code: number) => void): Command {
  const program = new Command('millrace')
    .description('Streaming SQL for Kafka: no JVM, and no broker needed to begin.')
    .version(packageJson.version)
    .usage('[options] [command]')
    .argument('[command]')
    .exitOverride()
    .hook('preAction', refuseForeignOptions)
    .showHelpAfterError('(millrace --help shows the commands)')
    .action(async (unknown: string | undefined, options: object) => {
      if (unknown !== undefined) throw new UsageError(`there is no command ${unknown}`);
      finish(await promptCommand.run([], options));
    });
  for (const option of promptCommand.options) program.addOption(option);
  for (const each of COMMANDS) {
    const command = program
      .command(each.usage)
      .summary(each.description)
      .description(each.page === undefined ? each.description : `${each.description} (docs/${each.page})`)
      .exitOverride()
      .action(async () => finish(await each.run(command.args, command.optsWithGlobals())));
    for (const option of each.options) command.addOption(option);
  }
  return program;
}

/** Runs what the command line says and returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
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
