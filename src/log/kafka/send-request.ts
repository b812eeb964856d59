import { must } from '../../common/assert.ts';
import type { Clock } from '../../common/clock.ts';
import type { Connection, ProtocolRequest } from './kafkajs-parts.ts';

/** What is copied together for one write, rather than written in two parts. */
const COPIED_BYTES_MAX = 16 * 1024;
/** Size, API key, API version, correlation id and the length of the client id. */
const HEAD_BYTES = 4 + 2 + 2 + 4 + 2;

/**
 * Sends a request over a connection that is there and logged in, and reads the answer. kafkajs's own `send` makes seven promises,
 * three encoders and two lines of a log that nobody reads for each, which a query would pay at every turn; its queue, which
 * throttles, is used as it is. An answer that takes longer than the request or the connection allows is given up. Rejects with
 * kafkajs's errors.
 */
export function sendRequest<T>(
  connection: Connection,
  clientId: string,
  clock: Clock,
  { request, response, requestTimeout }: ProtocolRequest<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    connection.failIfNotConnected();
    const { apiKey, apiName, apiVersion } = request;
    const correlationId = connection.nextCorrelationId();
    const { requestQueue } = connection;
    let settled = (): void => undefined;
    const completed = ({ payload }: { readonly payload: Buffer }): void => {
      settled();
      try {
        const decoded = response.decode(payload);
        requestQueue.maybeThrottle(decoded.clientSideThrottleTime);
        resolve(response.parse(decoded));
      } catch (error) {
        reject(error as Error);
      }
    };
    const rejected = (error: Error): void => {
      settled();
      reject(error);
    };
    const body = request.encode().buf;
    requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve: completed, reject: rejected },
      expectResponse: true,
      requestTimeout: requestTimeout ?? null,
      sendRequest: () => {
        const { socket } = connection;
        const waiting = must(requestQueue.inflight.get(correlationId));
        settled = clock.setTimer(waiting.requestTimeout, () => waiting.timeoutRequest());
        const headBytes = HEAD_BYTES + Buffer.byteLength(clientId);
        const copies = body.length <= COPIED_BYTES_MAX;
        const head = Buffer.allocUnsafe(headBytes + (copies ? body.length : 0));
        head.writeInt32BE(headBytes - 4 + body.length, 0);
        head.writeInt16BE(apiKey, 4);
        head.writeInt16BE(apiVersion, 6);
        head.writeInt32BE(correlationId, 8);
        head.writeInt16BE(headBytes - HEAD_BYTES, 12);
        head.write(clientId, HEAD_BYTES);
        if (copies) {
          body.copy(head, headBytes);
          socket.write(head);
          return;
        }
        socket.cork();
        socket.write(head);
        socket.write(body);
        socket.uncork();
      },
    });
  });
}
