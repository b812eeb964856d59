import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer, type Server } from '../../../src/server/server.ts';
import { FakeEngine, FakeRows } from '../../harness/fake-engine.ts';
import { until } from '../../harness/until.ts';
import { RawClient } from './raw-client.ts';

/** Clients ask for other protocols by the way, and go on in HTTP when that is not answered (RFC 9110 §7.8). */

let fake: FakeEngine;
let server: Server;
let raw: RawClient;
const warnings: string[] = [];
const warned = (warning: Error): void => void warnings.push(String(warning));

beforeEach(async () => {
  process.on('warning', warned);
  fake = new FakeEngine();
  fake.answer({ '@type': 'streams', streams: [] });
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
  raw = new RawClient(server.port);
});
afterEach(async () => {
  raw.destroy();
  await server.close();
  process.off('warning', warned);
  expect(warnings.splice(0)).toEqual([]);
});

/** As Java's client and curl --http2 ask. */
const H2C = [
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
];
const get = (path: string, headers: readonly string[] = H2C): string =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
const post = (sql: string, headers: readonly string[] = H2C): string => {
  const body = JSON.stringify({ ksql: sql });
  const head = [`POST /ksql HTTP/1.1`, 'Host: localhost', ...headers, `Content-Length: ${body.length}`];
  return [...head, '', body].join('\r\n');
};
const inChunks = (sql: string): string => {
  const body = JSON.stringify({ ksql: sql });
  const head = [`POST /ksql HTTP/1.1`, 'Host: localhost', ...H2C, 'Transfer-Encoding: chunked'];
  return [...head, '', body.length.toString(16), body, '0', '', ''].join('\r\n');
};

const statuses = (): string[] => [...raw.received.matchAll(/HTTP\/1.1 (\d+)/g)].map((match) => match[1]!);
const executed = (): string[] => fake.executed.map(({ text }) => text);

test.each([
  ['of curl and Java', H2C],
  ['to TLS', ['Connection: upgrade', 'Upgrade: TLS/1.2']],
  ['to a list', ['Connection: keep-alive, Upgrade', 'Upgrade: h2c, foo/2']],
  ['that is not announced in Connection', ['Upgrade: h2c']],
])('an upgrade %s is ignored, with a body and without', async (_what, headers) => {
  raw.write(get('/info', headers));
  await until(() => statuses().length === 1);
  raw.write(post('LIST STREAMS;', headers));
  await until(() => statuses().length === 2);
  expect(statuses()).toEqual(['200', '200']);
  expect(executed()).toEqual(['LIST STREAMS;']);
});

test('requests that come together are all answered, in order, whichever ask for an upgrade', async () => {
  raw.write(
    [
      get('/info'),
      post('SHOW A;'.replace('A', 'STREAMS')),
      get('/nothing', []),
      inChunks('LIST TABLES;'),
      get('/info'),
      post('LIST QUERIES;', []),
      get('/nowhere', ['Connection: close']),
    ].join(''),
  );
  await raw.ended;
  expect(statuses()).toEqual(['200', '200', '404', '200', '200', '200', '404']);
  expect(executed()).toEqual(['SHOW STREAMS;', 'LIST TABLES;', 'LIST QUERIES;']);
});

test('a request that comes byte by byte is answered', async () => {
  for (const byte of Buffer.from(post('LIST STREAMS;') + inChunks('LIST TABLES;') + get('/info'))) {
    raw.write(Buffer.of(byte));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await until(() => statuses().length === 3);
  expect(statuses()).toEqual(['200', '200', '200']);
  expect(executed()).toEqual(['LIST STREAMS;', 'LIST TABLES;']);
});

test('one that comes while another is answered waits for it', async () => {
  let answer: () => void = () => undefined;
  fake.respond = () =>
    new Promise((resolve) => {
      answer = () => resolve({ kind: 'entity', entity: { '@type': 'streams', streams: [] } });
    });
  raw.write(post('LIST STREAMS;', []) + get('/nothing') + get('/info', []));
  await until(() => fake.executed.length === 1);
  const other = new RawClient(server.port);
  await other.write(get('/info')).until(/\}$/);
  other.destroy();
  expect(raw.received).toBe('');
  answer();
  await until(() => statuses().length === 3);
  expect(statuses()).toEqual(['200', '404', '200']);
});

test('a connection may ask for it again and again', async () => {
  for (let i = 1; i <= 100; i++) {
    raw.write(i % 2 === 0 ? get('/info') : post('LIST STREAMS;'));
    await until(() => statuses().length === i);
  }
  expect(new Set(statuses())).toEqual(new Set(['200']));
});

test('rows are streamed to who asked for it, and its leaving ends the query', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const body = '{"sql":"SELECT * FROM S EMIT CHANGES;"}';
  const head = ['POST /query-stream HTTP/1.1', 'Host: localhost', ...H2C, `Content-Length: ${body.length}`];
  raw.write([...head, '', body].join('\r\n'));
  rows.push(['a', 1]);
  await raw.until(/\["a",1\]/);
  raw.destroy();
  await rows.whenClosed;
});

test('one that leaves at once disturbs nobody', async () => {
  for (let i = 0; i < 20; i++) new RawClient(server.port).write(get('/info')).destroy();
  await raw.write(get('/info')).until(/\}$/);
});

test('a WebSocket is let through behind one', async () => {
  fake.give(new FakeRows());
  const request = encodeURIComponent(JSON.stringify({ ksql: 'SELECT * FROM S EMIT CHANGES;' }));
  await raw.write(get('/info')).until(/\}$/);
  raw.write(
    get(`/ws/query?request=${request}`, [
      'Connection: Upgrade',
      'Upgrade: WebSocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]),
  );
  await raw.until(/HTTP\/1.1 101 /);
});
