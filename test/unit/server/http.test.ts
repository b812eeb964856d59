import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer, type Server } from '../../../src/server/server.ts';
import { FakeEngine, FakeRows } from '../../harness/fake-engine.ts';
import { until } from '../../harness/until.ts';
import { RawClient } from './raw-client.ts';
import { ROW_BYTES, stall } from './stall.ts';

/** HTTP over real sockets: what clients may send, and that nothing they send disturbs the others. */

let fake: FakeEngine;
let server: Server;
let url: string;
const raw: RawClient[] = [];

beforeEach(async () => {
  fake = new FakeEngine();
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
  url = `http://127.0.0.1:${server.port}`;
});
afterEach(async () => {
  for (const client of raw.splice(0)) client.destroy();
  await server.close();
});

const client = (): RawClient => {
  const opened = new RawClient(server.port);
  raw.push(opened);
  return opened;
};

const SQL = 'SELECT * FROM S EMIT CHANGES;';
const post = (path: string, body: string | Buffer, init: RequestInit = {}): Promise<Response> =>
  fetch(url + path, { method: 'POST', body: body as RequestInit['body'], ...init } as RequestInit);
const request = (target: string, body: string): string =>
  `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

async function answers(): Promise<void> {
  expect((await fetch(`${url}/info`)).status).toBe(200);
}

test('rows arrive one by one, each as soon as the query gives it', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const response = await post('/query-stream', JSON.stringify({ sql: SQL }));
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  const chunk = async (): Promise<string> => decoder.decode((await reader.read()).value);
  expect(await chunk()).toMatch(/^\{"queryId".*\}\n$/);
  rows.push(['a', 1]);
  expect(await chunk()).toBe('["a",1]\n');
  rows.push(['b', 2]).finish('limit');
  expect(await chunk()).toBe('["b",2]\n');
  expect((await reader.read()).done).toBe(true);
});

test('the head of the answer does not wait for the first row', async () => {
  fake.give(new FakeRows('push', 'q'));
  const response = await post('/query', JSON.stringify({ ksql: SQL }));
  expect(response.status).toBe(200);
  await response.body!.cancel();
});

test('a client that leaves ends its query', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const leaving = new AbortController();
  const response = await post('/query-stream', JSON.stringify({ sql: SQL }), { signal: leaving.signal });
  expect(response.status).toBe(200);
  leaving.abort();
  await rows.whenClosed;
  await answers();
});

test('a client that stops reading pauses its own query, is remembered in bounded memory, and disturbs nobody', async () => {
  const stalled = new FakeRows('push', 'stalled');
  fake.give(stalled);
  const slow = client();
  const body = JSON.stringify({ sql: SQL });
  slow.write(request('/query-stream', body));
  await slow.until(/columnNames/);
  slow.socket.pause();
  const pushed = await stall(stalled, answers);
  expect(pushed * ROW_BYTES).toBeLessThan(16 * 1024 * 1024);
  const { taken } = stalled;
  for (let i = 0; i < 3; i++) {
    const quick = new FakeRows('push', `quick${i}`);
    fake.give(quick.push(['q', i]).finish('limit'));
    expect(await (await post('/query-stream', body)).text()).toContain(`["q",${i}]`);
  }
  expect(stalled.taken).toBe(taken);
  expect(stalled.closed).toBe(false);
  slow.socket.resume();
  await until(() => !stalled.paused);
  slow.destroy();
  await stalled.whenClosed;
});

test('waiting for a slow client leaves no listeners behind', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  try {
    const rows = new FakeRows();
    fake.give(rows);
    const text = 'x'.repeat(128 * 1024);
    for (let i = 0; i < 200; i++) rows.push([text, i]);
    rows.finish('limit');
    const response = await post('/query-stream', JSON.stringify({ sql: SQL }));
    expect((await response.text()).length).toBeGreaterThan(200 * text.length);
    await answers();
    expect(warnings.map(String)).toEqual([]);
  } finally {
    process.off('warning', warned);
  }
});

test('an absolute-form target is served like its path', async () => {
  fake.answer({ '@type': 'streams', streams: [] });
  const text = await client()
    .write(request('http://localhost:1234/ksql', '{"ksql":"SHOW STREAMS;"}'))
    .until(/\]/);
  expect(text).toMatch(/^HTTP\/1.1 200 /);
  expect(text).toContain('"@type":"streams"');
});

test.each([
  '//',
  '///ksql',
  '/%',
  '/%00',
  '/../../etc/passwd',
  'http://',
  'http://[::/x',
  '*',
  '/ksql?a=%zz',
  '/ws/query',
])('the target %s gets an answer', async (target) => {
  const text = await client().write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    .ended;
  expect(text).toMatch(/^HTTP\/1.1 (307|4\d\d) /);
  await answers();
});

test.each([
  ['words', 'GARBAGE'],
  ['control characters', '\u0000\u0001\u0002\u0003\r\n\r\n'],
  ['a version of the future', 'GET / HTTP/9.9\r\n\r\n'],
  ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['an endless target', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`],
])('what is not HTTP is refused: %s', async (_what, bytes) => {
  const text = await client().write(Buffer.from(bytes, 'latin1')).write('\r\n\r\n').ended;
  expect(text).toMatch(/^HTTP\/1.1 4\d\d /);
  await answers();
});

test.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s /ksql is not allowed', async (method) => {
  const response = await fetch(`${url}/ksql`, { method });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a body that is too large is refused, and the answer still reaches the client', async () => {
  const response = await post('/ksql', Buffer.alloc(17 * 1024 * 1024, 0x20));
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ '@type': 'generic_error', error_code: 41300 });
  expect(fake.executed).toEqual([]);
  await answers();
});

test('a body of random bytes is refused', async () => {
  expect((await post('/query-stream', Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80]))).status).toBe(400);
});

test('a request that is broken off in its body disturbs nobody and runs nothing', async () => {
  for (const rest of [
    'POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"ksql":"DROP',
    'POST /ksql HTT',
  ])
    client().write(rest).destroy();
  const half = client().write(
    'POST /query-stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"sql',
  );
  half.socket.end();
  await half.ended;
  await answers();
  expect(fake.executed).toEqual([]);
});

test('an engine that fails costs one request', async () => {
  fake.respond = () => {
    throw new RangeError('inside');
  };
  const response = await post('/ksql', '{"ksql":"SHOW STREAMS;"}');
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error_code: 50000, message: 'inside' });
  await answers();
});

test('closing ends running queries well formed and lets go of idle and half-open connections', async () => {
  const rows = new FakeRows().push(['a', 1]);
  fake.give(rows);
  const reading = post('/query', JSON.stringify({ ksql: SQL })).then((response) => response.json());
  await until(() => rows.taken === 1);
  client();
  await client().write('POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Le').until(/^/);
  await server.close();
  expect(((await reading) as unknown[]).at(-1)).toEqual({ finalMessage: 'Query Completed' });
  expect(rows.closed).toBe(true);
  await expect(fetch(`${url}/info`)).rejects.toThrow();
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
});

test('closing does not wait for a client that stopped reading', async () => {
  const stalled = new FakeRows('push', 'stalled');
  fake.give(stalled);
  const slow = client();
  slow.write(request('/query-stream', JSON.stringify({ sql: SQL })));
  await slow.until(/columnNames/);
  slow.socket.pause();
  await stall(stalled, answers);
  await server.close();
  expect(stalled.closed).toBe(true);
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
});
