import { expect, test } from 'vitest';
import { ManualClock } from '../../../../src/common/clock.ts';
import type { Connection } from '../../../../src/log/kafka/kafkajs-parts.ts';
import { protocolRequest } from '../../../../src/log/kafka/protocol-request.ts';
import { sendRequest } from '../../../../src/log/kafka/send-request.ts';

type Pushed = Parameters<Connection['requestQueue']['push']>[0];

/** A connection that keeps what is written, and answers when it is told to. */
function openConnection() {
  const written: Buffer[] = [];
  const inflight = new Map<number, { requestTimeout: number; timeoutRequest(): void }>();
  const throttled: number[] = [];
  const late: number[] = [];
  let last: Pushed['entry'] | undefined;
  let id = 7;
  const connection = {
    socket: { cork() {}, uncork() {}, write: (bytes: Buffer) => written.push(bytes) },
    requestQueue: {
      inflight,
      maybeThrottle: (ms: number) => throttled.push(ms),
      push({ entry, requestTimeout, sendRequest: write }: Pushed) {
        last = entry;
        const timeoutRequest = (): void => {
          late.push(entry.correlationId);
          entry.reject(new Error('it took too long'));
        };
        inflight.set(entry.correlationId, {
          requestTimeout: Math.max(30_000, requestTimeout ?? 0),
          timeoutRequest,
        });
        write();
      },
    },
    failIfNotConnected() {},
    nextCorrelationId: () => id++,
  } as unknown as Connection;
  const answer = (payload: Buffer): void => last!.resolve({ payload });
  return { connection, written, throttled, late, answer };
}

const request = (bytes: Uint8Array, timeoutMs?: number) =>
  protocolRequest(
    { key: 1, version: 11, name: 'Fetch' },
    (w) => w.writeBytes(bytes),
    (r) => r.int32(),
    timeoutMs === undefined ? {} : { timeoutMs },
  );

test.each([3, 100_000])('a request of %i bytes has its head, and its answer is read', async (length) => {
  const { connection, written, throttled, answer } = openConnection();
  const body = Buffer.alloc(length, 'b');
  const sent = sendRequest(connection, 'mé', new ManualClock(), request(body));
  // Size, API key and version, correlation id, and the client id with its length (KIP-4 and before).
  const head = Buffer.from([0, 0, 0, 0, 0, 1, 0, 11, 0, 0, 0, 7, 0, 3, 0x6d, 0xc3, 0xa9]);
  head.writeInt32BE(head.length - 4 + length);
  expect(Buffer.concat(written).equals(Buffer.concat([head, body]))).toBe(true);
  answer(Buffer.from([0, 0, 0, 12, 0, 0, 0, 42]));
  await expect(sent).resolves.toBe(42);
  expect(throttled).toEqual([12]);
});

test('an answer that cannot be read, or takes longer than it may, is an error', async () => {
  const clock = new ManualClock();
  const first = openConnection();
  const sent = sendRequest(first.connection, 'c', clock, request(Buffer.alloc(1)));
  first.answer(Buffer.from([0, 0]));
  await expect(sent).rejects.toThrow();
  const second = openConnection();
  const slow = sendRequest(second.connection, 'c', clock, request(Buffer.alloc(1), 40_000));
  clock.advance(39_999);
  expect(second.late).toEqual([]);
  clock.advance(1);
  await expect(slow).rejects.toThrow('it took too long');
});

test('what is answered in time is not given up later', async () => {
  const clock = new ManualClock();
  const { connection, late, answer } = openConnection();
  const sent = sendRequest(connection, 'c', clock, request(Buffer.alloc(1)));
  answer(Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]));
  await expect(sent).resolves.toBe(1);
  clock.advance(60_000);
  expect(late).toEqual([]);
});
