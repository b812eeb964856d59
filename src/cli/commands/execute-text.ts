import type { InteractiveOptions } from './common-options.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { openBackend } from './open-backend.ts';
import { openSession } from './open-session.ts';
import { runOptions } from './run-options.ts';
import { withSettings } from './start-settings.ts';

/** Runs the statements of a text: `millrace -e`. */
export async function executeText(text: string, given: InteractiveOptions): Promise<number> {
  const options = await withSettings(given);
  const session = await openSession(options.set);
  const { backend, engine } = await openBackend(options, session);
  const stopDemo = options.demo === true && engine !== null ? await engine.startDemo() : null;
  const signal = interruption();
  try {
    const run = await runOptions(options, backend, session, signal, true);
    const [{ scriptStatements }, { describeError, runStatement }, { unfinished }] = await Promise.all([
      import('../../engine/statements/script-statements.ts'),
      import('../run/run-statements.ts'),
      import('../../sql/parser/split-statements.ts'),
    ]);
    const complete = unfinished(text) === '' ? text : `${text};`;
    let statements;
    try {
      statements = scriptStatements(complete, null, new Map(session.variables));
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
