import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from '../engine/engine.ts';
import { dispatch } from './dispatch.ts';
import { errorResponse, RequestError } from './request-error.ts';
import type { HttpRequest, HttpResponse, RouteContext } from './route.ts';
import { routes } from './routes/routes.ts';
import { QuerySockets } from './websocket.ts';

const BODY_BYTES_MAX = 16 * 1024 * 1024;

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
  const context: RouteContext = { engine: options.engine, version: options.version, running: new Map() };
  const sockets = new QuerySockets(context);
  const server = createServer((request, response) => {
    void answer(request, response, context).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    sockets.upgrade(request, socket, head);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      await Promise.all([...context.running.values()].map((close) => close().catch(() => undefined)));
      await sockets.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, context: RouteContext): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  let result: HttpResponse;
  try {
    result = await dispatch(routes, await readRequest(request, gone.signal), context);
  } catch (error) {
    result = errorResponse(error);
  }
  if (gone.signal.aborted) {
    if (typeof result.body !== 'string') await result.body[Symbol.asyncIterator]().return?.();
    return;
  }
  response.writeHead(result.status, result.headers);
  if (typeof result.body === 'string') {
    response.end(result.body);
    return;
  }
  response.flushHeaders();
  for await (const chunk of result.body) {
    if (gone.signal.aborted) break;
    if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

async function readRequest(request: IncomingMessage, signal: AbortSignal): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new RequestError(40000, `the request body is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  // Some clients send the whole address as the target.
  const url = new URL(request.url ?? '/', 'http://localhost');
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks),
    signal,
  };
}
