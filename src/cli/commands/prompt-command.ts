import { Option } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import type { CliCommand } from './command.ts';
import { commonOptions, demoOption, type InteractiveOptions } from './common-options.ts';
import { executeText } from './execute-text.ts';
import { interruption } from './interruption.ts';
import { openBackend } from './open-backend.ts';
import { openSession } from './open-session.ts';
import { withSettings } from './start-settings.ts';

export const promptCommand: CliCommand = {
  usage: '',
  description: 'the prompt, on an embedded log in memory; --data-dir keeps everything, --kafka uses Kafka',
  options: [
    ...commonOptions(),
    new Option('-e, --execute <sql>', 'run these statements and exit'),
    new Option('--server <url>', 'talk to a running server'),
    demoOption(),
  ],
  run: (_given, options: InteractiveOptions & { readonly execute?: string }) =>
    options.execute === undefined ? prompt(options) : executeText(options.execute, options),
};

async function prompt(given: InteractiveOptions): Promise<number> {
  const options = await withSettings(given);
  const session = await openSession(options.set);
  const { backend, engine } = await openBackend(options, session);
  const { repl } = await import('../run/repl.ts');
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
