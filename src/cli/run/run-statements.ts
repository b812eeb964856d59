import { onAbort, untilAborted } from '../../common/abort.ts';
import { renderSqlError, SqlError } from '../../common/error.ts';
import type { Session } from '../../engine/session.ts';
import { rowsOf } from '../../engine/statements/statements.ts';
import type { ParsedStatement } from '../../sql/parser/parse.ts';
import { type Backend, type Outcome, ServerError, type TextRows } from '../backend/backend.ts';
import type { Output } from '../render/output.ts';
import type { Renderer } from '../render/renderer.ts';
import { inSource, ScriptError, type ScriptStatement } from '../../engine/statements/script-statements.ts';

export interface RunOptions {
  readonly backend: Backend;
  readonly session: Session;
  readonly renderer: Renderer;
  readonly output: Output;
  readonly errors: Output;
  /** Whether statements that only acknowledge are shown. */
  readonly acknowledge: boolean;
  /**
   * What a pull query waits for. `all`: queries have processed everything in their sources, so that a script prints the
   * same at each run. `own`: they have processed what this session inserted, and what was there when it made or resumed
   * them; a prompt must not wait for what others write.
   */
  readonly settle: 'all' | 'own';
  /** Aborted by Ctrl-C: ends the query that is printing. */
  readonly signal: AbortSignal;
}

/** Runs one statement and prints what it gives. Returns false, with the error printed, when it failed. */
export async function runStatement(
  statement: ScriptStatement,
  options: RunOptions,
  execute: (statement: ParsedStatement) => Promise<Outcome> = (each) =>
    options.backend.execute(each, options.session),
): Promise<boolean> {
  const { renderer, output } = options;
  try {
    if (rowsOf(statement.statement)?.kind === 'pull') await settle(options);
    const outcome = await untilInterrupted(execute(statement), options.signal);
    if (outcome === null) {
      if (rowsOf(statement.statement) === null) await options.errors.write(INTERRUPTED);
      return false;
    }
    if (outcome.kind === 'rows') return await printRows(outcome.rows, statement, options);
    const type = outcome.entity['@type'];
    const quiet = type === 'currentStatus' || type === 'message' || type === 'terminate_query';
    if (options.acknowledge || !quiet) await output.write(renderer.entity(outcome.entity));
    return true;
  } catch (error) {
    await options.errors.write(`${describeFailure(error, statement)}\n`);
    return false;
  }
}

const INTERRUPTED = 'note: interrupted before there was an answer: the statement may still take effect\n';

/** Null when Ctrl-C came first: what a broker does not answer must not keep the prompt. */
async function untilInterrupted(running: Promise<Outcome>, signal: AbortSignal): Promise<Outcome | null> {
  let outcome: Outcome | null = null;
  const done = running.then((result) => {
    outcome = result;
  });
  await untilAborted(signal, done);
  if (outcome !== null) return outcome;
  running.then(
    (late) => (late.kind === 'rows' ? late.rows.close() : undefined),
    () => undefined,
  );
  return null;
}

async function settle({ settle: what, signal, backend, errors }: RunOptions): Promise<void> {
  if (what === 'all') return untilAborted(signal, backend.drain());
  const settled = backend.settle();
  await untilAborted(signal, settled);
  if (!signal.aborted && !(await settled))
    await errors.write('note: the queries have not caught up yet: these rows may be from before\n');
  return undefined;
}

/** The error as printed: with its place in the text for the user's own mistakes. */
export function describeError(error: unknown, text: string): string {
  if (error instanceof SqlError) return renderSqlError(error, text);
  if (error instanceof ServerError || error instanceof ScriptError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The error of a statement, with its place in the whole text, and the file where there is one. */
function describeFailure(error: unknown, { file, source, start, text }: ScriptStatement): string {
  if (error instanceof SqlError) return renderSqlError(inSource(error, start), source, file ?? undefined);
  return `${file === null ? '' : `${file}: `}${describeError(error, text)}`;
}

async function printRows(rows: TextRows, statement: ScriptStatement, options: RunOptions): Promise<boolean> {
  const { renderer, output, signal } = options;
  const unsubscribe = onAbort(signal, () => void rows.close().catch(() => undefined));
  let first = true;
  try {
    if (rows.kind === 'print') {
      for (let batch = await rows.next(); batch !== null; batch = await rows.next())
        await output.write(batch.map((row) => `${JSON.parse(row.cells[0]!) as string}\n`).join(''));
      return true;
    }
    await output.write(renderer.header(rows));
    for (;;) {
      const batch = await rows.next();
      if (batch === null) break;
      await output.write(renderer.rows(rows, batch, first));
      first = false;
      if (output.closed) break;
    }
    // A table without rows still has columns: it was asked, and nothing was found.
    if (first && rows.kind === 'pull') await output.write(renderer.rows(rows, [], true));
    return true;
  } catch (error) {
    await options.errors.write(`${describeFailure(error, statement)}\n`);
    return false;
  } finally {
    unsubscribe();
    await rows.close();
  }
}
