import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The requests under way on each connection: a client may send the next before the one in front is answered. */
export class Connections {
  readonly #connections = new WeakMap<
    Duplex,
    { exchanges: Set<Exchange>; onAnswered: (() => void) | null }
  >();

  /** A request is being answered, until `response` is closed. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    let connection = this.#connections.get(request.socket);
    if (connection === undefined) {
      connection = { exchanges: new Set(), onAnswered: null };
      this.#connections.set(request.socket, connection);
    }
    const own = connection;
    const exchange = { request, response };
    own.exchanges.add(exchange);
    response.on('close', () => {
      own.exchanges.delete(exchange);
      if (own.exchanges.size > 0) return;
      const { onAnswered } = own;
      own.onAnswered = null;
      onAnswered?.();
    });
  }

  /** Calls `action` when nothing is being answered on this connection: now, or later. */
  whenAnswered(socket: Duplex, action: () => void): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.exchanges.size === 0) action();
    else connection.onAnswered = action;
  }

  /**
   * Whether what is written to the connection would be taken for the answer to the request that is coming over it, and
   * not for a part of an answer, or the answer to a request in front of it.
   */
  canAnswer(socket: Duplex): boolean {
    const exchanges = [...(this.#connections.get(socket)?.exchanges ?? [])];
    return (
      socket.writable &&
      exchanges.length < 2 &&
      exchanges.every(({ request, response }) => !request.complete && !response.headersSent)
    );
  }
}
