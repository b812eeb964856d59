import { OPEN_QUERIES_MAX } from '../../engine/open-queries.ts';
import { CLIENT_BYTES_MAX, TOTAL_BYTES_MAX } from '../../engine/row-budget.ts';
import { DEFAULT_LIMITS, type ServerLimits } from '../../server/limits.ts';
import type { EngineLimits } from './open-local-engine.ts';
import { UsageError } from './usage-error.ts';

interface Limit {
  readonly name: string;
  readonly default: number;
  /** What it bounds, as docs/server.md says it. */
  readonly what: string;
  readonly server?: (value: number) => Partial<ServerLimits>;
  readonly engine?: (value: number) => EngineLimits;
}

/** The limits that `--limit NAME=VALUE` may change. */
export const SERVER_LIMITS: readonly Limit[] = [
  {
    name: 'connections',
    default: DEFAULT_LIMITS.connections,
    what: 'connections at once; who comes later is turned away',
    server: (connections) => ({ connections }),
  },
  {
    name: 'head-seconds',
    default: DEFAULT_LIMITS.headMs / 1000,
    what: 'from the first byte of a request to the end of its headers; then 408',
    server: (seconds) => ({ headMs: seconds * 1000 }),
  },
  {
    name: 'request-seconds',
    default: DEFAULT_LIMITS.requestMs / 1000,
    what: 'from the first byte of a request to the last of its body; then 408',
    server: (seconds) => ({ requestMs: seconds * 1000 }),
  },
  {
    name: 'body-bytes',
    default: DEFAULT_LIMITS.bodyBytes,
    what: 'the body of a request; a larger one gets 413',
    server: (bodyBytes) => ({ bodyBytes }),
  },
  {
    name: 'bodies-bytes',
    default: DEFAULT_LIMITS.bodiesBytes,
    what: 'the bodies of all requests together; beyond it the largest that is still coming gets 503',
    server: (bodiesBytes) => ({ bodiesBytes }),
  },
  {
    name: 'statements',
    default: DEFAULT_LIMITS.statements,
    what: 'statements in a request; with more, none is run',
    server: (statements) => ({ statements }),
  },
  {
    name: 'queries',
    default: OPEN_QUERIES_MAX,
    what: 'queries of clients at once: with EMIT, over streams, over whole tables, PRINT',
    engine: (openQueriesMax) => ({ openQueriesMax }),
  },
  {
    name: 'client-bytes',
    default: CLIENT_BYTES_MAX,
    what: 'rows that wait for one client to read, estimated; then its query waits',
    engine: (clientBytesMax) => ({ clientBytesMax }),
  },
  {
    name: 'clients-bytes',
    default: TOTAL_BYTES_MAX,
    what: 'the same of all clients together; beyond it each has 65536',
    engine: (clientsBytesMax) => ({ clientsBytesMax }),
  },
];

/** From the values of `--limit`. Throws `UsageError`. */
export function parseLimits(entries: readonly string[]): {
  readonly server: Partial<ServerLimits>;
  readonly engine: EngineLimits;
} {
  let server: Partial<ServerLimits> = {};
  let engine: EngineLimits = {};
  for (const entry of entries) {
    const [, name, text] = /^([^=]*)=(\d+)$/.exec(entry) ?? [];
    const limit = SERVER_LIMITS.find((each) => each.name === name);
    const value = Number(text);
    if (limit === undefined || !Number.isSafeInteger(value) || value < 1)
      throw new UsageError(
        `--limit takes NAME=NUMBER with one of ${SERVER_LIMITS.map((each) => each.name).join(', ')}, not ${entry}`,
      );
    server = { ...server, ...limit.server?.(value) };
    engine = { ...engine, ...limit.engine?.(value) };
  }
  return { server, engine };
}
