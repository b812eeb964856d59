import { must } from '../common/assert.ts';
import { SqlError } from '../common/error.ts';
import type { Engine, StatementCall } from './engine.ts';
import type { PersistentQuery } from './persistent-query.ts';
import { applicationIdOf, forgetState } from './query-application.ts';
import { queryIdOf } from './statements/names.ts';
import type { StoredQuery } from './stored-query.ts';

/** How queries are named, and kept where a script says at each start which of them run. */

/** The identity by which the next start knows a query; null where its command has it. `name`: the statement's. */
export function nextIdentity({ engine, replayed }: StatementCall, name: string): string | null {
  return replayed === null && engine.kept !== null ? engine.kept.next(name) : null;
}

/**
 * The id of a query, and the number that names made from it: `given`, or a new one, whose name nothing bears yet. Throws
 * `SqlError` when state lies under that name of which nobody knows what made it.
 */
export async function nameQuery(
  { engine, parsed: { statement }, replayed }: StatementCall,
  given: string | undefined,
  stored: StoredQuery,
): Promise<{ readonly sequence: number; readonly queryId: string }> {
  if (given !== undefined && engine.kept !== null) return { sequence: engine.sequence, queryId: given };
  const sequence = engine.takeSequence();
  const queryId = given ?? must(queryIdOf(statement, sequence));
  if (engine.kept === null || replayed !== null) return { sequence, queryId };
  if (engine.options.fresh === true) await forgetState(engine, queryId, stored);
  else if ((await engine.log.admin.committed(applicationIdOf(queryId, engine))).length > 0)
    throw new SqlError(
      'ML_NAME_TAKEN',
      `there is state of a query ${queryId}, and nothing says what it was: whether this one may go on with it cannot be known`,
      {
        span: statement.span,
        hint: 'it was left by an earlier release, or by a prompt or server without a script: start with --fresh to begin anew, or with another --service-id',
      },
    );
  return { sequence, queryId };
}

/** Makes durable what runs for a query of a script. */
export async function keepQuery(
  { engine: { kept }, parsed, properties, replayed }: StatementCall,
  identity: string | null,
  query: PersistentQuery,
): Promise<void> {
  if (kept === null || identity === null || replayed !== null) return;
  if (kept.get(identity)?.query !== query.stored)
    await kept.keep(identity, {
      version: 1,
      queryId: query.id,
      statement: parsed.resolvedText,
      properties: Object.fromEntries(properties),
      query: query.stored,
    });
  kept.take(identity);
}

/** Those that were kept, and their state. */
export async function forgetKept(engine: Engine): Promise<void> {
  for (const { queryId, query } of engine.kept?.all() ?? []) await forgetState(engine, queryId, query);
  await engine.kept?.clear();
}
