import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AccessPolicy } from '../../../src/server/access-policy.ts';
import { routes } from '../../../src/server/routes/routes.ts';
import { startServer, type Server } from '../../../src/server/server.ts';
import { FakeEngine, FakeRows } from '../../harness/fake-engine.ts';
import { RawClient } from './raw-client.ts';

/** Who may use a server on this machine: programs may, web pages may not unless they are its own or allowed. */

const ALLOWED_ORIGIN = 'https://app.example:8443';
const ALLOWED_HOST = 'ksql.example';

let fake: FakeEngine;
let server: Server;
const raw: RawClient[] = [];

beforeEach(async () => {
  fake = new FakeEngine();
  fake.answer({ '@type': 'streams', streams: [] });
  server = await startServer({
    engine: fake.engine,
    host: '127.0.0.1',
    port: 0,
    version: '1.2.3',
    allowedOrigins: [ALLOWED_ORIGIN, 'http://plain.example'],
    allowedHosts: [ALLOWED_HOST],
  });
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

interface Answer {
  readonly status: number;
  /** With its line end in front of each header. */
  readonly head: string;
  readonly body: string;
}

async function send(method: string, target: string, headers: readonly string[], body = ''): Promise<Answer> {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers, `Content-Length: ${body.length}`];
  const upgrade = headers.some((header) => header.startsWith('Upgrade'));
  if (!upgrade) lines.push('Connection: close');
  const one = client().write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  // A WebSocket that is let in stays open.
  const text = await (upgrade ? one.until(/\r\n\r\n/) : one.ended);
  one.destroy();
  const [head, ...rest] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1.1 (\d+)/.exec(text)![1]), head: head!, body: rest.join('\r\n\r\n') };
}

const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** What a client may call this server by, and whether it may. PORT stands for the server's. */
const HOSTS: readonly (readonly [host: string, accepted: boolean])[] = [
  ['localhost:PORT', true],
  ['LocalHost.:PORT', true],
  ['localhost', true],
  ['db.localhost:PORT', true],
  ['127.0.0.1:PORT', true],
  ['127.9.8.7:1', true],
  ['[::1]:PORT', true],
  ['[::ffff:127.0.0.1]:PORT', true],
  ['KSQL.example', true],
  ['ksql.example.:99', true],
  ['evil.example:PORT', false],
  ['localhost.evil.example', false],
  ['evillocalhost', false],
  ['127.0.0.1.evil.example:PORT', false],
  ['192.168.0.7:PORT', false],
  ['[::2]:PORT', false],
  ['128.0.0.1', false],
];

/** Whose page says it is asking. HOST stands for what the server is called by in the same request. */
const ORIGINS: readonly (readonly [origin: string | null, allowed: boolean])[] = [
  [null, true],
  ['http://HOST', true],
  [ALLOWED_ORIGIN, true],
  ['HTTPS://App.Example:8443', true],
  ['http://plain.example:80', true],
  ['null', false],
  ['', false],
  ['https://HOST', false],
  ['http://localhost:3000', false],
  ['http://evil.example', false],
  ['https://app.example', false],
  ['http://app.example:8443', false],
  ['https://sub.app.example:8443', false],
  ['https://app.example:8443.evil.example', false],
  ['https://app.example:8443@evil.example', false],
  ['https://evil.example https://app.example:8443', false],
  ['http://HOST/path', false],
  ['chrome-extension://abcdefgh', false],
];

const ENDPOINTS = [
  ...routes.map(({ method, path }) => ({ method, target: path.replace(':name', 'x'), upgrade: false })),
  { method: 'GET', target: '/nothing', upgrade: false },
  { method: 'OPTIONS', target: '/ksql', upgrade: false },
  { method: 'GET', target: '/ws/query', upgrade: true },
  { method: 'GET', target: '/ws/other', upgrade: true },
];
const TYPES = [null, 'text/plain', 'application/x-www-form-urlencoded', 'application/vnd.ksql.v1+json'];

describe.each(ENDPOINTS)('$method $target', ({ method, target, upgrade }) => {
  test.each(HOSTS)('called by %s', async (host, hostAccepted) => {
    const hostText = host.replace('PORT', String(server.port));
    const wrong: unknown[] = [];
    const types = method === 'POST' ? TYPES : [null];
    await Promise.all(
      ORIGINS.flatMap(([origin, allowed]) =>
        types.map(async (type) => {
          const headers = [`Host: ${hostText}`];
          if (origin !== null) headers.push(`Origin: ${origin.replace('HOST', hostText)}`);
          if (type !== null) headers.push(`Content-Type: ${type}`);
          if (upgrade) headers.push(...WEBSOCKET);
          const { status, body } = await send(
            method,
            target,
            headers,
            method === 'POST' ? '{"ksql":"LIST STREAMS;"}' : '',
          );
          const served = status !== 403;
          if (served !== (hostAccepted && allowed)) wrong.push({ host, origin, type, status });
          if (!served && !upgrade) expect(JSON.parse(body)).toMatchObject({ error_code: 40300 });
        }),
      ),
    );
    expect(wrong).toEqual([]);
    const admitted = hostAccepted && target === '/ksql' && method === 'POST';
    expect(fake.executed.length).toBe(
      admitted ? TYPES.length * ORIGINS.filter(([, allowed]) => allowed).length : 0,
    );
  });
});

test.each([
  ['cross-site', null, false],
  ['Cross-Site', null, false],
  ['cross-site', 'http://localhost', false],
  // Of an allowed origin a browser says the same.
  ['cross-site', ALLOWED_ORIGIN, true],
  ['same-site', null, true],
  ['same-site', 'http://localhost:3000', false],
  ['same-origin', 'http://localhost', true],
  ['same-origin', 'http://evil.example', false],
  ['none', null, true],
])('Sec-Fetch-Site: %s of a page of %s', async (site, origin, served) => {
  const headers = ['Host: localhost', `Sec-Fetch-Site: ${site}`];
  if (origin !== null) headers.push(`Origin: ${origin}`);
  expect((await send('POST', '/ksql', headers, '{"ksql":"LIST STREAMS;"}')).status).toBe(served ? 200 : 403);
  expect((await send('GET', '/ws/query', [...headers, ...WEBSOCKET])).status).toBe(served ? 101 : 403);
});

test.each([
  ['no Host', '/info', [], 400],
  ['two Hosts', '/info', ['Host: localhost', 'Host: localhost'], 400],
  ['two Hosts of which one is foreign', '/info', ['Host: localhost', 'Host: evil.example'], 400],
  ['an empty Host', '/info', ['Host: '], 400],
  ['a Host with a user', '/info', ['Host: localhost@evil.example'], 400],
  ['a Host with a path', '/info', ['Host: localhost/evil.example'], 400],
  ['a Host with a list', '/info', ['Host: localhost, evil.example'], 400],
  ['a foreign target', 'http://evil.example/info', ['Host: localhost'], 403],
  ['a foreign Host under a local target', 'http://localhost/info', ['Host: evil.example'], 403],
  ['a target with a user', 'http://localhost@evil.example/info', ['Host: localhost'], 400],
  ['a local target', 'http://localhost/info', ['Host: localhost'], 200],
  ['two Origins', '/info', ['Host: localhost', 'Origin: http://localhost', 'Origin: http://localhost'], 403],
  [
    'two Origins, one allowed',
    '/info',
    ['Host: localhost', `Origin: ${ALLOWED_ORIGIN}`, 'Origin: http://evil'],
    403,
  ],
])('%s', async (_what, target, headers, status) => {
  expect((await send('GET', target, headers)).status).toBe(status);
  if (status === 200) return;
  expect((await send('GET', target.replace('/info', '/ws/query'), [...headers, ...WEBSOCKET])).status).toBe(
    status,
  );
});

test('who reaches the server over the network may call it by any name, and pages stay out all the same', () => {
  const policy = new AccessPolicy({ allowedOrigins: [], allowedHosts: [], listensOn: '0.0.0.0' });
  const admits = (localAddress: string | undefined, ...rawHeaders: string[]): boolean => {
    try {
      policy.admit({ httpVersion: '1.1', target: '/', rawHeaders, localAddress });
      return true;
    } catch {
      return false;
    }
  };
  for (const address of ['192.168.0.7', '2001:db8::1', '::ffff:10.0.0.1']) {
    expect(admits(address, 'Host', 'millrace:8088')).toBe(true);
    expect(admits(address, 'Host', 'millrace:8088', 'Origin', 'http://evil.example')).toBe(false);
  }
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined]) {
    expect(admits(address, 'Host', 'millrace:8088')).toBe(false);
    expect(admits(address, 'Host', '0.0.0.0:8088')).toBe(true);
  }
});

test('a request of HTTP/1.0 needs no Host', async () => {
  const text = await client().write('GET /info HTTP/1.0\r\n\r\n').ended;
  expect(text).toMatch(/^HTTP\/1.1 200 /);
  const page = await client().write('GET /info HTTP/1.0\r\nOrigin: http://localhost\r\n\r\n').ended;
  expect(page).toMatch(/^HTTP\/1.1 403 /);
});

test('a page of an allowed origin may read answers, streamed ones too, and is answered before it asks', async () => {
  const headers = ['Host: localhost', `Origin: ${ALLOWED_ORIGIN}`];
  const read = await send('GET', '/info', headers);
  expect(read.head).toContain(`\r\naccess-control-allow-origin: ${ALLOWED_ORIGIN}`);
  expect(read.head).toContain('\r\nvary: Origin');

  fake.give(new FakeRows().push(['a', 1]).finish('limit'));
  const streamed = await send('POST', '/query-stream', headers, '{"sql":"SELECT * FROM S EMIT CHANGES;"}');
  expect(streamed.body).toContain('["a",1]');
  expect(streamed.head).toContain(`\r\naccess-control-allow-origin: ${ALLOWED_ORIGIN}`);

  const asked = [
    ...headers,
    'Access-Control-Request-Method: POST',
    'Access-Control-Request-Headers: content-type',
  ];
  const preflight = await send('OPTIONS', '/query-stream', asked);
  expect(preflight.status).toBe(204);
  expect(preflight.head).toContain('\r\naccess-control-allow-methods: GET, POST');
  expect(preflight.head).toContain('\r\naccess-control-allow-headers: content-type');
});

test('who is not an allowed page is told nothing of allowed ones, but that it matters', async () => {
  for (const headers of [['Host: localhost'], ['Host: localhost', 'Origin: http://evil.example']]) {
    const { head } = await send('GET', '/info', headers);
    expect(head).not.toContain('access-control');
    expect(head).toContain('\r\nvary: Origin');
  }
  const asked = ['Host: localhost', 'Origin: http://evil.example', 'Access-Control-Request-Method: POST'];
  expect((await send('OPTIONS', '/ksql', asked)).status).toBe(403);
});

test('a body is not waited for before a page is refused', async () => {
  const text = await client()
    .write('POST /ksql HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000\r\n\r\n{')
    .until(/\}$/);
  expect(text).toMatch(/^HTTP\/1.1 403 /);
});

test.each(['*', 'null', 'app.example', 'https://app.example/', 'https://*.example', 'http://a b'])(
  'an allowed origin cannot be %s',
  (origin) => {
    const rules = { allowedOrigins: [origin], allowedHosts: [], listensOn: '127.0.0.1' };
    expect(() => new AccessPolicy(rules)).toThrow(/^an origin is /);
  },
);

test.each(['*', 'a:80', 'http://a', '', 'a/b'])('an allowed host cannot be %s', (host) => {
  const rules = { allowedOrigins: [], allowedHosts: [host], listensOn: '127.0.0.1' };
  expect(() => new AccessPolicy(rules)).toThrow(/^a host is /);
});

test('an Origin behind thousands of other headers is seen', async () => {
  const many = Array.from({ length: 3000 }, () => 'a:');
  const headers = [`Host: 127.0.0.1:${server.port}`, ...many, 'Origin: https://evil.example'];
  expect(await send('POST', '/ksql', headers, '{"ksql":"SHOW STREAMS;"}')).toMatchObject({ status: 403 });
});
