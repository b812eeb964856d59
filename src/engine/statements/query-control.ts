import { SqlError, type Span } from '../../common/error.ts';
import type { Engine } from '../engine.ts';
import type { PersistentQuery } from '../persistent-query.ts';
import type { Entity } from '../result.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';

/** TERMINATE, PAUSE and RESUME. */

export const terminate: EntityStatement<'terminate'> = {
  effect: 'catalog',
  endsQueries: () => true,
  async run(statement, call) {
    const { engine } = call;
    const { queryId, span } = statement;
    const push = queryId === null ? undefined : pushQueryOf(engine, queryId);
    if (push !== undefined) {
      await push.terminate();
      return { '@type': 'terminate_query', queryId: push.queryId, wasTerminated: true };
    }
    const failed = queryId === null ? undefined : engine.failedStatement(queryId);
    if (failed !== undefined && !engine.queries.has(failed.id)) {
      await engine.giveUp([failed], call);
      return { '@type': 'terminate_query', queryId: failed.id, wasTerminated: true };
    }
    const selected = select(engine, queryId, span);
    const [kept] = selected.filter(isOfSourceTable);
    if (queryId !== null && kept !== undefined)
      throw new SqlError('ML_IN_USE', `query ${kept.id} keeps the rows of ${kept.sources[0]!}`, {
        span,
        hint: `DROP TABLE ${kept.sources[0]!} ends it`,
      });
    const queries = selected.filter((query) => !isOfSourceTable(query));
    await engine.record(call, engine.sequence, { gaveUp: failed === undefined ? [] : [failed] });
    for (const query of queries) await engine.removeQuery(query, call);
    const names = queries.map((query) => query.id).join(', ');
    return { '@type': 'terminate_query', queryId: names, wasTerminated: queries.length > 0 };
  },
};

export const pause: EntityStatement<'pause'> = {
  effect: 'catalog',
  async run(statement, call) {
    const queries = select(call.engine, statement.queryId, statement.span);
    await call.engine.record(call, call.engine.sequence);
    for (const query of queries) query.pause();
    return controlled('pause', 'paused', queries, call.engine);
  },
};

export const resume: EntityStatement<'resume'> = {
  effect: 'catalog',
  async run(statement, call) {
    const queries = select(call.engine, statement.queryId, statement.span);
    await call.engine.record(call, call.engine.sequence);
    for (const query of queries) call.engine.resumeQuery(query);
    return controlled('resume', 'resumed', queries, call.engine);
  },
};

function controlled(verb: string, done: string, queries: readonly PersistentQuery[], engine: Engine): Entity {
  const ids = queries.map((query) => query.id).join(', ');
  const text = queries.length === 0 ? `there is no query to ${verb}` : `${done} ${ids}`;
  return changed(`query/${ids}/${verb}`, text, engine.sequence, queries.length === 1 ? ids : null);
}

/** It lives and ends with its table. */
function isOfSourceTable(query: PersistentQuery): boolean {
  return query.sink === null;
}

function select(engine: Engine, queryId: string | null, span: Span): readonly PersistentQuery[] {
  if (queryId === null) return [...engine.queries.values()];
  const query = engine.query(queryId);
  if (query === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `there is no query ${queryId}`, {
      span,
      hint: 'SHOW QUERIES lists the queries that run',
    });
  return [query];
}

/** Their names are given in lower case, and unquoted names arrive in upper case. */
function pushQueryOf(engine: Engine, queryId: string) {
  return [...engine.pushQueries.values()].find(
    (query) => query.queryId.toUpperCase() === queryId.toUpperCase(),
  );
}
