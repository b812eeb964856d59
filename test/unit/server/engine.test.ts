import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { RemoteBackend } from '../../../src/cli/backend/remote-backend.ts';
import { openTestEngine } from '../../../src/test-runner/open-test-engine.ts';
import { systemClock } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { PushQuery } from '../../../src/engine/push-query.ts';
import { newSession } from '../../../src/engine/session.ts';
import { type Server, startServer } from '../../../src/server/server.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { until } from '../../harness/until.ts';

/** The server over a real engine: what clients do to its queries. */

const ROWS = 20_000;
const PADDING = 'x'.repeat(2000);
const SQL = 'SELECT * FROM S EMIT CHANGES;';

let engine: Engine;
let server: Server;
const clients: WebSocket[] = [];

beforeEach(async () => {
  engine = await openTestEngine(systemClock, {});
  server = await startServer({ engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
  await run(
    "CREATE STREAM S (N INT, PADDING STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);",
  );
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await server.close();
  await engine.close();
});

async function run(sql: string): Promise<void> {
  for (const statement of parseStatements(sql)) await engine.execute(statement, newSession());
}

async function append(rows: number): Promise<void> {
  const writer = await engine.log.openWriter();
  for (let n = 0; n < rows; n++) {
    appendRecord(writer, { topic: 's', partition: 0 }, { value: JSON.stringify({ N: n, PADDING }) });
    if (n % 1000 === 999) await writer.flush();
  }
  await writer.flush();
  await writer.close();
}

function ask(sql: string): { socket: WebSocket; frames: string[] } {
  const socket = new WebSocket(
    `ws://127.0.0.1:${server.port}/ws/query?request=${encodeURIComponent(JSON.stringify({ ksql: sql }))}`,
  );
  const frames: string[] = [];
  socket.on('message', (data: Buffer) => frames.push(data.toString()));
  clients.push(socket);
  return { socket, frames };
}

test('a client that stops reading pauses its query in the engine; others get every row; it goes on where it was', async () => {
  const slow = ask(SQL);
  await until(() => slow.frames.length === 1);
  slow.socket.pause();
  const [stalled] = [...engine.pushQueries.values()] as [PushQuery];
  await append(ROWS);

  const quick = ask(`SELECT N FROM S EMIT CHANGES LIMIT ${ROWS};`);
  await until(() => quick.frames.length === ROWS + 2);
  expect(quick.frames.at(-2)).toBe(`{"row":{"columns":[${ROWS - 1}]}}`);
  expect(stalled.streams.state).toBe('paused');
  const { processedRecords } = stalled.streams;
  expect(processedRecords).toBeLessThan(ROWS);

  const again = ask('SELECT N FROM S EMIT CHANGES LIMIT 100;');
  await until(() => again.frames.length === 102);
  expect(stalled.streams.processedRecords).toBe(processedRecords);

  slow.socket.resume();
  await until(() => slow.frames.length === ROWS + 1);
  const numbers = slow.frames
    .slice(1)
    .map((frame) => (JSON.parse(frame) as { row: { columns: number[] } }).row.columns[0]);
  expect(numbers.every((n, i) => n === i)).toBe(true);
});

test('no query of a client outlives it', async () => {
  await append(10);
  const leaving = ask(SQL);
  const vanishing = ask(SQL);
  const refused = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.port}/query-stream`, {
    method: 'POST',
    body: JSON.stringify({ sql: SQL }),
    signal: refused.signal,
  });
  expect(response.status).toBe(200);
  await until(() => leaving.frames.length === 11 && vanishing.frames.length === 11);
  expect(engine.pushQueries.size).toBe(3);
  leaving.socket.close();
  vanishing.socket.terminate();
  refused.abort();
  await until(() => engine.pushQueries.size === 0);
});

test('close-query by somebody else ends a WebSocket client normally', async () => {
  const client = ask(SQL);
  await until(() => client.frames.length === 1);
  const [queryId] = [...engine.pushQueries.keys()];
  const closed = new Promise((resolve) => client.socket.on('close', resolve));
  const response = await fetch(`http://127.0.0.1:${server.port}/close-query`, {
    method: 'POST',
    body: JSON.stringify({ queryId }),
  });
  expect(response.status).toBe(200);
  expect(await closed).toBe(1000);
  expect(client.frames.at(-1)).toBe('{"error":"done"}');
});

test('assertions that a client sends one by one take one record after the other', async () => {
  await run("INSERT INTO S VALUES (1, 'a'); INSERT INTO S VALUES (2, 'b');");
  const backend = await RemoteBackend.open(`http://127.0.0.1:${server.port}`);
  const session = newSession();
  const assert = (n: number) =>
    backend.execute(parseStatements(`ASSERT VALUES S (N) VALUES (${n});`)[0]!, session);
  await assert(1);
  await expect(assert(1)).rejects.toThrow('N is 2, not 1');
  await assert(2);
  await expect(assert(2)).rejects.toThrow('there is no further record');
});

test('a client that could not drop a source goes on with its records', async () => {
  await run("INSERT INTO S VALUES (1, 'a'); INSERT INTO S VALUES (2, 'b');");
  await run('CREATE STREAM READS AS SELECT * FROM S;');
  const backend = await RemoteBackend.open(`http://127.0.0.1:${server.port}`);
  const session = newSession();
  const execute = (sql: string) => backend.execute(parseStatements(sql)[0]!, session);
  await execute('ASSERT VALUES S (N) VALUES (1);');
  await expect(execute('DROP STREAM S;')).rejects.toThrow('S is used by CSAS_READS_0');
  await execute('ASSERT VALUES S (N) VALUES (2);');
  await run('DROP STREAM READS; DROP STREAM S;');
});

test('what concerns the session alone is done where it is, and a statement is asked for rows or an answer', async () => {
  const backend = await RemoteBackend.open(`http://127.0.0.1:${server.port}`);
  await server.close();
  const session = newSession();
  const execute = (sql: string) => backend.execute(parseStatements(sql)[0]!, session);
  await execute("SET 'auto.offset.reset'='earliest';");
  await execute("DEFINE a = 'b';");
  expect(session.properties).toEqual(new Map([['auto.offset.reset', 'earliest']]));
  expect(await execute('SHOW VARIABLES;')).toMatchObject({
    entity: { variables: [{ name: 'A', value: 'b' }] },
  });
  await execute("UNSET 'auto.offset.reset';");
  await execute('UNDEFINE a;');
  expect([session.properties.size, session.variables.size]).toEqual([0, 0]);
  await expect(execute('SHOW PROPERTIES;')).rejects.toThrow('does not answer');
  server = await startServer({ engine, host: '127.0.0.1', port: 0, version: '1.2.3' });
});

test('a push query that makes no sense is a bad request, a pull query a bad statement; both say where', async () => {
  const refusal = async (sql: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/query-stream`, {
      method: 'POST',
      body: JSON.stringify({ sql }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
  expect(await refusal('SELECT NOTHING FROM S EMIT CHANGES;')).toEqual({
    status: 400,
    '@type': 'generic_error',
    error_code: 40000,
    message: expect.stringMatching(/^ML_NAME_UNKNOWN: .*line 1, column 8/) as string,
  });
  expect(await refusal('SELECT NOTHING FROM S;')).toMatchObject({
    '@type': 'statement_error',
    error_code: 40001,
    statementText: 'SELECT NOTHING FROM S;',
  });
});
