import { Option } from 'commander';
import { aborted, untilAborted } from '../../common/abort.ts';
import type { CliCommand } from './command.ts';
import { commonOptions, type GivenOptions } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { openLocalEngine } from './open-local-engine.ts';
import { ofStart, openSession } from './open-session.ts';
import { runOptions } from './run-options.ts';
import { withSettings } from './start-settings.ts';
import { noteWaiting } from './waiting-note.ts';

export const runCommand: CliCommand = {
  usage: 'run <file...>',
  description: 'runs script files and prints the rows of their queries',
  page: 'scripts.md',
  options: [
    ...commonOptions(),
    new Option('--stay', 'keep the queries running until Ctrl-C'),
    new Option('--fresh', 'begin anew: forget offsets and state of the script’s queries'),
  ],
  run: runScripts,
};

/** Runs script files to the end of what their sources held. */
async function runScripts(
  files: readonly string[],
  given: GivenOptions & { readonly stay?: boolean; readonly fresh?: boolean },
): Promise<number> {
  const options = await withSettings(given);
  const session = await openSession(options.set);
  // A script on Kafka is the source of truth itself: its statements run anew, its queries go on where they were.
  const keepQueries = options.kafka !== null;
  const fresh = options.fresh === true;
  const engine = await openLocalEngine(
    options,
    options.dataDir !== undefined && !keepQueries,
    await ofStart(session),
    { keepQueries, fresh, onWaiting: noteWaiting },
  );
  const signal = interruption();
  const [{ LocalBackend }, { runFiles }] = await Promise.all([
    import('../backend/local-backend.ts'),
    import('../run/run-files.ts'),
  ]);
  const backend = new LocalBackend(engine, '');
  try {
    const run = await runOptions(options, backend, session, signal, false);
    const { ok, script } = await runFiles(files, run, {
      openScript: (paths, statements) => engine.openScript(paths, statements, fresh),
      execute: (statement, each) => backend.execute(statement, session, each),
    });
    if (ok && !signal.aborted) engine.kept?.tellLeft();
    if (ok && options.stay === true) await aborted(signal);
    if (ok && !signal.aborted) await untilAborted(signal, engine.drain());
    if (ok && !signal.aborted && options.stay !== true) await script?.finish();
    else await script?.close();
    return ok && !engine.hasFailedQuery ? EXIT_DONE : EXIT_FAILED;
  } finally {
    await backend.close();
  }
}
