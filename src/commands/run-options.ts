import type { Backend } from '../cli/backend.ts';
import type { RunOptions } from '../cli/run-statements.ts';
import type { Session } from '../engine/session.ts';
import type { CommonOptions } from './common-options.ts';

/** Results go to standard output, errors to standard error. */
export async function runOptions(
  options: CommonOptions,
  backend: Backend,
  session: Session,
  signal: AbortSignal,
  acknowledge: boolean,
): Promise<RunOptions> {
  const [{ Output }, { rendererOf }, { terminalWidthOf }] = await Promise.all([
    import('../cli/output.ts'),
    import('../cli/output-format.ts'),
    import('../cli/text-columns.ts'),
  ]);
  return {
    backend,
    session,
    renderer: rendererOf(options.output, terminalWidthOf(process.stdout)),
    output: new Output(process.stdout),
    errors: new Output(process.stderr),
    acknowledge,
    settle: 'all',
    signal,
  };
}
