import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../../../src/common/clock.ts';
import { LogError } from '../../../../src/log/log.ts';
import { tokenProvider } from '../../../../src/log/kafka/oauth-token.ts';
import { RetriableError } from '../../../../src/log/kafka/retry.ts';

let server: Server;
let endpoint: string;
let requests: { authorization: string | undefined; body: string }[];
let answer: { status: number; body: object | string };
let nowMs: number;

const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, setTimer: () => () => undefined };

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      requests.push({ authorization: request.headers.authorization, body });
      response.writeHead(answer.status);
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
beforeEach(() => {
  requests = [];
  nowMs = 1_000;
});
afterAll(() => server.close());

const provider = (more: { urlEncode?: boolean; extensions?: Record<string, string> } = {}) =>
  tokenProvider(
    {
      endpoint,
      clientId: 'a b',
      clientSecret: 's/1',
      scope: undefined,
      extensions: more.extensions ?? {},
      urlEncode: more.urlEncode ?? false,
    },
    null,
    clock,
  );

test('connections share a token until four fifths of its time are over', async () => {
  answer = { status: 200, body: { access_token: 't1', expires_in: 100 } };
  const next = provider({ extensions: { pool: 'p' } });
  expect(await Promise.all([next(), next()])).toEqual([
    { value: 't1', extensions: { pool: 'p' } },
    { value: 't1', extensions: { pool: 'p' } },
  ]);
  nowMs += 79_000;
  await next();
  expect(requests).toHaveLength(1);
  answer = { status: 200, body: { access_token: 't2' } };
  nowMs += 1_000;
  expect(await next()).toMatchObject({ value: 't2' });
  // It did not say how long it holds.
  await next();
  expect(requests).toHaveLength(3);
  expect(requests[0]).toEqual({
    authorization: `Basic ${Buffer.from('a b:s/1').toString('base64')}`,
    body: 'grant_type=client_credentials',
  });
});

test('id and secret are encoded where the endpoint wants it', async () => {
  answer = { status: 200, body: { access_token: 't' } };
  await provider({ urlEncode: true })();
  expect(requests[0]!.authorization).toBe(`Basic ${Buffer.from('a%20b:s%2F1').toString('base64')}`);
});

test('a refusal is final, anything else is tried again, and no message has the secret', async () => {
  const next = provider();
  answer = { status: 401, body: { error: 'invalid_client', error_description: 'unknown' } };
  const refused = await next().catch((error: unknown) => error as LogError);
  expect(refused).toBeInstanceOf(LogError);
  expect(refused).toMatchObject({
    kind: 'unauthorized',
    message: `the token endpoint ${endpoint} gave no token to a b: 401 invalid_client: unknown`,
  });
  answer = { status: 200, body: '<html>' };
  await expect(next()).rejects.toMatchObject({ kind: 'unauthorized' });
  answer = { status: 503, body: '' };
  await expect(next()).rejects.toBeInstanceOf(RetriableError);
  answer = { status: 200, body: { access_token: 't', expires_in: 60 } };
  expect(await next()).toEqual({ value: 't' });
});

test('an endpoint that is not there is tried again', async () => {
  const gone = tokenProvider(
    {
      endpoint: 'http://127.0.0.1:1/',
      clientId: 'a',
      clientSecret: 'b',
      scope: 'c',
      extensions: {},
      urlEncode: false,
    },
    null,
    clock,
  );
  await expect(gone()).rejects.toThrow(/^the token endpoint http:\/\/127\.0\.0\.1:1\/: .*ECONNREFUSED/);
});
