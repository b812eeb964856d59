import { parseObject } from '../request-body.ts';
import { RequestError } from '../request-error.ts';
import type { Route } from '../route.ts';

/** Ends a push query that a client of this server runs. */
export const closeQueryRoute: Route = {
  method: 'POST',
  path: '/close-query',
  async handle(request, { running }) {
    const { queryId } = parseObject(request.body);
    if (typeof queryId !== 'string') throw new RequestError(40000, 'the request has no "queryId"');
    const close = running.get(queryId);
    if (close === undefined) throw new RequestError(40000, `no query with id ${queryId} runs here`);
    await close();
    return { status: 200, headers: {}, body: '' };
  },
};
