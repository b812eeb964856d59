import type { Engine } from '../engine/engine.ts';
import type { ServerLimits } from './limits.ts';

/** A request with its body read. Knows nothing of sockets, so that routes are tested without any. */
export interface HttpRequest {
  readonly method: string;
  /** Without scheme, authority and query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Each chunk of an iterable is one write, and the next is asked for when the client has taken it. */
  readonly body: string | AsyncIterable<string>;
}

export interface RouteContext {
  readonly engine: Engine;
  readonly version: string;
  readonly limits: ServerLimits;
  /** Queries that clients run, by id, for /close-query. */
  readonly running: Map<string, () => Promise<void>>;
}

/** One endpoint: a file in `routes/` and a line in `routes/routes.ts`. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Exact, or with `:name` segments. */
  readonly path: string;
  handle(request: HttpRequest, context: RouteContext, parameters: readonly string[]): Promise<HttpResponse>;
}

export const KSQL_JSON = 'application/vnd.ksql.v1+json';
export const DELIMITED = 'application/vnd.ksqlapi.delimited.v1';
export const PLAIN_JSON = 'application/json';

export function json(value: unknown, status = 200, type: string = KSQL_JSON): HttpResponse {
  return { status, headers: { 'content-type': type }, body: JSON.stringify(value) };
}
