import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { checkProperty } from '../../../src/engine/check-property.ts';
import { topicPatterns } from '../../../src/engine/topic-patterns.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

const COMMANDS = '_millrace_test_command_topic';

/** Topics that are there before anybody declares anything, as on a cluster that others use too. */
const THERE = [
  '_millrace_other_command_topic',
  '_millrace_other_query_CTAS_T_0-Aggregate-GroupBy-repartition',
  '_confluent-ksql-default__command_topic',
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '_schemas',
  'connect-configs',
  'connect-statuses',
];

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-reserved-'));
  engine = await openEngine(directory);
  for (const name of THERE) await engine.log.admin.createTopic({ name, partitions: 1 });
  await execute(
    engine,
    "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);",
  );
});
afterEach(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

const refused = (message: string) => ({
  code: 'ML_TOPIC',
  message: expect.stringContaining(message) as string,
});

/** What the log holds of topics, apart from records of statements. */
async function topics(): Promise<readonly string[]> {
  return engine.log.admin.listTopics();
}

describe.each([COMMANDS, ...THERE])('topic %s', (topic) => {
  test.each([
    ['PRINT', `PRINT '${topic}' FROM BEGINNING LIMIT 1;`],
    ['CREATE STREAM', `CREATE STREAM X (V STRING) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='KAFKA');`],
    [
      'CREATE SOURCE TABLE',
      `CREATE SOURCE TABLE X (K STRING PRIMARY KEY, V STRING) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='KAFKA');`,
    ],
    ['a sink by its topic', `CREATE STREAM X WITH (KAFKA_TOPIC='${topic}') AS SELECT * FROM S;`],
    [
      'a sink by the prefix of topics',
      `SET 'ksql.output.topic.name.prefix'='_millrace_'; CREATE STREAM other_command_topic AS SELECT * FROM S;`,
    ],
    ['a sink by its name', `CREATE STREAM \`${topic}\` AS SELECT * FROM S;`],
  ])('is refused to %s', async (_what, sql) => {
    const before = await topics();
    await expect(execute(engine, sql)).rejects.toMatchObject({
      ...refused('cannot be'),
      span: expect.anything() as object,
      hint: expect.anything() as string,
    });
    expect(engine.catalog.sources().map(({ name }) => name)).toEqual(['KSQL_PROCESSING_LOG', 'S']);
    expect(engine.queries.size).toBe(0);
    expect(await topics()).toEqual(before);
  });
});

test('a reserved topic that is not there yet is not made', async () => {
  await expect(
    execute(
      engine,
      "CREATE STREAM X (V STRING) WITH (KAFKA_TOPIC='_millrace_test_query_CTAS_T_9-x-changelog', VALUE_FORMAT='JSON', PARTITIONS=7);",
    ),
  ).rejects.toMatchObject(refused('kept by a service'));
  expect(await topics()).not.toContain('_millrace_test_query_CTAS_T_9-x-changelog');
});

test.each([
  'millrace_x',
  '_millrace',
  '_MILLRACE_x',
  'x_millrace_y',
  'connect-configs-2',
  '_schema',
  '__mine',
])('topic %s only looks like one, and is as good as any', async (topic) => {
  await execute(
    engine,
    `CREATE STREAM X (K INT KEY, V INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON', PARTITIONS=1);
       INSERT INTO X VALUES (1, 2); PRINT '${topic}' FROM BEGINNING LIMIT 1;`,
  );
  const { entity } = await execute(engine, 'SHOW TOPICS;');
  expect(JSON.stringify(entity)).toContain(`"${topic}"`);
  await execute(engine, 'DROP STREAM X DELETE TOPIC;');
  expect(await topics()).not.toContain(topic);
});

test('SHOW TOPICS hides them, SHOW ALL TOPICS shows them', async () => {
  const names = async (sql: string): Promise<readonly string[]> => {
    const { entity } = await execute(engine, sql);
    if (entity?.['@type'] !== 'kafka_topics') throw new Error(entity?.['@type']);
    return entity.topics.map(({ name }) => name);
  };
  expect(await names('SHOW TOPICS;')).toEqual(['s', 'test_processing_log']);
  expect(await names('SHOW ALL TOPICS;')).toEqual([...THERE, COMMANDS, 's', 'test_processing_log'].sort());
});

test('the processing log is read, and neither written nor deleted', async () => {
  await execute(engine, 'CREATE STREAM WRONG AS SELECT REASON FROM KSQL_PROCESSING_LOG;');
  await execute(
    engine,
    "CREATE STREAM AGAIN (REASON STRING) WITH (KAFKA_TOPIC='test_processing_log', VALUE_FORMAT='JSON');",
  );
  for (const sql of [
    "INSERT INTO KSQL_PROCESSING_LOG (REASON) VALUES ('x');",
    "INSERT INTO AGAIN VALUES ('x');",
    'INSERT INTO AGAIN SELECT REASON FROM WRONG;',
    'DROP STREAM AGAIN DELETE TOPIC;',
    "CREATE STREAM X WITH (KAFKA_TOPIC='test_processing_log') AS SELECT * FROM S;",
  ])
    await expect(execute(engine, sql), sql).rejects.toMatchObject(refused(''));
  await execute(engine, 'DROP STREAM WRONG;');
  await expect(execute(engine, 'DROP STREAM KSQL_PROCESSING_LOG DELETE TOPIC;')).rejects.toMatchObject(
    refused('the processing log'),
  );
  expect(await topics()).toContain('test_processing_log');
});

/** As releases that refused nothing have left it. */
async function declaredBefore(): Promise<void> {
  const writer = await engine.log.openWriter();
  const statement = `CREATE STREAM CMD (V STRING) WITH (KAFKA_TOPIC='${COMMANDS}', VALUE_FORMAT='KAFKA');`;
  const command = { version: 1, statement, properties: {}, sequence: 1 };
  appendRecord(writer, { topic: COMMANDS, partition: 0 }, { value: JSON.stringify(command) });
  await writer.flush();
  await engine.close();
  engine = await openEngine(directory);
}

test('a stream over one that was declared before is there, and is not written', async () => {
  await declaredBefore();
  expect(engine.catalog.has('CMD')).toBe(true);
  for (const sql of [
    "INSERT INTO CMD VALUES ('x');",
    'INSERT INTO CMD SELECT V FROM CMD;',
    'DROP STREAM CMD DELETE TOPIC;',
    `CREATE OR REPLACE STREAM CMD WITH (KAFKA_TOPIC='${COMMANDS}') AS SELECT V FROM CMD;`,
  ])
    await expect(execute(engine, sql), sql).rejects.toMatchObject(refused('kept by a service for itself'));
  await execute(engine, 'DROP STREAM CMD;');
  expect(await topics()).toContain(COMMANDS);
});

test('who starts the process opens topics to reading, never those of services to writing', async () => {
  await engine.close();
  engine = await openEngine(directory, { properties: new Map([['ksql.hidden.topics', '']]) });
  await execute(engine, `PRINT '${COMMANDS}' FROM BEGINNING LIMIT 1;`);
  await execute(
    engine,
    `CREATE STREAM CMD (V STRING) WITH (KAFKA_TOPIC='${COMMANDS}', VALUE_FORMAT='KAFKA');
     CREATE STREAM SCHEMAS (V STRING) WITH (KAFKA_TOPIC='_schemas', VALUE_FORMAT='KAFKA');`,
  );
  await expect(execute(engine, "INSERT INTO CMD VALUES ('x');")).rejects.toMatchObject(refused('kept by'));
  await expect(execute(engine, "INSERT INTO SCHEMAS VALUES ('x');")).rejects.toMatchObject(
    refused('read-only'),
  );
  // Reading one that is not there would be making it.
  await expect(
    execute(
      engine,
      "CREATE STREAM O (V STRING) WITH (KAFKA_TOPIC='connect-offsets', VALUE_FORMAT='KAFKA', PARTITIONS=1);",
    ),
  ).rejects.toMatchObject(refused('read-only'));
  await engine.close();
  engine = await openEngine(directory, {
    properties: new Map([
      ['ksql.hidden.topics', 'secret-.*'],
      ['ksql.readonly.topics', ''],
    ]),
  });
  await execute(engine, "INSERT INTO SCHEMAS VALUES ('x');");
  await expect(execute(engine, "PRINT 'secret-1';")).rejects.toMatchObject(refused('hidden'));
});

test('no statement and no request opens them', async () => {
  for (const sql of [
    "SET 'ksql.hidden.topics'='';",
    "ALTER SYSTEM 'ksql.hidden.topics'='';",
    "ALTER SYSTEM 'ksql.readonly.topics'='';",
  ])
    await expect(execute(engine, sql)).rejects.toMatchObject({ code: 'ML_PROPERTY' });
});

test('patterns are whole names, and what is no pattern is refused at the start', () => {
  expect(
    topicPatterns(' a.*, ,b ').map((each) => ['abc', 'b', 'bc', 'xa'].map((name) => each.test(name))),
  ).toEqual([
    [true, false, false, false],
    [false, true, false, false],
  ]);
  expect(() => checkProperty('ksql.hidden.topics', 'a,(', 'start')).toThrow(/must be names and patterns/);
});
