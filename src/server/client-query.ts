import type { RowStream } from '../engine/result.ts';
import type { HttpRequest, RouteContext } from './route.ts';

/**
 * Ties a query to the request that started it, from the moment it runs: a client that goes away ends it, even before
 * its first row was asked for, and so does /close-query. Returns what unties and ends it.
 */
export function tieToRequest(
  rows: RowStream,
  request: HttpRequest,
  { running }: RouteContext,
): () => Promise<void> {
  const end = async (): Promise<void> => {
    request.signal.removeEventListener('abort', abort);
    running.delete(rows.queryId);
    await rows.close();
  };
  const abort = (): void => void end().catch(() => undefined);
  running.set(rows.queryId, () => rows.close());
  if (request.signal.aborted) abort();
  else request.signal.addEventListener('abort', abort, { once: true });
  return end;
}
