import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Clock, Turns } from '../common/clock.ts';
import type { RowStream } from '../engine/result.ts';
import { fieldSchema } from '../engine/describe.ts';
import { jsonText } from '../types/json-value.ts';
import { openRows } from './request-statements.ts';
import { endWith } from './raw-answer.ts';
import { parseStatementRequest } from './request-body.ts';
import { RequestError } from './request-error.ts';
import type { RouteContext } from './route.ts';
import { rowObject } from './row-text.ts';
import { parseTarget } from './target.ts';
import { tieToRequest } from './tie-to-request.ts';

/** A client has nothing to say after the handshake: this bounds what it may try. */
const PAYLOAD_BYTES_MAX = 4 * 1024;
const MESSAGES_MAX = 1000;
/** Bytes that may wait in a client's socket before its query stops being asked for rows. */
const BUFFERED_BYTES_MAX = 128 * 1024;
const REASON_BYTES_MAX = 123;

/** RFC 6455 close codes, as ksqlDB uses them. */
const DONE = 1000;
const GOING_AWAY = 1001;
const NOT_ACCEPTED = 1003;
const NOT_ALLOWED = 1008;
const FAILED = 1011;

/**
 * Push and pull queries over `/ws/query?request=<JSON>`: one query a connection. First a frame with the columns,
 * then one frame a row (removals from a table only when the request has `"tombstones": true`), then `{"error":"done"}` and a normal close.
 */
export class QuerySockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: PAYLOAD_BYTES_MAX,
    perMessageDeflate: false,
    // `answerPings` does it.
    autoPong: false,
  });
  readonly #context: RouteContext;

  constructor(context: RouteContext) {
    this.#context = context;
  }

  /** The handshake of a request that is let in. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const wanted = requestOf(request.url ?? '/');
    if (wanted === undefined)
      return endWith(socket, new RequestError(40400, 'there is a WebSocket only at /ws/query'));
    this.#server.handleUpgrade(request, socket, head, (client) => {
      void this.#serve(client, socket, wanted).catch(() => client.terminate());
    });
    return undefined;
  }

  /** Tells every client that the server is going; those that have not answered after `farewellMs` are cut off. */
  async close(clock: Clock, farewellMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#server.clients) client.close(GOING_AWAY, 'the server is stopping');
    const cancel = clock.setTimer(farewellMs, () => {
      for (const client of this.#server.clients) client.terminate();
    });
    await closed;
    cancel();
  }

  /** `socket`: under the client's frames. */
  async #serve(client: WebSocket, socket: Duplex, request: string | null): Promise<void> {
    // Garbage, or a broken connection: the socket answers with its code and closes, and that ends the query.
    client.on('error', () => undefined);
    answerPings(client);
    refuseChatter(client);
    const signal = whenClosing(client);
    let rows: RowStream;
    let tombstones: boolean;
    try {
      if (request === null) throw new Error('the address has no request parameter');
      const wanted = parseStatementRequest(request);
      ({ tombstones } = wanted);
      rows = await openRows(wanted.text, wanted.session, this.#context);
    } catch (error) {
      return refuse(client, NOT_ACCEPTED, error);
    }
    const end = tieToRequest(rows, { signal }, this.#context);
    try {
      if (rows.kind !== 'print')
        client.send(
          JSON.stringify(rows.columns.map(({ name, type }) => ({ name, schema: fieldSchema(type) }))),
        );
      await sendRows(client, socket, rows, tombstones, new Turns(this.#context.engine.options.clock));
      if (isOpen(client)) client.send('{"error":"done"}');
      client.close(DONE, 'done');
    } catch (error) {
      refuse(client, FAILED, error);
    } finally {
      await end();
    }
    return undefined;
  }
}

/** The request parameter, null when the address has none; undefined when it is not this endpoint's address. */
function requestOf(target: string): string | null | undefined {
  try {
    const { path, query } = parseTarget(target);
    return path === '/ws/query' ? query.get('request') : undefined;
  } catch {
    return undefined;
  }
}

/** Aborted when the client closes, breaks the protocol or is gone. */
function whenClosing(client: WebSocket): AbortSignal {
  const closing = new AbortController();
  client.once('error', () => closing.abort());
  client.once('close', () => closing.abort());
  return closing.signal;
}

/** The latest counts (RFC 6455 §5.5.3): a client that asks and does not read is not answered over and over. */
function answerPings(client: WebSocket): void {
  client.on('ping', (data: Buffer) => {
    if (isOpen(client) && client.bufferedAmount < BUFFERED_BYTES_MAX) client.pong(data, false);
  });
}

function refuseChatter(client: WebSocket): void {
  let messages = 0;
  client.on('message', () => {
    if (++messages > MESSAGES_MAX) client.close(NOT_ALLOWED, 'nothing is expected from a client here');
  });
}

function isOpen(client: WebSocket): boolean {
  return client.readyState === client.OPEN;
}

async function sendRows(
  client: WebSocket,
  socket: Duplex,
  rows: RowStream,
  tombstones: boolean,
  turns: Turns,
): Promise<void> {
  const texts = rows.columns.map((column) => jsonText(column.type));
  while (isOpen(client)) {
    const batch = await rows.next();
    if (batch === null) return;
    if (turns.over) await turns.next();
    // One frame a row, but one write to the kernel for the batch: the write is what costs.
    socket.cork();
    for (const [i, row] of batch.rows.entries()) {
      const removed = batch.tombstones?.[i] === true;
      if (removed && !tombstones) continue;
      const cells = texts.map((text, c) => text(row[c] ?? null)).join(',');
      client.send(rows.kind === 'print' ? cells : rowObject(cells, removed));
      if (client.bufferedAmount <= BUFFERED_BYTES_MAX) continue;
      socket.uncork();
      await drained(client);
      if (!isOpen(client)) return;
      socket.cork();
    }
    socket.uncork();
  }
}

/** Waits until the client has taken what it was sent, or is gone. Its query is not asked for rows meanwhile. */
async function drained(client: WebSocket): Promise<void> {
  if (!isOpen(client)) return;
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
  if (isOpen(client)) client.send(JSON.stringify({ error: message }));
  client.close(code, truncated(message));
}

/** A close reason holds at most 123 bytes; it is cut between characters. */
function truncated(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= REASON_BYTES_MAX) return text;
  let end = REASON_BYTES_MAX;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
