import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** Whether a request wants to go on as a WebSocket (RFC 6455 §4.1). */
export function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket';
}

/** Headers that belong to an upgrade to HTTP/2 (RFC 7540 §3.2.1): with the upgrade they mean nothing. */
const UPGRADE_HEADERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/**
 * Goes on as if the upgrade had not been asked for, which a server may (RFC 9110 §7.8): curl and Java's client ask for
 * HTTP/2 in this way. Node takes every such connection away from HTTP once anybody listens for upgrades, with the
 * request's body and the requests behind it unread in `head`; so the connection begins anew, with the request's head
 * in front of it again.
 */
export function ignoreUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (socket.destroyed) return;
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    if (UPGRADE_HEADERS.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value}`);
  }
  // The time limit between requests, which the connection had until now, is not for a request under way.
  (socket as Socket).setTimeout(0);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

/** A Connection header without the options that an upgrade needs. */
function withoutUpgrade(value: string): string {
  return value
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '' && !UPGRADE_HEADERS.has(option.toLowerCase()))
    .join(', ');
}
