import { type Clock } from '../common/clock.ts';
import { type Log, LogError } from '../log/log.ts';
import type { PersistentQuery } from './persistent-query.ts';

/** How long queries that feed each other are followed before they are left to themselves. */
const CYCLE_MS_MAX = 10_000;

/** Queries that feed each other, and had not come to rest when they were left. */
export interface RestlessCycle {
  readonly queryIds: readonly string[];
}

/**
 * Resolves when the queries have processed and committed what their sources hold now, and all that follows from it: who
 * writes what another one reads goes first. Queries that feed each other go round until nothing moves any more, or until
 * they were given time enough; those that had not come to rest are returned. Queries that do not run are not waited for.
 */
export async function drainQueries(
  queries: readonly PersistentQuery[],
  log: Log,
  clock: Clock,
): Promise<RestlessCycle | null> {
  const { levels, cyclic } = drainOrder(queries);
  for (const level of levels) await catchUp(level);
  if (cyclic.length === 0) return null;
  const deadline = clock.monotonic() + CYCLE_MS_MAX;
  for (let before = await written(cyclic, log); ;) {
    await catchUp(cyclic);
    const after = await written(cyclic, log);
    if (after === before) return null;
    if (clock.monotonic() >= deadline) return { queryIds: cyclic.map(({ id }) => id) };
    before = after;
  }
}

/**
 * Queries by when they have all their input: those of a level only read what earlier levels write, or nobody. What is
 * left are queries that feed each other, and those behind them.
 */
export function drainOrder<Query extends Pick<PersistentQuery, 'sinkTopic' | 'lowered'>>(
  queries: readonly Query[],
): { readonly levels: readonly (readonly Query[])[]; readonly cyclic: readonly Query[] } {
  const levels: Query[][] = [];
  let left = queries.map((query) => ({ query, reads: topicsRead(query) }));
  for (;;) {
    const open = new Set(left.map(({ query }) => query.sinkTopic));
    const ready = left.filter(({ reads }) => reads.every((topic) => !open.has(topic)));
    if (ready.length === 0) return { levels, cyclic: left.map(({ query }) => query) };
    levels.push(ready.map(({ query }) => query));
    left = left.filter((each) => !ready.includes(each));
  }
}

function topicsRead({ lowered }: Pick<PersistentQuery, 'lowered'>): string[] {
  return lowered.topology.nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []));
}

/** A query that fails meanwhile says so itself, and is not waited for any more. */
async function catchUp(queries: readonly PersistentQuery[]): Promise<void> {
  const running = queries.filter(({ state }) => state === 'RUNNING');
  for (const result of await Promise.allSettled(
    running.map((query) => query.streams.catchUp(() => query.failure !== null)),
  ))
    if (result.status === 'rejected' && isOfLog(result.reason)) throw result.reason;
}

/** Nobody can say how far the queries are while the log is away. */
function isOfLog(error: unknown): boolean {
  return error instanceof LogError && (error.kind === 'unavailable' || error.kind === 'closed');
}

/** How much there is in the topics that queries write. */
async function written(queries: readonly PersistentQuery[], log: Log): Promise<number> {
  let records = 0;
  for (const topic of new Set(queries.map(({ sinkTopic }) => sinkTopic)))
    if (topic !== null) for (const { end } of await log.admin.offsets(topic)) records += end;
  return records;
}
