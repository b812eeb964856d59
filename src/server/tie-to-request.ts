import { onAbort } from '../common/abort.ts';
import type { RowStream } from '../engine/result.ts';
import type { HttpRequest, RouteContext } from './route.ts';

/**
 * Ties a query to the request that started it, from the moment it runs: a client that goes away ends it, even before
 * its first row was asked for, and so does /close-query. Returns what unties and ends it.
 */
export function tieToRequest(
  rows: RowStream,
  { signal }: Pick<HttpRequest, 'signal'>,
  { running }: RouteContext,
): () => Promise<void> {
  let unsubscribe = (): void => undefined;
  const end = async (): Promise<void> => {
    unsubscribe();
    running.delete(rows.queryId);
    await rows.close();
  };
  running.set(rows.queryId, () => rows.close());
  unsubscribe = onAbort(signal, () => void end().catch(() => undefined));
  return end;
}
