import { assert } from '../../common/assert.ts';
import { DataError, SqlError, type Span } from '../../common/error.ts';
import type { Engine, StatementCall } from '../engine.ts';
import type { KeptQuery } from '../kept-queries.ts';
import type { PersistentQuery } from '../persistent-query.ts';
import { differenceOf } from '../replacement.ts';
import type { Entity } from '../result.ts';
import { loadQuery, meanTheSame, type PlannedQuery, type StoredStatement } from '../stored-query.ts';
import { changeOfState } from '../../sql/plan/kept-state.ts';
import { changeOfSource, type ReplaceableSource } from '../../sql/analyzer/analyze-source.ts';
import { changed } from './answer.ts';

/** Queries of a script's earlier runs, which its statements go on with or refuse. */

/** The query that a statement's identity had at an earlier start, and how it ran. */
export interface EarlierQuery {
  readonly kept: KeptQuery;
  readonly planned: PlannedQuery;
}

/** Throws `SqlError` when it was kept, and this release cannot run it. */
export function earlierQuery(
  { engine, properties }: StatementCall,
  identity: string | null,
  span: Span,
  push?: () => void,
): EarlierQuery | null {
  const kept = identity === null ? undefined : engine.kept?.get(identity);
  if (kept === undefined) return null;
  try {
    return { kept, planned: loadQuery(engine, kept.query, properties, push) };
  } catch (error) {
    if (!(error instanceof SqlError) && !(error instanceof DataError)) throw error;
    throw new SqlError('ML_UNSUPPORTED', `query ${kept.queryId} cannot go on: ${error.message}`, {
      span,
      hint: 'run it with the release that it was made with, or start with --fresh to begin anew',
    });
  }
}

/**
 * Throws `SqlError` when a statement that is to go on with what an earlier one has made does not mean the same. `what`: a
 * name for it; `replace`: how to say that another query shall take its place, null where none can.
 */
export function checkSame(
  { engine, parsed }: StatementCall,
  what: string,
  old: StoredStatement & Pick<PlannedQuery, 'plan'>,
  now: PlannedQuery,
  replace: string | null,
  span: Span,
): void {
  if (meanTheSame(engine, old, { statement: parsed.resolvedText, query: now.stored })) return;
  const [was, is] = [old.plan.before, now.plan.before];
  const fresh = 'start with --fresh to begin anew with all queries of the script';
  throw new SqlError(
    'ML_NAME_TAKEN',
    `${what} has been made by another query, whose state this one must not take over by mistake; ${differenceOf(was, is)}`,
    {
      span,
      hint:
        replace === null
          ? `give this one a QUERY_ID of its own, or ${fresh}`
          : hintOf(old, now, replace, fresh),
    },
  );
}

/** The hint for a CREATE … AS that is refused: OR REPLACE only where that would be taken. */
function hintOf(
  old: Pick<PlannedQuery, 'plan'>,
  now: Pick<PlannedQuery, 'plan'>,
  replace: string,
  fresh: string,
): string {
  const state = changeOfState(old.plan.before, now.plan.before);
  if (state !== null)
    return `the state that is there would be another (${state}): ${fresh}, or give it another name`;
  const source = changeOfSource(sinkOf(old), sinkOf(now));
  if (source !== null) return `its ${source} would change: ${fresh}, or give it another name`;
  return `write ${replace} to go on with the state that is there, or ${fresh}`;
}

/** A query that runs, as one that was stored. */
export function storedStatementOf({
  statementText: statement,
  stored: query,
  plan,
}: PersistentQuery): StoredStatement & Pick<PlannedQuery, 'plan'> {
  return { statement, query, plan };
}

/** The source that a query writes, as far as its plan says. */
export function sinkOf({ plan: { before } }: Pick<PlannedQuery, 'plan'>): ReplaceableSource {
  assert(before.kind === 'sink', 'what CREATE … AS makes writes');
  const { columns, keyPositions, valuePositions, topic, keyFormat, valueFormat, timestamp } = before;
  const pick = (positions: readonly number[]) => positions.map((position) => columns[position]!);
  return {
    topic,
    keyFormat,
    valueFormat,
    timestamp:
      timestamp === null ? null : { column: columns[timestamp.column]!.name, format: timestamp.format },
    schema: { key: pick(keyPositions), value: pick(valuePositions), headers: [] },
  };
}

/** The running statement of a script meets what an earlier run of it has made, and not this one. */
export function isRerun({ script, replayed }: StatementCall, key: string): boolean {
  return replayed === null && script !== undefined && script.progress !== null && !script.made.has(key);
}

/** Nothing was to do. */
export function goesOn(engine: Engine, commandId: string, queryId: string | null, name: string): Entity {
  return changed(
    commandId,
    queryId === null ? `${name} is as it was` : `Query with ID ${queryId} goes on`,
    engine.sequence,
    queryId,
  );
}
