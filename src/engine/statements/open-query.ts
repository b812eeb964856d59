import type { StreamsOptions } from '../../streams/instance/streams-options.ts';
import type { StatementCall } from '../engine.ts';
import { PersistentQuery } from '../persistent-query.ts';
import type { PlannedQuery } from '../stored-query.ts';

/** The statement's query, which does not run yet. `sink`: what it writes; null for what only keeps rows. */
export function openQuery(
  { engine, properties, parsed }: StatementCall,
  queryId: string,
  { plan, lowered, stored }: PlannedQuery,
  sources: readonly string[],
  sink: { readonly name: string; readonly topic: string } | null,
  options: Partial<StreamsOptions> = {},
): PersistentQuery {
  return new PersistentQuery(
    {
      id: queryId,
      statementText: parsed.resolvedText,
      sources,
      sink: sink?.name ?? null,
      sinkTopic: sink?.topic ?? null,
      plan,
      lowered,
      stored,
      properties,
    },
    { ...engine.streamsOptions(queryId, properties), ...options },
  );
}
