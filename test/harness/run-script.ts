import type { Engine } from '../../src/engine/engine.ts';
import { newSession } from '../../src/engine/session.ts';
import { parseStatements } from '../../src/sql/parser/parse.ts';

/**
 * Runs a script as `millrace run` does, until everything is processed. `stopAfter`: as if it was killed behind so many
 * statements. Rejects with the first statement's error.
 */
export async function runScript(
  engine: Engine,
  sql: string,
  { fresh = false, stopAfter = Infinity }: { readonly fresh?: boolean; readonly stopAfter?: number } = {},
): Promise<void> {
  const session = newSession();
  const statements = parseStatements(sql);
  const script = await engine.openScript(['script.sql'], statements, fresh);
  for (const [index, statement] of statements.slice(0, stopAfter).entries()) {
    script.index = index;
    if (!script.isDone()) await engine.execute(statement, session, script);
  }
  engine.kept?.tellLeft();
  await engine.drain();
  if (stopAfter < statements.length) await script.close();
  else await script.finish();
}
