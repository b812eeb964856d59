import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, Turns } from '../common/clock.ts';
import { written } from '../common/written.ts';
import type { Engine } from '../engine/engine.ts';
import { AccessPolicy, isLoopbackAddress, type RequestHead } from './access-policy.ts';
import { Connections } from './connections.ts';
import { allowReading, answerPreflight } from './cors.ts';
import { dispatch } from './dispatch.ts';
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts';
import { endWith } from './raw-answer.ts';
import { RequestBodies } from './request-bodies.ts';
import { errorResponse, RequestError } from './request-error.ts';
import type { HttpRequest, HttpResponse, RouteContext } from './route.ts';
import { routes } from './routes/routes.ts';
import { parseTarget } from './target.ts';
import { ignoreUpgrade, isWebSocket } from './unwanted-upgrade.ts';
import { QuerySockets } from './websocket.ts';

/** How long clients get to read the end of what they were sent when the server stops. */
const FAREWELL_MS = 1000;
/** A client whose machine has vanished is found out by TCP. */
const KEEP_ALIVE_MS = 30_000;
/** How often requests are looked at that take too long to come. */
const OVERDUE_CHECK_MS = 1000;
/** Name, target and headers of a request. */
const HEAD_BYTES_MAX = 16 * 1024;

export interface ServerOptions {
  readonly engine: Engine;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly version: string;
  /** Origins of web pages that may use the server, beside its own. Default none. */
  readonly allowedOrigins?: readonly string[];
  /** Names for a server on a loopback address beside this machine's own. Default none. */
  readonly allowedHosts?: readonly string[];
  /** Default `DEFAULT_LIMITS`. */
  readonly limits?: Partial<ServerLimits>;
}

export interface Server {
  readonly port: number;
  /** Ends running queries of clients and closes every connection. The engine stays open. */
  close(): Promise<void>;
}

/** HTTP and WebSocket on one port. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { engine, version, host, port, allowedOrigins = [], allowedHosts = [] } = options;
  const { clock } = engine.options;
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const context: RouteContext = { engine, version, limits, running: new Map() };
  const policy = new AccessPolicy({ allowedOrigins, allowedHosts, listensOn: host });
  const bodies = new RequestBodies(limits.bodyBytes, limits.bodiesBytes);
  const connections = new Connections();
  const sockets = new QuerySockets(context);
  const server = createServer(
    {
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: OVERDUE_CHECK_MS,
      // The policy says what is missing, in the words of the wire.
      requireHostHeader: false,
    },
    (request, response) => {
      connections.begin(request, response);
      void answer(request, response, { context, policy, bodies }).catch(() => response.destroy());
    },
  );
  server.maxConnections = limits.connections;
  // Node leaves out what comes after so many, and the policy must see every Origin; the head is bounded in bytes.
  server.maxHeadersCount = 0;
  server.on('upgrade', (request, socket, head) => {
    if (!isWebSocket(request)) {
      connections.whenAnswered(socket, () => ignoreUpgrade(server, request, socket, head));
      return;
    }
    socket.on('error', () => socket.destroy());
    try {
      policy.admit(headOf(request));
    } catch (error) {
      endWith(socket, error as RequestError);
      return;
    }
    sockets.upgrade(request, socket, head);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (connections.canAnswer(socket)) endWith(socket, badRequest(error, limits));
    else socket.destroy();
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const reason = `port ${port} of ${host} is in use: stop what listens there, or choose another with --port`;
    throw new Error(reason, { cause: error });
  }
  const bound = server.address() as AddressInfo;
  if (!isLoopbackAddress(bound.address))
    engine.options.logger.warn(
      { host, port: bound.port },
      'there is no authentication: whoever can connect can do everything. Listen on a loopback address, or keep others away from this port (docs/server.md)',
    );
  return {
    port: bound.port,
    async close() {
      const closed = stopListening(server, clock);
      await sockets.close(clock, FAREWELL_MS);
      await Promise.all([...context.running.values()].map((close) => close().catch(() => undefined)));
      await closed;
    },
  };
}

/** Resolves when every connection has ended, by itself or after the time for it is over. */
async function stopListening(server: HttpServer, clock: Clock): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const cancel = clock.setTimer(FAREWELL_MS, () => server.closeAllConnections());
  await closed;
  cancel();
}

interface Serving {
  readonly context: RouteContext;
  readonly policy: AccessPolicy;
  readonly bodies: RequestBodies;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { context, policy, bodies }: Serving,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => {
    // Aborting makes an error and costs more than most answers; once a request is answered, it is not needed.
    if (!response.writableFinished) gone.abort();
  });
  response.on('error', () => gone.abort());
  let result: HttpResponse;
  try {
    if (policy.allowsOrigins) response.setHeader('vary', 'Origin');
    const origin = policy.admit(headOf(request));
    if (origin !== null) {
      allowReading(response, origin);
      const { method, headers } = request;
      if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined)
        return answerPreflight(response, headers);
    }
    const body = await bodies.read(request, (free) => response.on('close', free));
    result = await dispatch(routes, requestOf(request, body, gone.signal), context);
  } catch (error) {
    result = errorResponse(error);
  }
  if (gone.signal.aborted) return undefined;
  if (typeof result.body === 'string') {
    response.setHeader('content-length', Buffer.byteLength(result.body));
    response.writeHead(result.status, result.headers).end(result.body);
    return undefined;
  }
  response.writeHead(result.status, result.headers).flushHeaders();
  const turns = new Turns(context.engine.options.clock);
  for await (const chunk of result.body) {
    if (gone.signal.aborted) break;
    await written(response, chunk);
    if (turns.over) await turns.next();
  }
  response.end();
  return undefined;
}

function headOf({ httpVersion, url, rawHeaders, socket }: IncomingMessage): RequestHead {
  return { httpVersion, target: url ?? '/', rawHeaders, localAddress: socket.localAddress };
}

function requestOf(request: IncomingMessage, body: Buffer, signal: AbortSignal): HttpRequest {
  const { path, query } = parseTarget(request.url ?? '/');
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return { method: request.method ?? 'GET', path, query, headers, body, signal };
}

/** Why a request could not be read. */
function badRequest({ code }: NodeJS.ErrnoException, { headMs, requestMs }: ServerLimits): RequestError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new RequestError(
      40800,
      `the request took too long to come: its head has ${headMs / 1000} s, all of it ${requestMs / 1000} s`,
    );
  if (code === 'HPE_HEADER_OVERFLOW')
    return new RequestError(43100, `the head of the request is larger than ${HEAD_BYTES_MAX} bytes`);
  return new RequestError(40000, 'this is no HTTP request');
}
