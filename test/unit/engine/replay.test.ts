import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/common/clock.ts';
import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import type { QueryDescription } from '../../../src/engine/result.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import type { SqlFunction } from '../../../src/functions/function.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { healthcheckRoute } from '../../../src/server/routes/healthcheck.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

const COMMANDS = '_millrace_test_command_topic';
const SOURCE =
  "CREATE STREAM S (K INT KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);";

/** A function that some starts of the service have and others do not. */
const LATER: SqlFunction = { ...builtinFunctions.get('UCASE')!, name: 'LATER' };
const withLater: Partial<EngineOptions> = { functions: new Map([['LATER', LATER]]) };

/** Its timers fire a hundred times too soon. */
const hasty: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  setTimer: (delayMs, action) => systemClock.setTimer(delayMs < 1000 ? delayMs : delayMs / 100, action),
};

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-replay-'));
  engine = await openEngine(directory, withLater);
});
afterEach(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

async function restart(options: Partial<EngineOptions> = {}): Promise<void> {
  await engine.close();
  engine = await openEngine(directory, { clock: hasty, logPatienceMs: 3_600_000, ...options });
}

async function write(...values: readonly (string | Buffer | null)[]): Promise<void> {
  const writer = await engine.log.openWriter();
  for (const value of values) appendRecord(writer, { topic: COMMANDS, partition: 0 }, { value });
  await writer.flush();
  await writer.close();
}

const command = (statement: string, sequence = 0): string =>
  JSON.stringify({ version: 1, statement, properties: {}, sequence });

/** Ids and states, as SHOW QUERIES lists them. */
async function states(): Promise<Record<string, string>> {
  const { entity } = await execute(engine, 'SHOW QUERIES;');
  if (entity?.['@type'] !== 'queries') throw new Error(entity?.['@type']);
  return Object.fromEntries(entity.queries.map(({ id, state }) => [id, state]));
}

async function explained(id: string): Promise<QueryDescription> {
  const { entity } = await execute(engine, `EXPLAIN ${id};`);
  if (entity?.['@type'] !== 'queryDescription') throw new Error(entity?.['@type']);
  return entity.queryDescription;
}

const names = (): readonly string[] =>
  engine.catalog
    .sources()
    .map(({ name }) => name)
    .filter((name) => name !== 'KSQL_PROCESSING_LOG');

const isRunning = (id: string) => () => engine.queries.get(id)?.state === 'RUNNING';

const rows = async (sql: string): Promise<readonly unknown[]> => (await execute(engine, sql)).rows;

const BROKEN: readonly (readonly [
  what: string,
  value: string | Buffer | null,
  text: string,
  reason: RegExp,
])[] = [
  ['is no command', 'x', 'x', /no command/],
  ['is no text', Buffer.from([0xff, 0, 0xc3]), '\ufffd\0\ufffd', /no command/],
  ['is empty', null, '', /no command/],
  [
    'a later release wrote',
    '{"version":99,"statement":"?"}',
    '{"version":99,"statement":"?"}',
    /later release/,
  ],
  ['does not parse', command('CREATE STRAEM X;'), 'CREATE STRAEM X;', /ML_SYNTAX/],
  [
    'names what does not exist',
    command('CREATE STREAM X AS SELECT * FROM NOWHERE;'),
    'CREATE STREAM X AS SELECT * FROM NOWHERE;',
    /ML_NAME_UNKNOWN/,
  ],
];

test.each(BROKEN)(
  'a record that %s is listed in ERROR, and the service starts with all else',
  async (_what, value, text, reason) => {
    await execute(engine, `${SOURCE} CREATE STREAM B AS SELECT * FROM S;`);
    await write(value);
    await execute(engine, "CREATE STREAM C AS SELECT * FROM B; INSERT INTO S VALUES (1, 'a');");
    const before = engine.queries.size;
    await restart();
    expect(names()).toEqual(['S', 'B', 'C']);
    expect(engine.queries.size).toBe(before);
    const [failed] = engine.failedStatements;
    expect(await states()).toMatchObject({ CSAS_B_0: 'RUNNING', CSAS_C_1: 'RUNNING', [failed!.id]: 'ERROR' });
    expect(await explained(`\`${failed!.id}\``)).toMatchObject({
      statementText: text,
      state: 'ERROR',
      queryErrors: [{ errorMessage: expect.stringMatching(reason) as string }],
    });
    const { body } = await healthcheckRoute.handle({ method: 'GET' } as never, { engine } as never, []);
    expect(JSON.parse(body as string)).toMatchObject({
      isHealthy: false,
      details: { commandRunner: { isHealthy: false, failed: [{ id: failed!.id, statement: text }] } },
    });
    // It stays there, also after a snapshot, until it is given up.
    await restart();
    expect(engine.failedStatements.map(({ id }) => id)).toEqual([failed!.id]);
    await execute(engine, `TERMINATE \`${failed!.id}\`;`);
    expect(engine.failedStatements).toEqual([]);
    await restart();
    expect(engine.failedStatements).toEqual([]);
    expect(names()).toEqual(['S', 'B', 'C']);
  },
);

test("what fails with no error of the user's is listed, too", async () => {
  await execute(engine, `${SOURCE} CREATE STREAM A AS SELECT K, LATER(V) AS V FROM S;`);
  const faulty = Object.defineProperty({ ...LATER }, 'signatures', {
    get: () => {
      throw new RangeError('Maximum call stack size exceeded');
    },
  });
  await restart({ functions: new Map([['LATER', faulty]]) });
  expect(await states()).toEqual({ CSAS_A_0: 'ERROR' });
  expect((await explained('CSAS_A_0')).queryErrors[0]!.errorMessage).toContain('Maximum call stack');
});

const CHAIN = `${SOURCE}
  CREATE STREAM A AS SELECT K, LATER(V) AS V FROM S;
  CREATE STREAM B AS SELECT * FROM A;
  CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM B GROUP BY K;
  CREATE STREAM APART AS SELECT * FROM S;`;

test('what depends on it fails with its own reason, and both are back in order when it can be replayed', async () => {
  await execute(engine, CHAIN);
  await execute(engine, 'PAUSE CSAS_B_1;');
  await restart();
  expect(await states()).toMatchObject({
    CSAS_APART_3: 'RUNNING',
    CSAS_A_0: 'ERROR',
    CSAS_B_1: 'ERROR',
    CTAS_T_2: 'ERROR',
  });
  expect((await explained('CSAS_A_0')).queryErrors[0]!.errorMessage).toContain('LATER');
  expect((await explained('CSAS_B_1')).queryErrors[0]!.errorMessage).toContain('depends on CSAS_A_0');
  expect((await explained('CTAS_T_2')).queryErrors[0]!.errorMessage).toContain('depends on CSAS_B_1');
  expect(names()).toEqual(['S', 'APART']);
  engine.functions.set('LATER', LATER);
  await until(() => engine.failedStatements.length === 0);
  await until(isRunning('CTAS_T_2'));
  expect(engine.queries.get('CSAS_B_1')!.state).toBe('PAUSED');
  await execute(engine, "RESUME CSAS_B_1; INSERT INTO S VALUES (1, 'a');");
  await until(isRunning('CSAS_B_1'));
  await engine.drain();
  expect(await rows('SELECT N FROM T WHERE K = 1;')).toEqual([[1]]);
});

test.each([
  ['DROP', 'DROP STREAM A;'],
  ['TERMINATE', 'TERMINATE CSAS_A_0;'],
])('%s gives it up for good, and the name is free', async (_what, sql) => {
  await execute(engine, `${SOURCE} CREATE STREAM A AS SELECT K, LATER(V) AS V FROM S;`);
  await restart();
  await execute(engine, sql);
  expect(await states()).toEqual({});
  await restart(withLater);
  expect(await states()).toEqual({});
  expect(names()).toEqual(['S']);
  await execute(engine, 'CREATE STREAM A AS SELECT K, V FROM S;');
  await restart();
  expect(await states()).toEqual({ CSAS_A_1: 'RUNNING' });
});

test('a new statement of the same name takes its place, and what waits for it goes on', async () => {
  await execute(engine, CHAIN);
  await restart();
  await execute(engine, 'CREATE STREAM A AS SELECT K, UCASE(V) AS V FROM S;');
  await until(() => engine.failedStatements.length === 0);
  await restart(withLater);
  // At once, although what took its place stands behind what depends on it.
  expect(await states()).toEqual({
    CSAS_APART_3: 'RUNNING',
    CSAS_A_4: 'RUNNING',
    CSAS_B_1: 'RUNNING',
    CTAS_T_2: 'RUNNING',
  });
});

test('nothing new is built on what could not be replayed', async () => {
  await execute(
    engine,
    `${SOURCE} CREATE TYPE POINT AS STRUCT<X INT>; CREATE STREAM A AS SELECT K, LATER(V) AS V FROM S;`,
  );
  await restart();
  for (const sql of [
    'CREATE STREAM C AS SELECT * FROM A;',
    'INSERT INTO A SELECT * FROM S;',
    "INSERT INTO A VALUES (1, 'v');",
    'SELECT * FROM A;',
    'SELECT * FROM A EMIT CHANGES;',
    'SELECT S.V FROM S JOIN A WITHIN 1 HOUR ON S.K = A.K EMIT CHANGES;',
    'DESCRIBE A;',
    'EXPLAIN SELECT * FROM A EMIT CHANGES;',
  ])
    await expect(execute(engine, sql)).rejects.toMatchObject({
      code: 'ML_IN_USE',
      message: expect.stringContaining('A waits for CSAS_A_0') as string,
      hint: expect.stringContaining('TERMINATE CSAS_A_0') as string,
    });
});

test('a query does not run as it was when what replaced it cannot be replayed', async () => {
  await execute(
    engine,
    `${SOURCE} CREATE STREAM A AS SELECT K, V FROM S; CREATE STREAM B AS SELECT * FROM A;`,
  );
  await execute(engine, 'CREATE OR REPLACE STREAM A AS SELECT K, LATER(V) AS V FROM S;');
  await restart();
  expect(await states()).toEqual({ CSAS_A_0: 'ERROR', CSAS_B_1: 'RUNNING' });
  await execute(engine, "INSERT INTO S VALUES (1, 'a');");
  expect(await rows('SELECT * FROM A;')).toEqual([]);
  engine.functions.set('LATER', LATER);
  await until(isRunning('CSAS_A_0'));
  await engine.drain();
  expect(await rows('SELECT V FROM A;')).toEqual([['A']]);
  // Given up, the old one does not come back either.
  await restart();
  await execute(engine, 'TERMINATE CSAS_A_0;');
  await restart(withLater);
  expect(await states()).toEqual({ CSAS_B_1: 'RUNNING' });
});

test('what was dropped or replaced is not even tried', async () => {
  await execute(
    engine,
    `${SOURCE} CREATE STREAM A AS SELECT K, LATER(V) AS V FROM S; DROP STREAM A;
     CREATE STREAM B AS SELECT K, LATER(V) AS V FROM S;
     CREATE OR REPLACE STREAM B AS SELECT K, UCASE(V) AS V FROM S;`,
  );
  await restart();
  expect(await states()).toEqual({ CSAS_B_1: 'RUNNING' });
});

test('a topic that is gone keeps its stream declared and its queries waiting, until it is back', async () => {
  await execute(engine, `${SOURCE} CREATE STREAM A AS SELECT * FROM S;`);
  await engine.log.admin.deleteTopic('s');
  await restart();
  expect(names()).toEqual(['S', 'A']);
  expect(await engine.log.admin.describeTopic('s')).toBeUndefined();
  expect(await states()).toEqual({ CSAS_A_0: 'ERROR' });
  expect((await explained('CSAS_A_0')).queryErrors[0]!.errorMessage).toContain('topic s does not exist');
  for (const sql of ["INSERT INTO S VALUES (1, 'a');", 'CREATE STREAM C AS SELECT * FROM S;'])
    await expect(execute(engine, sql)).rejects.toMatchObject({ code: 'ML_TOPIC' });
  // With other partitions than the statement says.
  await engine.log.admin.createTopic({ name: 's', partitions: 3 });
  await until(isRunning('CSAS_A_0'));
  for (let i = 0; i < 9; i++) await execute(engine, `INSERT INTO S VALUES (${i}, 'a');`);
  await execute(engine, 'CREATE STREAM C AS SELECT * FROM S;');
  await restart();
  await engine.drain();
  expect(await rows('SELECT * FROM A;')).toHaveLength(9);
  expect((await engine.log.admin.describeTopic('C'))!.partitions).toBe(3);
});

test('the properties of now are not those of then', async () => {
  await execute(engine, `${SOURCE} CREATE STREAM A AS SELECT * FROM S;`);
  await write(
    command("ALTER SYSTEM 'commit.interval.ms'='soon';", 2),
    command("ALTER SYSTEM 'no.such.property'='1';", 2),
    command("ALTER SYSTEM 'ksql.hidden.topics'='';", 2),
  );
  await restart({ properties: new Map([['ksql.output.topic.name.prefix', 'new_']]) });
  expect(engine.catalog.get('A')!.topic).toBe('A');
  expect(engine.queries.get('CSAS_A_0')!.properties.size).toBe(0);
  expect(engine.systemProperties.has('commit.interval.ms')).toBe(false);
  expect(engine.systemProperties.get('no.such.property')).toBe('1');
  // But what only who starts the process may set is not taken from the topic.
  expect(engine.systemProperties.has('ksql.hidden.topics')).toBe(false);
  expect(engine.failedStatements.map(({ text }) => text)).toEqual(["ALTER SYSTEM 'ksql.hidden.topics'='';"]);
});

test('a statement whose query can never start changes nothing', async () => {
  await execute(engine, SOURCE);
  await engine.log.admin.createTopic({
    name: '_millrace_test_query_CTAS_T_0-Aggregate-Aggregate-Materialize-changelog',
    partitions: 7,
  });
  await expect(
    execute(engine, 'CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;'),
  ).rejects.toMatchObject({
    code: 'ML_TOPIC',
    message: expect.stringContaining('has 7 partitions where 1 are needed') as string,
  });
  expect(names()).toEqual(['S']);
  expect(await states()).toEqual({});
  await restart();
  expect(names()).toEqual(['S']);
  expect(await states()).toEqual({});
});

test('a failed statement is listed by EXTENDED and by the id in any case', async () => {
  await execute(engine, `${SOURCE} CREATE STREAM A AS SELECT K, LATER(V) AS V FROM S;`);
  await restart();
  const { entity } = await execute(engine, 'SHOW QUERIES EXTENDED;');
  expect(entity).toMatchObject({
    queryDescriptions: [{ id: 'CSAS_A_0', state: 'ERROR', sinks: ['A'] }],
  });
  await engine.execute(parseStatements('TERMINATE csas_a_0;')[0]!, {
    properties: new Map(),
    variables: new Map(),
    asserted: new Map(),
  });
  expect(await states()).toEqual({});
});
