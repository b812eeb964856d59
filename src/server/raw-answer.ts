import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorResponse, type RequestError } from './request-error.ts';

/** Answers over a connection that HTTP has let go of, or never got hold of, and ends it. */
export function endWith(socket: Duplex, error: RequestError): void {
  const { status, headers, body } = errorResponse(error);
  const text = body as string;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}
