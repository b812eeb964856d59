import { expect, test } from 'vitest';
import { SqlError } from '../../../src/common/error.ts';
import { dispatch } from '../../../src/server/dispatch.ts';
import { DEFAULT_LIMITS } from '../../../src/server/limits.ts';
import type { HttpRequest, HttpResponse, RouteContext } from '../../../src/server/route.ts';
import { negotiate } from '../../../src/server/routes/query-stream.ts';
import { routes } from '../../../src/server/routes/routes.ts';
import { FakeEngine, FakeRows } from '../../harness/fake-engine.ts';

/** Routes without sockets: what each endpoint answers, and the framings of rows, to the byte. */

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

function serve(fake = new FakeEngine()) {
  const context: RouteContext = {
    engine: fake.engine,
    version: '9.9.9',
    limits: DEFAULT_LIMITS,
    running: new Map(),
  };
  const call = (
    path: string,
    { method = 'POST', body, accept, signal }: Call = {},
  ): Promise<HttpResponse> => {
    const request: HttpRequest = {
      method,
      path,
      query: new URLSearchParams(),
      headers: { accept },
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? {})),
      signal: signal ?? new AbortController().signal,
    };
    return dispatch(routes, request, context);
  };
  return { fake, context, call };
}

async function textOf({ body }: HttpResponse): Promise<string> {
  return (await chunksOf(body)).join('');
}

async function chunksOf(body: HttpResponse['body']): Promise<string[]> {
  if (typeof body === 'string') return [body];
  const chunks: string[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks;
}

const jsonOf = async (response: HttpResponse): Promise<unknown> =>
  JSON.parse(await textOf(response)) as unknown;

const SQL = 'SELECT * FROM S EMIT CHANGES;';
const threeRows = (kind: 'push' | 'pull'): FakeRows =>
  new FakeRows(kind)
    .push(['a', 1])
    .push(['b', null], true)
    .push(['c"', 3])
    .finish(kind === 'push' ? 'limit' : 'complete');

test('GET /info names version, cluster and service', async () => {
  const { call } = serve();
  const response = await call('/info', { method: 'GET' });
  expect(response.headers['content-type']).toBe('application/vnd.ksql.v1+json');
  expect(await jsonOf(response)).toEqual({
    KsqlServerInfo: {
      version: '9.9.9',
      kafkaClusterId: 'cluster',
      ksqlServiceId: 'service',
      serverStatus: 'RUNNING',
    },
  });
});

test('GET / points at /info', async () => {
  const response = await serve().call('/', { method: 'GET' });
  expect([response.status, response.headers['location']]).toEqual([307, '/info']);
});

test('GET /healthcheck is healthy exactly while the log answers', async () => {
  const { fake, call } = serve();
  expect(await jsonOf(await call('/healthcheck', { method: 'GET' }))).toMatchObject({ isHealthy: true });
  fake.healthy = false;
  expect(await jsonOf(await call('/healthcheck', { method: 'GET' }))).toMatchObject({
    isHealthy: false,
    details: { kafka: { isHealthy: false } },
  });
});

test('GET /is_valid_property answers true for what SET takes, 400 with the reason for the rest', async () => {
  const { call } = serve();
  for (const name of [
    'auto.offset.reset',
    'ksql.streams.auto.offset.reset',
    'ksql.query.push.v2.enabled',
    'commit.interval.ms',
    'processing.guarantee',
    'ksql.query.pull.table.scan.enabled',
    'ksql.idle.connection.timeout.seconds',
  ])
    expect(await jsonOf(await call(`/is_valid_property/${name}`, { method: 'GET' })), name).toBe(true);
  for (const [name, reason] of [
    ['no.such%20thing', 'there is no property'],
    ['ksql.anything.at.all', 'there is no property'],
    ['ksql.service.id', 'belongs to the server'],
    ['ksql.extension.dir', 'belongs to the server'],
    ['ksql.hidden.topics', 'is set when the process starts'],
    ['bootstrap.servers', 'belongs to the server'],
    ['ksql.udfs.enabled', 'is set when the process starts'],
  ] as const) {
    const refused = await call(`/is_valid_property/${name}`, { method: 'GET' });
    expect(refused.status, name).toBe(400);
    expect(await jsonOf(refused)).toMatchObject({
      '@type': 'generic_error',
      error_code: 40000,
      message: expect.stringContaining(reason) as string,
    });
  }
});

test('requests may hold properties that nobody knows, but none of the server’s', async () => {
  const { fake, call } = serve();
  const ask = (properties: object): Promise<HttpResponse> => {
    fake.give(new FakeRows().finish('limit'));
    return call('/query-stream', { body: { sql: SQL, properties } });
  };
  const sent = { 'ksql.idle.connection.timeout.seconds': 600, 'x.y': true, 'auto.offset.reset': 'LATEST' };
  expect((await ask(sent)).status).toBe(200);
  expect(fake.executed[0]!.session.properties.get('auto.offset.reset')).toBe('latest');
  for (const refused of ['ksql.udfs.enabled', 'ksql.service.id'])
    expect((await ask({ [refused]: 'x' })).status, refused).toBe(400);
});

test('a request has so many properties and variables and no more', async () => {
  const { fake, call } = serve();
  const many = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x.y${i}`, 'v']));
  for (const member of ['properties', 'sessionVariables']) {
    fake.give(new FakeRows().finish('limit'));
    expect((await call('/query-stream', { body: { sql: SQL, [member]: many(1000) } })).status).toBe(200);
    const refused = await call('/query-stream', { body: { sql: SQL, [member]: many(1001) } });
    expect(refused.status).toBe(400);
    expect(await jsonOf(refused)).toMatchObject({ message: expect.stringContaining('1001') });
  }
});

test('an unknown path is 404, a known one with another method 405 and says which', async () => {
  const { call } = serve();
  const unknown = await call('/nothing', { method: 'GET' });
  expect(unknown.status).toBe(404);
  expect(await jsonOf(unknown)).toMatchObject({ '@type': 'generic_error', error_code: 40400 });
  const wrong = await call('/ksql', { method: 'GET' });
  expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'POST']);
  expect((await call('/is_valid_property/%ff', { method: 'GET' })).status).toBe(404);
});

test('POST /ksql answers an entity a statement, @type first, and nothing for messages', async () => {
  const { fake, call } = serve();
  fake.respond = (statement) =>
    statement.statement.kind === 'setProperty'
      ? { kind: 'entity', entity: { '@type': 'message', message: 'set' } }
      : { kind: 'entity', entity: { '@type': 'streams', streams: [] } };
  const response = await call('/ksql', {
    body: { ksql: "SHOW STREAMS; SET 'auto.offset.reset'='latest'; LIST STREAMS" },
  });
  expect(response.status).toBe(200);
  expect(await textOf(response)).toBe(
    '[{"@type":"streams","statementText":"SHOW STREAMS;","streams":[],"warnings":[]},' +
      '{"@type":"streams","statementText":"LIST STREAMS;","streams":[],"warnings":[]}]',
  );
});

test('POST /ksql hands properties and variables over, under whichever names clients use', async () => {
  const { fake, call } = serve();
  fake.answer({ '@type': 'streams', streams: [] });
  await call('/ksql', {
    body: {
      ksql: 'SHOW STREAMS;',
      streamsProperties: {
        'ksql.streams.auto.offset.reset': 'latest',
        'commit.interval.ms': 5,
        'x.y': true,
        gone: null,
      },
      sessionVariables: { name: 'v' },
      commandSequenceNumber: 3,
      Accept: 'whatever',
    },
  });
  const { session } = fake.executed[0]!;
  expect([...session.properties]).toEqual([
    ['auto.offset.reset', 'latest'],
    ['commit.interval.ms', '5'],
    ['x.y', 'true'],
  ]);
  expect([...session.variables]).toEqual([['NAME', 'v']]);
});

test('POST /ksql refuses a bad value of a known property before anything runs', async () => {
  const { fake, call } = serve();
  const response = await call('/ksql', {
    body: { ksql: 'SHOW STREAMS;', streamsProperties: { 'auto.offset.reset': 'sideways' } },
  });
  expect(response.status).toBe(400);
  expect(await jsonOf(response)).toMatchObject({ '@type': 'generic_error', error_code: 40000 });
  expect(fake.executed).toEqual([]);
});

test('POST /ksql: the first failure ends the request and carries what came before', async () => {
  const { fake, call } = serve();
  fake.respond = ({ statement }) =>
    statement.kind === 'showSources'
      ? { kind: 'entity', entity: { '@type': 'streams', streams: [] } }
      : new SqlError('ML_NAME_UNKNOWN', 'stream X does not exist', {
          span: { start: 12, end: 13 },
          hint: 'make it',
        });
  const response = await call('/ksql', { body: { ksql: 'SHOW STREAMS; DROP STREAM X; SHOW STREAMS;' } });
  expect(response.status).toBe(400);
  expect(await jsonOf(response)).toEqual({
    '@type': 'statement_error',
    error_code: 40001,
    message:
      'ML_NAME_UNKNOWN: stream X does not exist (line 1, column 13)\n  DROP STREAM X;\n              ^\nhint: make it',
    statementText: 'DROP STREAM X;',
    entities: [{ '@type': 'streams', statementText: 'SHOW STREAMS;', streams: [], warnings: [] }],
  });
  expect(fake.executed).toHaveLength(2);
});

test('POST /ksql: a syntax error anywhere means that nothing ran', async () => {
  const { fake, call } = serve();
  const response = await call('/ksql', { body: { ksql: 'SHOW STREAMS;\nSELEC 1;' } });
  expect(response.status).toBe(400);
  expect(await textOf(response)).toMatch(
    /^\{"@type":"statement_error","error_code":40001,"message":"ML_SYNTAX: .*line 2, column 1/,
  );
  expect(fake.executed).toEqual([]);
});

test('POST /ksql sends queries to the query endpoints', async () => {
  const response = await serve().call('/ksql', { body: { ksql: SQL } });
  expect(response.status).toBe(400);
  expect(await jsonOf(response)).toMatchObject({
    '@type': 'statement_error',
    error_code: 40002,
    statementText: SQL,
  });
});

test('codes of other failures: ASSERT 417, a limit 400, ours 500', async () => {
  const { fake, call } = serve();
  const failing = async (error: Error): Promise<unknown[]> => {
    fake.respond = () => error;
    const response = await call('/ksql', { body: { ksql: 'SHOW STREAMS;' } });
    return [response.status, ((await jsonOf(response)) as { error_code: number }).error_code];
  };
  expect(await failing(new SqlError('ML_ASSERT', 'no'))).toEqual([417, 41700]);
  expect(await failing(new SqlError('ML_LIMIT', 'too many'))).toEqual([400, 40003]);
  expect(await failing(new TypeError('ours'))).toEqual([500, 50000]);
});

test.each(['', 'garbage', '[]', 'null', '7', '"text"', '{"ksql":7}', '{}', '{"ksql":', '\u0000\uffff'])(
  'every POST refuses the body %j with 400',
  async (body) => {
    for (const path of ['/ksql', '/query', '/query-stream', '/close-query']) {
      const response = await serve().call(path, { body });
      expect(response.status, path).toBe(400);
      expect(await jsonOf(response)).toMatchObject({ '@type': 'generic_error', error_code: 40000 });
    }
  },
);

test('/query-stream writes a line and a chunk a row, and never a removal', async () => {
  const { fake, call, context } = serve();
  const rows = threeRows('push');
  fake.give(rows);
  const response = await call('/query-stream', { body: { sql: SQL, properties: {} } });
  expect(response.headers['content-type']).toBe('application/vnd.ksqlapi.delimited.v1');
  expect(await chunksOf(response.body)).toEqual([
    '{"queryId":"transient_FAKE_1","columnNames":["K","V"],"columnTypes":["STRING","INTEGER"]}\n',
    '["a",1]\n',
    '["c\\"",3]\n',
  ]);
  expect(rows.closed).toBe(true);
  expect(context.running.size).toBe(0);
});

test('/query-stream: a pull query has no id', async () => {
  const { fake, call } = serve();
  fake.give(new FakeRows('pull').finish('complete'));
  const response = await call('/query-stream', { body: { sql: 'SELECT * FROM T;' } });
  expect(await textOf(response)).toBe(
    '{"queryId":null,"columnNames":["K","V"],"columnTypes":["STRING","INTEGER"]}\n',
  );
});

test('/query-stream: a failure on the way is a line of its own', async () => {
  const { fake, call } = serve();
  const rows = new FakeRows().push(['a', 1]).fail(new Error('broke'));
  fake.give(rows);
  const text = await textOf(await call('/query-stream', { body: { sql: SQL } }));
  expect(text.split('\n').slice(1)).toEqual([
    '["a",1]',
    '{"@type":"generic_error","error_code":50000,"message":"broke"}',
    '',
  ]);
  expect(rows.closed).toBe(true);
});

test('/query-stream as one JSON array', async () => {
  const { fake, call } = serve();
  fake.give(threeRows('pull'));
  const response = await call('/query-stream', {
    body: { sql: 'SELECT * FROM T;' },
    accept: 'application/json; charset=utf-8',
  });
  expect(response.headers['content-type']).toBe('application/json');
  expect(await jsonOf(response)).toEqual([
    { queryId: null, columnNames: ['K', 'V'], columnTypes: ['STRING', 'INTEGER'] },
    ['a', 1],
    ['c"', 3],
  ]);
});

test.each([
  ['lines', undefined],
  ['an array', 'application/json'],
])('/query-stream, %s: removals are left out, or objects for those who ask', async (_form, accept) => {
  const { fake, call } = serve();
  fake.give(threeRows('push'), threeRows('push'));
  const ask = async (body: object): Promise<unknown[]> => {
    const response = await call('/query-stream', { body: { sql: SQL, ...body }, ...(accept && { accept }) });
    const text = (await chunksOf(response.body)).join('').trim();
    return JSON.parse(accept === undefined ? `[${text.split('\n').join(',')}]` : text) as unknown[];
  };
  const header = { queryId: 'transient_FAKE_1', columnNames: ['K', 'V'], columnTypes: ['STRING', 'INTEGER'] };
  expect(await ask({ tombstones: 'yes' })).toEqual([header, ['a', 1], ['c"', 3]]);
  expect(await ask({ tombstones: true })).toEqual([
    { ...header, tombstones: true },
    ['a', 1],
    { row: { columns: ['b', null], tombstone: true } },
    ['c"', 3],
  ]);
});

test('/query writes elements as lines: a push query ends with a message', async () => {
  const { fake, call } = serve();
  fake.give(threeRows('push'));
  const response = await call('/query', { body: { ksql: SQL, streamsProperties: {} } });
  expect(response.headers['content-type']).toBe('application/vnd.ksql.v1+json');
  expect(await chunksOf(response.body)).toEqual([
    '[{"header":{"queryId":"transient_FAKE_1","schema":"`K` STRING, `V` INTEGER"}},\n',
    '{"row":{"columns":["a",1]}},\n',
    '{"row":{"columns":["b",null],"tombstone":true}},\n',
    '{"row":{"columns":["c\\"",3]}},\n',
    '{"finalMessage":"Limit Reached"}',
    ']\n',
  ]);
});

test('/query: a query that somebody ended is completed, one that failed carries its error, both well formed', async () => {
  const { fake, call } = serve();
  fake.give(
    new FakeRows().push(['a', 1]).finish('terminated'),
    new FakeRows().push(['a', 1]).fail(new Error('broke')),
  );
  const ended = (await jsonOf(await call('/query', { body: { ksql: SQL } }))) as unknown[];
  expect(ended.at(-1)).toEqual({ finalMessage: 'Query Completed' });
  const failed = (await jsonOf(await call('/query', { body: { ksql: SQL } }))) as unknown[];
  expect(failed).toHaveLength(3);
  expect(failed.at(-1)).toEqual({
    errorMessage: { '@type': 'generic_error', error_code: 50000, message: 'broke' },
  });
});

test('/query: a pull query ends without a message, well formed with rows, none, and an error', async () => {
  const { fake, call } = serve();
  fake.give(
    threeRows('pull'),
    new FakeRows('pull').finish('complete'),
    new FakeRows('pull').fail(new Error('broke')),
  );
  const ask = async (): Promise<unknown> =>
    jsonOf(await call('/query', { body: { ksql: 'SELECT * FROM T;' } }));
  const header = { header: { queryId: 'transient_FAKE_1', schema: '`K` STRING KEY, `V` INTEGER' } };
  expect(await ask()).toEqual([
    header,
    { row: { columns: ['a', 1] } },
    { row: { columns: ['b', null], tombstone: true } },
    { row: { columns: ['c"', 3] } },
  ]);
  expect(await ask()).toEqual([header]);
  expect(await ask()).toEqual([
    header,
    { errorMessage: { '@type': 'generic_error', error_code: 50000, message: 'broke' } },
  ]);
});

test.each([
  [undefined, 'application/vnd.ksqlapi.delimited.v1'],
  ['*/*', 'application/vnd.ksqlapi.delimited.v1'],
  ['text/html', 'application/vnd.ksqlapi.delimited.v1'],
  ['application/json', 'application/json'],
  ['application/json, text/plain, */*', 'application/json'],
  ['Application/JSON; charset=utf-8', 'application/json'],
  ['application/vnd.ksql.v1+json', 'application/vnd.ksql.v1+json'],
  ['application/vnd.ksqlapi.delimited.v1, application/json', 'application/vnd.ksqlapi.delimited.v1'],
])('Accept %j is answered with %s', (accept, type) => {
  expect(negotiate(accept)).toBe(type);
});

test.each([
  ['SHOW STREAMS;', 40001],
  ['SELECT 1 FROM', 40001],
  [`${SQL}${SQL}`, 40000],
  ['', 40000],
])('query endpoints refuse %j', async (sql, code) => {
  for (const path of ['/query', '/query-stream']) {
    const response = await serve().call(path, { body: { sql } });
    expect(response.status).toBe(400);
    expect(await jsonOf(response)).toMatchObject({ error_code: code });
  }
});

test('/close-query ends the rows of another request; an unknown id is 400', async () => {
  const { fake, call } = serve();
  const rows = new FakeRows().push(['a', 1]);
  fake.give(rows);
  const reading = textOf(await call('/query', { body: { ksql: SQL } }));
  expect((await call('/close-query', { body: { queryId: rows.queryId } })).status).toBe(200);
  expect(await reading).toMatch(/\{"finalMessage":"Query Completed"\}\]\n$/);
  expect((await call('/close-query', { body: { queryId: rows.queryId } })).status).toBe(400);
});

test('a client that goes away ends its query, also before its first row was asked for', async () => {
  for (const path of ['/query', '/query-stream']) {
    const { fake, call, context } = serve();
    const gone = new AbortController();
    const rows = new FakeRows();
    fake.give(rows);
    await call(path, { body: { sql: SQL }, signal: gone.signal });
    expect(context.running.has(rows.queryId)).toBe(true);
    gone.abort();
    await rows.whenClosed;
    expect(context.running.size).toBe(0);
  }
});

test('a client that went away while its query was being started leaves none behind', async () => {
  const { fake, call, context } = serve();
  const gone = new AbortController();
  const rows = new FakeRows();
  fake.respond = () => {
    gone.abort();
    return { kind: 'rows', rows };
  };
  await call('/query-stream', { body: { sql: SQL }, signal: gone.signal });
  expect(rows.closed).toBe(true);
  expect(context.running.size).toBe(0);
});
