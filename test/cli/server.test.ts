import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Millrace, millrace } from '../harness/millrace.ts';

/** `millrace server` as a process, with the clients that people have. */

let directory: string;
let server: Millrace;
let url: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-server-'));
  await start();
});
afterEach(async () => {
  await server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<void> {
  server = new Millrace(['server', '--port', '0', ...args]);
  await server.until(() => server.stdout.includes('\n'), 'it listens');
  url = /http:\/\/\S+/.exec(server.stdout)![0];
}

async function stop(): Promise<void> {
  expect(await server.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
}

const CREATE =
  "CREATE STREAM S (K STRING KEY, V BIGINT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);";

async function ksql(text: string): Promise<unknown[]> {
  const response = await fetch(`${url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql: text }) });
  const body = (await response.json()) as unknown[];
  expect(response.status, JSON.stringify(body)).toBe(200);
  return body;
}

async function lines(sql: string): Promise<string[]> {
  const response = await fetch(`${url}/query-stream`, { method: 'POST', body: JSON.stringify({ sql }) });
  return (await response.text()).trimEnd().split('\n');
}

function socket(sql: string): {
  frames: string[];
  closed: Promise<number>;
  until(count: number): Promise<void>;
} {
  const client = new WebSocket(
    `${url.replace('http', 'ws')}/ws/query?request=${encodeURIComponent(JSON.stringify({ ksql: sql }))}`,
  );
  const frames: string[] = [];
  client.on('message', (data: Buffer) => frames.push(data.toString()));
  const closed = new Promise<number>((resolve) => client.on('close', resolve));
  const until = async (count: number): Promise<void> => {
    while (frames.length < count) await new Promise((resolve) => client.once('message', resolve));
  };
  return { frames, closed, until };
}

test('a WebSocket client gets rows while others insert them, an HTTP client the same', async () => {
  await ksql(CREATE);
  const client = socket('SELECT K, V + 1 AS W FROM S WHERE V > 1 EMIT CHANGES LIMIT 3;');
  await client.until(1);
  await ksql("INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('b', 2);");
  await client.until(2);
  await ksql("INSERT INTO S VALUES ('c', 9007199254740993); INSERT INTO S VALUES ('d', 4);");
  expect(await client.closed).toBe(1000);
  expect(client.frames.map((frame) => frame.replace(/^\[.*\]$/, 'columns'))).toEqual([
    'columns',
    '{"row":{"columns":["b",3]}}',
    '{"row":{"columns":["c",9007199254740994]}}',
    '{"row":{"columns":["d",5]}}',
    '{"error":"done"}',
  ]);
  expect((await lines('SELECT K FROM S EMIT CHANGES LIMIT 2;')).slice(1)).toEqual(['["a"]', '["b"]']);
});

test('the prompt works against it: statements, queries, settings, and its own errors with their place', async () => {
  await ksql(CREATE);
  const input = `SET 'auto.offset.reset' = 'earliest';
DEFINE v = '9007199254740993';
INSERT INTO S VALUES ('a', \${v});
SELECT * FROM S EMIT CHANGES LIMIT 1;
PRINT 's' FROM BEGINNING LIMIT 1;
SELECT NOPE FROM S EMIT CHANGES;
SET 'auto.offset.reset' = 'sideways';
`;
  const { code, stdout, stderr } = await millrace(['--server', url, '--output', 'csv'], input);
  expect(stdout).toContain('K,V\na,9007199254740993\n');
  expect(stdout).toMatch(/\nrowtime: .* key: a, value: \{"V":9007199254740993\}, partition: 0, offset: 0\n$/);
  expect(stderr).toMatch(
    /^ML_NAME_UNKNOWN: .*\(line 1, column 8\)\n {2}SELECT NOPE.*\n {9}\^{4}\n[\s\S]*ML_PROPERTY: /,
  );
  expect(code).toBe(1);
});

test('a removal from a table is shown the same in this process and against a server, a row of nulls otherwise', async () => {
  const declare = `CREATE STREAM S (K STRING KEY, V BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('a', NULL); INSERT INTO S VALUES ('a', 2);`;
  const query =
    'SELECT K, MAX(V) AS M, NULLIF(K, K) AS N FROM S GROUP BY K HAVING COUNT(*) <> 2 EMIT CHANGES LIMIT 3;';
  await ksql(declare);
  const show = async (format: string, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await millrace([...args, '--output', format, '-e', query]);
    expect(stderr).toBe('');
    return stdout;
  };
  for (const [format, expected] of [
    ['csv', 'K,M,N,tombstone\na,1,,false\na,,,true\na,2,,false\n'],
    [
      'json',
      '{"K":"a","M":1,"N":null}\n{"K":"a","M":null,"N":null,"tombstone":true}\n{"K":"a","M":2,"N":null}\n',
    ],
  ] as const) {
    expect(await show(format, '--server', url)).toBe(expected);
    const local = await millrace(['--output', format, '-e', `${declare}${query}`]);
    expect(local.stdout.slice(-expected.length)).toBe(expected);
  }
  expect(await show('table', '--server', url)).toMatch(/^a +\| <removed> \| <removed>$/m);
  expect((await lines(query)).slice(1)).toEqual(['["a",1,null]', '["a",2,null]']);
});

test('-e against it ends with the codes of the command line', async () => {
  expect((await millrace(['--server', `${url}/`, '-e', 'SHOW STREAMS;'])).code).toBe(0);
  const failed = await millrace(['--server', url, '-e', 'DROP STREAM NOTHING;']);
  expect([failed.code, failed.stderr.slice(0, 16)]).toEqual([1, 'ML_NAME_UNKNOWN:']);
});

test('stopping tells clients and ends with 0', async () => {
  await ksql(CREATE);
  const client = socket('SELECT * FROM S EMIT CHANGES;');
  const reading = lines('SELECT * FROM S EMIT CHANGES;');
  await client.until(1);
  await stop();
  expect(await client.closed).toBe(1001);
  expect(await reading).toHaveLength(1);
});

test('a page gets in when its origin is allowed, and only then; another name of the server likewise', async () => {
  const status = async (headers: Record<string, string>): Promise<number | undefined> => {
    const { port } = new URL(url);
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '/info', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
  };
  const page = { origin: 'https://app.example' };
  const name = { host: 'ksql.example' };
  expect([await status({}), await status(page), await status(name)]).toEqual([200, 403, 403]);
  await stop();
  await start('--allow-origin', 'http://a.example', '--allow-origin', page.origin, '--allow-host', name.host);
  expect([await status({}), await status(page), await status(name)]).toEqual([200, 200, 200]);
  const { code, stderr } = await millrace(['server', '--port', '0', '--allow-origin', '*']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: an origin is .*, not '\*'\n$/)]);
});

test('a port that is taken ends with 1 and says so', async () => {
  const { code, stderr } = await millrace(['server', '--port', new URL(url).port]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: port \d+ of 127\.0\.0\.1 is in use: .* --port$/m);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('with a directory everything is there after a stop and after a kill: sources, queries, and counts go on', async () => {
  await stop();
  const dataDir = join(directory, 'data');
  await start('--data-dir', dataDir);
  await ksql(`${CREATE} CREATE TABLE T AS SELECT K, COUNT(*) AS N, SUM(V) AS TOTAL FROM S GROUP BY K;`);
  await ksql(
    "CREATE STREAM GONE (V INT) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON', PARTITIONS=1); DROP STREAM GONE;",
  );
  const insert = (n: number): Promise<unknown> =>
    ksql(`INSERT INTO S VALUES ('a', ${n}); INSERT INTO S VALUES ('b', ${n});`);
  const counted = async (n: number): Promise<string[]> => {
    // Two keys, a change each for every insert.
    await lines(`SELECT * FROM T EMIT CHANGES LIMIT ${2 * n};`);
    return (await lines('SELECT * FROM T;')).slice(1).sort();
  };
  await insert(1);
  await insert(2);
  expect(await counted(2)).toEqual(['["a",2,3]', '["b",2,3]']);
  for (const [i, signal] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
    await server.kill(signal);
    await start('--data-dir', dataDir);
    const [streams, tables, queries] = (await ksql('SHOW STREAMS; SHOW TABLES; SHOW QUERIES;')) as [
      { streams: { name: string }[] },
      { tables: { name: string }[] },
      { queries: { id: string; state: string }[] },
    ];
    expect(streams.streams.map(({ name }) => name).sort()).toEqual(['KSQL_PROCESSING_LOG', 'S']);
    expect(tables.tables.map(({ name }) => name)).toEqual(['T']);
    expect(queries.queries).toMatchObject([{ sinks: ['T'], queryType: 'PERSISTENT' }]);
    await insert(3);
    expect(await counted(3 + i)).toEqual([`["a",${3 + i},${6 + 3 * i}]`, `["b",${3 + i},${6 + 3 * i}]`]);
  }
});

test('a queries file runs at start; a mistake in it ends with 1', async () => {
  await stop();
  const file = join(directory, 'queries.sql');
  writeFileSync(file, `${CREATE} CREATE STREAM BIG AS SELECT * FROM S WHERE V > 10;`);
  await start('--queries-file', file);
  expect((await lines('SELECT K FROM KSQL_PROCESSING_LOG EMIT CHANGES LIMIT 0;')).length).toBe(1);
  await ksql("INSERT INTO S VALUES ('a', 11);");
  expect((await lines('SELECT V FROM BIG EMIT CHANGES LIMIT 1;'))[1]).toBe('[11]');
  writeFileSync(file, 'CREATE NONSENSE;');
  const { code, stderr } = await millrace(['server', '--port', '0', '--queries-file', file]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/queries\.sql: ML_SYNTAX/)]);
});

test('records that cannot be used are kept in the processing log, with their place and bytes, and the query goes on', async () => {
  await ksql(`CREATE STREAM RAW (K STRING KEY, LINE STRING) WITH (KAFKA_TOPIC='mixed', KEY_FORMAT='KAFKA', VALUE_FORMAT='KAFKA', PARTITIONS=1);
    CREATE STREAM J (K STRING KEY, V BIGINT) WITH (KAFKA_TOPIC='mixed', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');
    CREATE TABLE T (K STRING PRIMARY KEY, V BIGINT) WITH (KAFKA_TOPIC='mixed', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');
    CREATE STREAM COPY AS SELECT * FROM J;
    CREATE TABLE TCOPY AS SELECT * FROM T;`);
  await ksql(`INSERT INTO RAW VALUES ('a', '{"V":1}'); INSERT INTO RAW VALUES ('b', 'not json');
    INSERT INTO RAW VALUES ('c', '{"V":"text"}'); INSERT INTO RAW (LINE) VALUES ('{"V":4}'); INSERT INTO RAW VALUES ('e', '{"V":5}');`);
  expect((await lines('SELECT * FROM COPY EMIT CHANGES LIMIT 3;')).slice(1)).toEqual([
    '["a",1]',
    '[null,4]',
    '["e",5]',
  ]);
  expect((await lines('SELECT * FROM TCOPY EMIT CHANGES LIMIT 2;')).slice(1)).toEqual(['["a",1]', '["e",5]']);
  const skipped = async (query: string, count: number): Promise<unknown[]> =>
    (
      await lines(
        `SELECT TOPIC, \`PARTITION\`, \`OFFSET\`, RECORD_TEXT, RECORD_VALUE FROM KSQL_PROCESSING_LOG WHERE QUERY LIKE '%${query}%' EMIT CHANGES LIMIT ${count};`,
      )
    )
      .slice(1)
      .map((line) => JSON.parse(line) as unknown);
  const broken = [
    ['mixed', 0, 1, 'not json', Buffer.from('not json').toString('base64')],
    ['mixed', 0, 2, '{"V":"text"}', Buffer.from('{"V":"text"}').toString('base64')],
  ];
  expect(await skipped('_COPY_', 2)).toEqual(broken);
  expect(await skipped('TCOPY', 3)).toEqual([
    ...broken,
    ['mixed', 0, 3, '{"V":4}', Buffer.from('{"V":4}').toString('base64')],
  ]);
});

test('a server that others can reach says that it has no authentication; --demo has a stream for who tries it', async () => {
  expect(server.stderr).toBe('');
  await server.kill('SIGTERM');
  await start('--host', '0.0.0.0', '--demo');
  url = url.replace('0.0.0.0', '127.0.0.1');
  expect(await lines('SELECT * FROM TRADES EMIT CHANGES LIMIT 2;')).toHaveLength(3);
  expect(server.stderr).toContain('there is no authentication: whoever can connect can do everything');
  expect(await server.kill('SIGTERM')).toMatchObject({ code: 0 });
});
