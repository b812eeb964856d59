import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../common/clock.ts';
import { written } from '../common/written.ts';
import type { Engine } from '../engine/engine.ts';
import { dispatch } from './dispatch.ts';
import { readBody } from './read-body.ts';
import { errorResponse } from './request-error.ts';
import type { HttpRequest, HttpResponse, RouteContext } from './route.ts';
import { routes } from './routes/routes.ts';
import { parseTarget } from './target.ts';
import { QuerySockets } from './websocket.ts';

/** How long clients get to read the end of what they were sent when the server stops. */
const FAREWELL_MS = 1000;
/** A client whose machine has vanished is found out by TCP. */
const KEEP_ALIVE_MS = 30_000;

export interface ServerOptions {
  readonly engine: Engine;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly version: string;
}

export interface Server {
  readonly port: number;
  /** Ends running queries of clients and closes every connection. The engine stays open. */
  close(): Promise<void>;
}

/** HTTP and WebSocket on one port. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { engine, version, host, port } = options;
  const { clock } = engine.options;
  const context: RouteContext = { engine, version, running: new Map() };
  const sockets = new QuerySockets(context);
  const server = createServer(
    { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    (request, response) => {
      void answer(request, response, context).catch(() => response.destroy());
    },
  );
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    sockets.upgrade(request, socket, head);
  });
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return socket.destroy();
    return socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => socket.destroy());
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const reason = `port ${port} of ${host} is in use: stop what listens there, or choose another with --port`;
    throw new Error(reason, { cause: error });
  }
  return {
    port: (server.address() as AddressInfo).port,
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  let result: HttpResponse;
  try {
    result = await dispatch(routes, await readRequest(request, gone.signal), context);
  } catch (error) {
    result = errorResponse(error);
  }
  if (gone.signal.aborted) return;
  response.writeHead(result.status, result.headers);
  if (typeof result.body === 'string') {
    response.end(result.body);
    return;
  }
  response.flushHeaders();
  for await (const chunk of result.body) {
    if (gone.signal.aborted) break;
    await written(response, chunk);
  }
  response.end();
}

async function readRequest(request: IncomingMessage, signal: AbortSignal): Promise<HttpRequest> {
  const { path, query } = parseTarget(request.url ?? '/');
  const body = await readBody(request);
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return { method: request.method ?? 'GET', path, query, headers, body, signal };
}
