import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RowStream } from '../engine/result.ts';
import { fieldSchema } from '../engine/describe.ts';
import { jsonText } from '../types/json-value.ts';
import { openRows } from './parse-single.ts';
import { parseStatementRequest } from './request-body.ts';
import type { RouteContext } from './route.ts';

/** A client sends nothing after the handshake; this bounds what it may try. */
const PAYLOAD_BYTES_MAX = 64 * 1024;
/** Bytes that may wait in a client's socket before its query stops being asked for rows. */
const BUFFERED_BYTES_MAX = 1024 * 1024;
const REASON_BYTES_MAX = 123;

/** RFC 6455 close codes, as ksqlDB uses them. */
const DONE = 1000;
const GOING_AWAY = 1001;
const NOT_ACCEPTED = 1003;
const FAILED = 1011;

/**
 * Push and pull queries over `/ws/query?request=<JSON>`: one query a connection. First a frame with the columns,
 * then one frame a row, then `{"error":"done"}` and a normal close.
 */
export class QuerySockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: PAYLOAD_BYTES_MAX, perMessageDeflate: false });
  readonly #context: RouteContext;

  constructor(context: RouteContext) {
    this.#context = context;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname !== '/ws/query') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      client.on('message', () => undefined);
      void this.#serve(client, url.searchParams.get('request')).catch(() => client.terminate());
    });
  }

  /** Tells every client that the server is going. */
  async close(): Promise<void> {
    for (const client of this.#server.clients) client.close(GOING_AWAY, 'the server is stopping');
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#server.clients) client.terminate();
  }

  async #serve(client: WebSocket, request: string | null): Promise<void> {
    let rows: RowStream;
    try {
      if (request === null) throw new Error('the address has no request parameter');
      const { text, session } = parseStatementRequest(request);
      rows = await openRows(text, session, this.#context);
    } catch (error) {
      return refuse(client, NOT_ACCEPTED, error);
    }
    const close = (): Promise<void> => rows.close();
    client.on('close', () => void close().catch(() => undefined));
    this.#context.running.set(rows.queryId, close);
    try {
      if (rows.kind !== 'print')
        client.send(JSON.stringify(rows.columns.map(({ name, type }) => ({ name, schema: fieldSchema(type) }))));
      await sendRows(client, rows);
      client.send('{"error":"done"}');
      client.close(DONE, 'done');
    } catch (error) {
      refuse(client, FAILED, error);
    } finally {
      this.#context.running.delete(rows.queryId);
      await close();
    }
    return undefined;
  }
}

async function sendRows(client: WebSocket, rows: RowStream): Promise<void> {
  const texts = rows.columns.map((column) => jsonText(column.type));
  for (let batch = await rows.next(); batch !== null; batch = await rows.next()) {
    // One frame a row, but one write to the kernel for the batch: the write is what costs.
    const socket = (client as unknown as { _socket?: { cork(): void; uncork(): void } })._socket;
    socket?.cork();
    for (const [i, row] of batch.rows.entries()) {
      if (batch.tombstones?.[i] === true) continue;
      const cells = texts.map((text, c) => text(row[c] ?? null)).join(',');
      client.send(rows.kind === 'print' ? cells : `{"row":{"columns":[${cells}]}}`);
    }
    socket?.uncork();
    await drained(client);
    if (client.readyState !== client.OPEN) return;
  }
}

/** Waits while the client has much unread, or until it is gone. The query pauses meanwhile. */
async function drained(client: WebSocket): Promise<void> {
  if (client.bufferedAmount <= BUFFERED_BYTES_MAX || client.readyState !== client.OPEN) return;
  await new Promise<void>((resolve) => {
    const gone = (): void => resolve();
    client.once('close', gone);
    // Resolves when everything queued before it has been handed to the kernel.
    client.ping('', false, () => {
      client.off('close', gone);
      resolve();
    });
  });
}

function refuse(client: WebSocket, code: number, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (client.readyState === client.OPEN) client.send(JSON.stringify({ error: message }));
  client.close(code, truncated(message));
}

/** A close reason holds at most 123 bytes; it is cut between characters. */
function truncated(text: string): string {
  let cut = text;
  while (Buffer.byteLength(cut) > REASON_BYTES_MAX) cut = cut.slice(0, -1);
  return cut;
}
