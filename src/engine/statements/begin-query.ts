import type { StreamsOptions } from '../../streams/instance/streams-options.ts';
import type { StatementCall } from '../engine.ts';
import { PersistentQuery } from '../persistent-query.ts';
import { streamsOptions } from '../query-application.ts';
import { keepQuery, nameQuery } from '../script-queries.ts';
import type { PlannedQuery } from '../stored-query.ts';

/** A query that a statement is about to begin. */
interface QueryToBe {
  readonly run: PlannedQuery;
  /** The identity by which the next start knows it; null where nothing is kept of it, or it has that of what it replaces. */
  readonly identity: string | null;
  /** The id of what it goes on from; undefined where it is new. */
  readonly given: string | undefined;
  /** The query in whose place it comes: with its id, so that it goes on with the same offsets and state. */
  readonly replaced?: PersistentQuery | null;
  readonly reads: readonly string[];
  /** The source that it writes; null for a query that only keeps rows. */
  readonly sink: { readonly name: string; readonly topic: string } | null;
  readonly options?: Partial<StreamsOptions>;
  /** Changes the catalog. Returns what takes that back; null where there is no way back. */
  readonly define: (queryId: string) => (() => void) | null;
}

/** Names the query, makes it durable with its statement, and only then changes the catalog and lets it run. */
export async function beginQuery(
  call: StatementCall,
  { run, identity, given, replaced = null, reads, sink, options, define }: QueryToBe,
): Promise<{ readonly sequence: number; readonly queryId: string }> {
  const { engine, properties, parsed } = call;
  const { sequence, queryId } = await nameQuery(call, given, run.stored);
  const query = new PersistentQuery(
    {
      id: queryId,
      statementText: parsed.resolvedText,
      sources: reads,
      sink: sink?.name ?? null,
      sinkTopic: sink?.topic ?? null,
      plan: run.plan,
      lowered: run.lowered,
      stored: run.stored,
      properties,
    },
    {
      ...streamsOptions(engine, queryId, properties, {
        keepSkipped: (skipped, writer) => engine.processingLog.write(queryId, skipped, writer),
      }),
      onError: (error) => engine.processingLog.mend(error),
      onFenced: () => engine.ownership?.fenced(),
      ...options,
    },
    engine.ownership,
  );
  const recorded = await engine.record(call, sequence, { queryId: replaced?.id, query: run.stored });
  await keepQuery(call, identity ?? engine.kept?.identityOf(queryId) ?? null, query);
  const undo = define(queryId);
  await replaced?.close();
  await engine.addQuery(query, call, recorded, undo);
  return { sequence, queryId };
}
