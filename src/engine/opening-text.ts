import { progressText } from '../streams/instance/restoration.ts';
import type { PersistentQuery } from './persistent-query.ts';

/** What queries that do not run yet are at, for who waits for them; the largest are told of first. */
export function openingText(queries: Iterable<PersistentQuery>): string {
  const opening = [...queries].filter(({ state }) => state === 'REBALANCING');
  const [first, ...others] = opening
    .map(({ id, restoration }) => ({ id, restoration, offsets: restoration?.offsets ?? 0 }))
    .toSorted((a, b) => b.offsets - a.offsets);
  if (first === undefined) return 'the queries are being started';
  const { id, restoration } = first;
  const what =
    restoration === null ? `${id} opens its state` : `${id} restores its state, ${progressText(restoration)}`;
  return others.length === 0 ? what : `${what}; ${others.length} more open theirs`;
}
