import type { Backend } from '../backend/backend.ts';
import type { RunOptions } from '../run/run-statements.ts';
import type { Session } from '../../engine/session.ts';
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
    import('../render/output.ts'),
    import('../render/output-format.ts'),
    import('../render/text-columns.ts'),
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
