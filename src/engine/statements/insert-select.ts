import { SqlError } from '../../common/error.ts';
import type { StatementCall } from '../engine.ts';
import type { PersistentQuery } from '../persistent-query.ts';
import { nextIdentity } from '../script-queries.ts';
import { lookAtPartitions } from '../topics.ts';
import { changed } from './answer.ts';
import { beginQuery } from './begin-query.ts';
import type { EntityStatement } from './definition.ts';
import { checkSame, earlierQuery, goesOn, isRerun, storedStatementOf } from './earlier-query.ts';
import { insertPlace } from './later-statements.ts';
import { planInsert } from './plan-query.ts';

/** INSERT INTO … SELECT: one more query that writes a stream. */
export const insertSelect: EntityStatement<'insertSelect'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine, script } = call;
    const { target, targetSpan } = statement;
    const commandId = `stream/\`${target}\`/create`;
    await lookAtPartitions(call);
    const planned = planInsert(statement, call);
    const { analyzed } = planned;
    const there = insertThere(call, target, analyzed.queryId);
    if (there !== null && !isRerun(call, `query:${there.id}`))
      throw new SqlError('ML_NAME_TAKEN', `a query ${there.id} runs already`, { span: statement.span });
    if (there !== null) {
      checkSame(call, `query ${there.id}`, storedStatementOf(there), planned, null, targetSpan);
      script?.made.add(`query:${there.id}`);
      return goesOn(engine, commandId, there.id, target);
    }
    const identity = nextIdentity(
      call,
      analyzed.queryId === null ? `insert ${target}` : `query ${analyzed.queryId}`,
    );
    const earlier = earlierQuery(call, identity, targetSpan);
    if (earlier !== null) {
      const old = { ...earlier.kept, ...earlier.planned };
      checkSame(call, `query ${earlier.kept.queryId}`, old, planned, null, targetSpan);
    }
    const { sequence, queryId } = await beginQuery(call, {
      run: earlier?.planned ?? planned,
      identity,
      given: earlier?.kept.queryId,
      reads: analyzed.reads,
      sink: analyzed.sink,
      define(id) {
        script?.made.add(`query:${id}`);
        return earlier === null ? () => undefined : null;
      },
    });
    return changed(commandId, `Created query with ID ${queryId}`, sequence, queryId);
  },
};

/** The query of that id, or the one that an earlier run of the script has made for the statement in its place. */
function insertThere(
  { engine, script, replayed }: StatementCall,
  target: string,
  queryId: string | null,
): PersistentQuery | null {
  if (queryId !== null) return engine.queries.get(queryId) ?? null;
  if (script === undefined || script.progress === null || replayed !== null) return null;
  const inserts = engine.catalog
    .writersOf(target)
    .filter((id) => id.startsWith('INSERTQUERY_') && id !== engine.catalog.get(target)?.createdBy);
  const id = inserts[insertPlace(script, target)];
  return id === undefined ? null : (engine.queries.get(id) ?? null);
}
