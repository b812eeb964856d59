import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import type { ServerLimits } from '../../../src/server/limits.ts';
import { RequestBodies } from '../../../src/server/request-bodies.ts';
import { startServer, type Server } from '../../../src/server/server.ts';
import { FakeEngine, FakeRows } from '../../harness/fake-engine.ts';
import { until } from '../../harness/until.ts';
import { RawClient } from './raw-client.ts';

/** What a peer may take: in bytes, in time, in number; one alone and all together. */

let fake: FakeEngine;
let server: Server;
const raw: RawClient[] = [];

afterEach(async () => {
  for (const client of raw.splice(0)) client.destroy();
  await server?.close();
});

async function start(limits: Partial<ServerLimits> = {}): Promise<void> {
  fake = new FakeEngine();
  fake.answer({ '@type': 'streams', streams: [] });
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3', limits });
}

const client = (): RawClient => {
  const opened = new RawClient(server.port);
  raw.push(opened);
  return opened;
};

const BODY = '{"ksql":"LIST STREAMS;"}';
const head = (bytes: number): string =>
  `POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n`;
const statusOf = (text: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1]);

test.each([
  ['a head', 'POST /ksql HTTP/1.1\r\nHost: local'],
  ['a body', head(1000) + BODY],
  [
    'a body in chunks',
    'POST /ksql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n',
  ],
  ['a body behind an upgrade', `${head(1000).replace('\r\n\r\n', '\r\nUpgrade: h2c\r\n\r\n')}{`],
])('%s that does not come in time is answered with 408', async (_what, text) => {
  await start({ headMs: 50, requestMs: 100 });
  const answer = await client().write(text).ended;
  expect(statusOf(answer)).toBe(408);
  expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
    '@type': 'generic_error',
    error_code: 40800,
  });
  expect(fake.executed).toEqual([]);
});

test('a head that is too large is answered with 431', async () => {
  await start();
  const answer = await client().write(
    `GET /info HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  ).ended;
  expect(statusOf(answer)).toBe(431);
});

test('garbage in the middle of an answer ends the connection, and nothing is written into the answer', async () => {
  await start();
  const rows = new FakeRows().push(['a', 1]);
  fake.give(rows);
  const sql = '{"sql":"SELECT * FROM S EMIT CHANGES;"}';
  const one = client().write(head(sql.length).replace('/ksql', '/query-stream') + sql);
  await one.until(/\["a",1\]/);
  one.write('GARBAGE\r\n\r\n');
  expect((await one.ended).match(/HTTP\/1.1/g)).toHaveLength(1);
  await rows.whenClosed;
});

test('when the bodies of all are too large together the largest is given up, and small ones are served', async () => {
  await start({ bodyBytes: 60_000, bodiesBytes: 100_000 });
  const large = client().write(head(60_000) + ' '.repeat(59_000));
  const middle = client().write(head(60_000) + ' '.repeat(30_000));
  // Its answer comes when what was written before has been read, or it would not have been looked at.
  await until(() => large.socket.bytesWritten > 59_000 && middle.socket.bytesWritten > 30_000);
  expect(
    statusOf(
      await client()
        .write(head(BODY.length) + BODY)
        .until(/\]$/),
    ),
  ).toBe(200);
  const third = client().write(head(60_000) + ' '.repeat(30_000));
  const refused = await large.until(/\}$/);
  expect(statusOf(refused)).toBe(503);
  expect(refused).toContain('\r\nretry-after: 1');
  expect(
    statusOf(
      await client()
        .write(head(BODY.length) + BODY)
        .until(/\]$/),
    ),
  ).toBe(200);
  // There is room for these now.
  for (const each of [middle, third]) {
    each.write(BODY + ' '.repeat(30_000 - BODY.length));
    expect(statusOf(await each.until(/\]$/))).toBe(200);
  }
});

test('a body counts until its request is answered, and no longer', async () => {
  const bodies = new RequestBodies(1000, 1500);
  const frees: (() => void)[] = [];
  const read = (bytes: number, end = true): { body: Promise<Buffer>; stream: PassThrough } => {
    const stream = new PassThrough();
    const body = bodies.read(stream, (free) => frees.push(free));
    stream.write(Buffer.alloc(bytes, 1));
    if (end) stream.end();
    return { body, stream };
  };
  expect((await read(900).body).length).toBe(900);
  await expect(read(700).body).rejects.toMatchObject({ code: 50300 });
  await expect(read(1001).body).rejects.toMatchObject({ code: 41300 });
  const leaving = read(100, false);
  await until(() => bodies.totalBytes === 1000);
  leaving.stream.destroy();
  await expect(leaving.body).rejects.toMatchObject({ code: 40000 });
  for (const free of frees) free();
  for (const free of frees) free();
  expect(bodies.totalBytes).toBe(0);
  expect((await read(900).body).length).toBe(900);
});

test('a body that comes byte by byte takes no more room than another', async () => {
  const bodies = new RequestBodies(1 << 20, 1 << 20);
  const stream = new PassThrough({ highWaterMark: 1 });
  const body = bodies.read(stream, () => undefined);
  const text = 'byte by byte '.repeat(1000);
  for (const byte of Buffer.from(text)) stream.write(Buffer.of(byte));
  stream.end();
  expect((await body).toString()).toBe(text);
  expect((await body).buffer.byteLength).toBeLessThan(2 * text.length + 1024);
});

test('more connections than allowed are turned away, and room is made by who leaves', async () => {
  await start({ connections: 2 });
  const info = 'GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const first = client().write(info);
  await first.until(/\}$/);
  await client().write(info).until(/\}$/);
  expect(await client().write(info).ended).toBe('');
  first.destroy();
  await first.ended;
  let text = '';
  while (text === '')
    text = await client()
      .write(info)
      .until(/\}$/)
      .catch(() => '');
  expect(statusOf(text)).toBe(200);
});

const statements = (count: number): string =>
  JSON.stringify({ ksql: "LIST STREAMS; -- ';'\n".repeat(count) });

test('a request with more statements than allowed runs none of them', async () => {
  await start({ statements: 50 });
  const ask = async (body: string): Promise<string> =>
    client()
      .write(head(Buffer.byteLength(body)) + body)
      .until(/[\]}]$/);
  expect(statusOf(await ask(statements(50)))).toBe(200);
  expect(fake.executed).toHaveLength(50);
  for (const body of [statements(51), statements(50).replace(/"}$/, 'LIST STREAMS"}'), statements(5000)]) {
    const answer = await ask(body);
    expect(statusOf(answer)).toBe(400);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
      error_code: 40003,
      message: expect.stringMatching(
        /^the request has more than 50 statements, of which none has been run/,
      ) as unknown,
    });
  }
  expect(fake.executed).toHaveLength(50);
});

test('others are served while many statements are read and run', async () => {
  await start();
  const many = statements(20_000);
  let answered = false;
  const answer = client()
    .write(head(many.length) + many)
    .until(/\]$/)
    .finally(() => (answered = true));
  let served = 0;
  while (!answered) {
    expect(statusOf(await client().write('GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n').until(/\}$/))).toBe(
      200,
    );
    served++;
  }
  await answer;
  expect(fake.executed).toHaveLength(20_000);
  expect(served).toBeGreaterThan(5);
});

test('a mistake in a later statement is shown with its line in the whole', async () => {
  await start();
  const body = JSON.stringify({ ksql: 'LIST STREAMS;\n/* ; */ LIST TABLES;\n\n  SELEKT 1;' });
  const answer = await client()
    .write(head(body.length) + body)
    .until(/\}$/);
  expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
    error_code: 40001,
    message: expect.stringMatching(/\(line 4, column 3\)\n {2}.*SELEKT 1;/) as unknown,
  });
  expect(fake.executed).toEqual([]);
});
