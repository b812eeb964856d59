import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../../common/clock.ts';
import { nameFor } from './kafkajs-connections.ts';
import { ILLEGAL_SASL_STATE } from './protocol-error.ts';

/** What a port of a broker turned out to be. */
export interface Listener {
  readonly tls: boolean;
  /** The mechanisms of its login; null: it takes none; undefined: it did not come to that. */
  readonly mechanisms: readonly string[] | null | undefined;
}

const PATIENCE_MS = 1_000;

/** More than any answer to the question: what comes is no answer. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Finds out how a port wants to be talked to, which it does not say by itself: a broker that does not understand, or
 * that misses the login, only closes. Asks for a SASL mechanism that does not exist, first without TLS, then with it,
 * trusting whoever answers: nothing secret is sent. Null when nothing of Kafka is there. Does not throw.
 */
export async function probeListener(
  host: string,
  port: number,
  tls: ConnectionOptions | null,
  clock: Clock,
): Promise<Listener | null> {
  const plain = await ask(connectTcp({ host, port }), 'connect', clock);
  if (plain.answer !== undefined) return { tls: false, mechanisms: plain.answer };
  const socket = connectTls({
    host,
    port,
    ...nameFor(host),
    ...tls,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  const secured = await ask(socket, 'secureConnect', clock);
  if (secured.answer !== undefined) return { tls: true, mechanisms: secured.answer };
  // An alert is an answer too: only what speaks TLS sends one.
  return secured.ready || /ALERT/.test(secured.code ?? '') ? { tls: true, mechanisms: undefined } : null;
}

interface Reply {
  /** Whether the connection could be made. */
  readonly ready: boolean;
  readonly answer?: readonly string[] | null;
  readonly code?: string | undefined;
}

/** Sends SaslHandshake when the socket is ready, and ends it in any case. */
function ask(socket: Socket | TLSSocket, readyEvent: string, clock: Clock): Promise<Reply> {
  return new Promise((resolve) => {
    let ready = false;
    let received = Buffer.alloc(0);
    const done = (reply: Omit<Reply, 'ready'>): void => {
      cancel();
      socket.destroy();
      resolve({ ready, ...reply });
    };
    const cancel = clock.setTimer(PATIENCE_MS, () => done({}));
    socket.once(readyEvent, () => {
      ready = true;
      socket.write(handshake());
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const answer = mechanismsIn(received);
      if (answer !== undefined) done({ answer });
      else if (received.length > ANSWER_BYTES_MAX) done({});
    });
    socket.once('error', (error: NodeJS.ErrnoException) => done({ code: error.code }));
    socket.once('close', () => done({}));
  });
}

const CORRELATION_ID = 0x6d696c6c;

/** SaslHandshake v1 (https://kafka.apache.org/protocol#The_Messages_SaslHandshake). */
function handshake(): Buffer {
  const mechanism = Buffer.from('NO-MECHANISM');
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + 2 + mechanism.length);
  let at = request.writeInt32BE(request.length - 4, 0);
  at = request.writeInt16BE(17, at);
  at = request.writeInt16BE(1, at);
  at = request.writeInt32BE(CORRELATION_ID, at);
  at = request.writeInt16BE(-1, at);
  at = request.writeInt16BE(mechanism.length, at);
  mechanism.copy(request, at);
  return request;
}

/** Undefined while the answer is not complete, and for what is none. */
function mechanismsIn(bytes: Buffer): string[] | null | undefined {
  if (bytes.length < 14 || bytes.readInt32BE(4) !== CORRELATION_ID) return undefined;
  const end = 4 + bytes.readInt32BE(0);
  if (bytes.length < end) return undefined;
  if (bytes.readInt16BE(8) === ILLEGAL_SASL_STATE) return null;
  const mechanisms: string[] = [];
  let at = 14;
  for (let left = bytes.readInt32BE(10); left > 0 && at + 2 <= end; left--) {
    const length = bytes.readInt16BE(at);
    mechanisms.push(bytes.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return mechanisms;
}
