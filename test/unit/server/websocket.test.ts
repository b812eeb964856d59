import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SqlError } from '../../../src/common/error.ts';
import { startServer, type Server } from '../../../src/server/server.ts';
import { FAKE_COLUMNS, FakeEngine, FakeRows } from '../../harness/fake-engine.ts';
import { until } from '../../harness/until.ts';
import { handshake, RawClient } from './raw-client.ts';
import { ROW_BYTES, stall } from './stall.ts';

/** The WebSocket endpoint with real clients: frames, codes, garbage, and clients that stop reading. */

let fake: FakeEngine;
let server: Server;
const raw: RawClient[] = [];
const opened: Client[] = [];

beforeEach(async () => {
  fake = new FakeEngine();
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
});
afterEach(async () => {
  for (const client of raw.splice(0)) client.destroy();
  for (const client of opened.splice(0)) client.socket.terminate();
  await server.close();
});

class Client {
  readonly socket: WebSocket;
  readonly frames: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(query: string) {
    this.socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws/query${query}`);
    this.socket.on('message', (data: Buffer) => this.frames.push(data.toString()));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    opened.push(this);
  }
}

const SQL = 'SELECT * FROM S EMIT CHANGES;';
const ask = (sql = SQL, more: object = {}): Client =>
  new Client(`?request=${encodeURIComponent(JSON.stringify({ ksql: sql, ...more }))}&version=1`);
const rawClient = (): RawClient => {
  const client = new RawClient(server.port);
  raw.push(client);
  return client;
};

async function answers(): Promise<void> {
  expect((await fetch(`http://127.0.0.1:${server.port}/info`)).status).toBe(200);
}

/** A masked client frame with the given first byte. */
function frame(first: number, payload: Buffer, lengthByte = 0x80 | payload.length): Buffer {
  return Buffer.concat([Buffer.from([first, lengthByte, 0, 0, 0, 0]), payload]);
}

const SCHEMA = JSON.stringify([
  { name: 'K', schema: { type: 'STRING', fields: null, memberSchema: null } },
  { name: 'V', schema: { type: 'INTEGER', fields: null, memberSchema: null } },
]);

test('columns, a frame a row without removals, done, and a normal close', async () => {
  const rows = new FakeRows().push(['a', 1]).push(['b', null], true).push(['ü"', null]).finish('limit');
  fake.give(rows);
  const client = ask();
  expect(await client.closed).toEqual({ code: 1000, reason: 'done' });
  expect(client.frames).toEqual([
    SCHEMA,
    '{"row":{"columns":["a",1]}}',
    '{"row":{"columns":["ü\\"",null]}}',
    '{"error":"done"}',
  ]);
  expect(rows.closed).toBe(true);
});

test('removals come to those who ask for them', async () => {
  fake.give(new FakeRows().push(['b', null], true).finish('limit'));
  const client = ask(SQL, { tombstones: true });
  await client.closed;
  expect(client.frames[1]).toBe('{"row":{"columns":["b",null],"tombstone":true}}');
});

test('rows come while the query runs', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = ask();
  for (let i = 1; i <= 3; i++) {
    rows.push(['a', i]);
    await until(() => client.frames.length === i + 1);
    expect(client.frames.at(-1)).toBe(`{"row":{"columns":["a",${i}]}}`);
  }
});

test('a pull query that finds nothing gives its columns and ends', async () => {
  fake.give(new FakeRows('pull').finish('complete'));
  const client = ask('SELECT * FROM T;');
  expect((await client.closed).code).toBe(1000);
  expect(client.frames).toEqual([SCHEMA, '{"error":"done"}']);
});

test('PRINT gives a JSON string a line and no columns', async () => {
  fake.give(new FakeRows('print', 'p', [FAKE_COLUMNS[0]!]).push(['line "1"']).finish('limit'));
  const client = ask("PRINT 't' LIMIT 1;");
  await client.closed;
  expect(client.frames).toEqual(['"line \\"1\\""', '{"error":"done"}']);
});

test('properties of the request reach the query', async () => {
  fake.give(new FakeRows().finish('limit'));
  await ask(SQL, { streamsProperties: { 'auto.offset.reset': 'latest' } }).closed;
  expect([...fake.executed[0]!.session.properties]).toEqual([['auto.offset.reset', 'latest']]);
});

test.each([
  ['no request', ''],
  ['an empty request', '?request='],
  ['text', '?request=garbage'],
  ['a broken encoding', '?request=%zz%ff%'],
  ['an array', '?request=[1]'],
  ['no statement', '?request={}'],
  ['a statement that is no query', `?request=${encodeURIComponent('{"ksql":"SHOW STREAMS;"}')}`],
  ['two queries', `?request=${encodeURIComponent(JSON.stringify({ ksql: SQL + SQL }))}`],
  ['a syntax error', `?request=${encodeURIComponent('{"ksql":"SELEC 1;"}')}`],
  [
    'a bad property',
    `?request=${encodeURIComponent(JSON.stringify({ ksql: SQL, streamsProperties: { 'auto.offset.reset': 'x' } }))}`,
  ],
])('%s is refused with 1003 and says why', async (_what, query) => {
  const client = new Client(query);
  const { code, reason } = await client.closed;
  expect(code).toBe(1003);
  expect(client.frames).toHaveLength(1);
  const { error } = JSON.parse(client.frames[0]!) as { error: string };
  expect(error.length).toBeGreaterThan(5);
  expect(error.startsWith(reason) && reason.length > 5).toBe(true);
  expect(fake.executed).toEqual([]);
});

test('a statement that the engine refuses: 1003, the whole error in the frame, its beginning in the reason', async () => {
  fake.respond = () => new SqlError('ML_NAME_UNKNOWN', `stream ${'ü'.repeat(200)} does not exist`);
  const client = ask();
  const { code, reason } = await client.closed;
  expect(code).toBe(1003);
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  expect(Buffer.byteLength(reason)).toBeGreaterThan(120);
  expect(reason).toMatch(/ü$/);
  expect(client.frames[0]).toContain('does not exist');
});

test('a query that fails while it runs: its rows, the error, 1011', async () => {
  const rows = new FakeRows().push(['a', 1]).fail(new Error('broke'));
  fake.give(rows);
  const client = ask();
  expect(await client.closed).toEqual({ code: 1011, reason: 'broke' });
  expect(client.frames.slice(1)).toEqual(['{"row":{"columns":["a",1]}}', '{"error":"broke"}']);
  expect(rows.closed).toBe(true);
});

test('a client that closes ends its query', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = ask();
  await until(() => client.frames.length === 1);
  client.socket.close();
  await rows.whenClosed;
  expect((await client.closed).code).toBe(1005);
});

test('a client that vanishes ends its query', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = ask();
  await until(() => client.frames.length === 1);
  client.socket.terminate();
  await rows.whenClosed;
});

test('a client that left while its query was being started leaves none behind', async () => {
  const rows = new FakeRows();
  let start = (): void => undefined;
  fake.respond = () =>
    new Promise((resolve) => {
      start = () => resolve({ kind: 'rows', rows });
    });
  const client = ask();
  await until(() => fake.executed.length === 1);
  client.socket.terminate();
  await client.closed;
  await answers();
  start();
  await rows.whenClosed;
});

test('what a client sends is ignored, text and binary', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = ask();
  await once(client.socket, 'open');
  client.socket.send('{"ksql":"DROP STREAM S;"}');
  client.socket.send(Buffer.from([0, 255, 1]));
  client.socket.ping('x');
  await once(client.socket, 'pong');
  rows.push(['a', 1]).finish('limit');
  expect((await client.closed).code).toBe(1000);
  expect(fake.executed).toHaveLength(1);
});

test('a message that is too large ends that client with 1009', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = ask();
  await once(client.socket, 'open');
  client.socket.send(Buffer.alloc(100_000));
  expect((await client.closed).code).toBe(1009);
  await rows.whenClosed;
  await answers();
});

test('a client that talks on and on is sent away', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = ask();
  await once(client.socket, 'open');
  for (let i = 0; i <= 1000; i++) client.socket.send('');
  expect((await client.closed).code).toBe(1008);
  await rows.whenClosed;
});

test('a client that asks whether anybody is there, and does not read, costs no memory', async () => {
  fake.give(new FakeRows());
  const slow = ask();
  await until(() => slow.frames.length === 1);
  slow.socket.pause();
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  // Each pong would be as long.
  const ping = Buffer.alloc(125);
  for (let i = 0; i < 200; i++) {
    for (let j = 0; j < 1000; j++) slow.socket.ping(ping);
    await answers();
  }
  await until(() => slow.socket.bufferedAmount === 0);
  const after = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  expect(after - before).toBeLessThan(200 * 1000 * 125);
  slow.socket.terminate();
});

test.each([
  ['an unmasked frame', Buffer.from([0x81, 0x01, 0x41])],
  ['reserved bits', frame(0xf1, Buffer.from('A'))],
  ['an unknown opcode', frame(0x83, Buffer.from('A'))],
  ['a continuation of nothing', frame(0x80, Buffer.from('A'))],
  ['text that is not UTF-8', frame(0x81, Buffer.from([0xc3, 0x28]))],
  ['a close code out of range', frame(0x88, Buffer.from([0, 1]))],
  ['a ping that is too long', frame(0x89, Buffer.alloc(200), 0xfe)],
  ['random bytes', Buffer.from('deadbeefcafebabe0123456789abcdef', 'hex')],
])('%s ends that client and its query, and nobody else', async (_what, bytes) => {
  const bystander = new FakeRows('push', 'bystander');
  const broken = new FakeRows('push', 'broken');
  fake.give(bystander, broken);
  const other = ask();
  await until(() => other.frames.length === 1);
  const client = rawClient().write(
    handshake(`/ws/query?request=${encodeURIComponent(JSON.stringify({ ksql: SQL }))}`),
  );
  await client.until(/columns|name/);
  client.write(bytes);
  await broken.whenClosed;
  bystander.push(['still', 1]).finish('limit');
  expect((await other.closed).code).toBe(1000);
  expect(other.frames).toContain('{"row":{"columns":["still",1]}}');
});

test('a connection that breaks in the middle of a frame ends its query', async () => {
  const rows = new FakeRows();
  fake.give(rows);
  const client = rawClient().write(
    handshake(`/ws/query?request=${encodeURIComponent(JSON.stringify({ ksql: SQL }))}`),
  );
  await client.until(/name/);
  client.write(Buffer.from([0x81, 0xfe, 0x10])).destroy();
  await rows.whenClosed;
});

test.each([
  ['another path', handshake('/elsewhere'), 404],
  ['an unreadable target', handshake('//'), 404],
  ['a target without end', handshake('//['), 404],
  ['an old version', handshake('/ws/query?request={}').replace('Version: 13', 'Version: 7'), 400],
  ['no key', handshake('/ws/query').replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
])('a handshake with %s is refused', async (_what, bytes, status) => {
  expect(await rawClient().write(bytes).ended).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  await answers();
});

test('a client that stops reading pauses its own query and nobody else, in bounded memory; it may go on later', async () => {
  const stalled = new FakeRows('push', 'stalled');
  fake.give(stalled);
  const slow = ask();
  await until(() => slow.frames.length === 1);
  slow.socket.pause();
  const pushed = await stall(stalled, answers);
  expect(pushed * ROW_BYTES).toBeLessThan(16 * 1024 * 1024);
  for (let i = 0; i < 3; i++) {
    fake.give(new FakeRows('push', `quick${i}`).push(['q', i]).finish('limit'));
    const quick = ask();
    expect((await quick.closed).code).toBe(1000);
    expect(quick.frames).toHaveLength(3);
  }
  expect(stalled.closed).toBe(false);
  slow.socket.resume();
  await until(() => slow.frames.length === pushed + 1);
  expect(stalled.paused).toBe(false);
});

test('a client that stopped reading and goes away ends its query', async () => {
  const stalled = new FakeRows('push', 'stalled');
  fake.give(stalled);
  const slow = ask();
  await until(() => slow.frames.length === 1);
  slow.socket.pause();
  await stall(stalled, answers);
  slow.socket.terminate();
  await stalled.whenClosed;
});

test('closing tells every client, cuts off those that do not read, and ends all queries', async () => {
  const reading = new FakeRows('push', 'reading');
  const stalled = new FakeRows('push', 'stalled');
  fake.give(reading, stalled);
  const client = ask();
  await until(() => client.frames.length === 1);
  const slow = ask();
  await until(() => slow.frames.length === 1);
  slow.socket.pause();
  await stall(stalled, answers);
  await server.close();
  expect(await client.closed).toEqual({ code: 1001, reason: 'the server is stopping' });
  expect([reading.closed, stalled.closed]).toEqual([true, true]);
  server = await startServer({ engine: fake.engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
});
