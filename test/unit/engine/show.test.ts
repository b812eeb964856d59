import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entityTable } from '../../../src/cli/render/entity-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Entity, QueryDescription, SourceDescription } from '../../../src/engine/result.ts';
import { applicationIdOf } from '../../../src/engine/query-application.ts';
import { newSession } from '../../../src/engine/session.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** SHOW, DESCRIBE and EXPLAIN in their variants, as data and as people read it. */

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
     INSERT INTO S VALUES (1, 2);
     INSERT INTO S VALUES (2, 3);
     CREATE TABLE T AS SELECT K, SUM(V) N FROM S GROUP BY K;
     CREATE TABLE W AS SELECT K, COUNT(*) N FROM S WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY K;`,
  );
  await engine.drain();
});
afterAll(() => engine.close());

async function entityOf(sql: string): Promise<Entity> {
  const { entity } = await execute(engine, sql);
  if (entity === null) throw new Error(`${sql} gave rows`);
  return entity;
}
async function textOf(sql: string): Promise<string> {
  return entityTable(await entityOf(sql)).text;
}
async function described(sql: string): Promise<SourceDescription> {
  const entity = await entityOf(sql);
  if (entity['@type'] !== 'sourceDescription') throw new Error(entity['@type']);
  return entity.sourceDescription;
}
async function explained(sql: string): Promise<QueryDescription> {
  const entity = await entityOf(sql);
  if (entity['@type'] !== 'queryDescription') throw new Error(entity['@type']);
  return entity.queryDescription;
}

test('SHOW TOPICS EXTENDED counts the queries that read each topic', async () => {
  const entity = await entityOf('SHOW TOPICS EXTENDED;');
  expect(entity).toMatchObject({ '@type': 'kafka_topics_extended' });
  expect((entity as unknown as { topics: unknown[] }).topics).toContainEqual({
    name: 's',
    replicaInfo: [1, 1],
    consumerCount: 2,
    consumerGroupCount: 2,
  });
  expect(entityTable(entity).rows).toContainEqual(['s', '2', '1', '2']);
});

test.each(['SHOW TABLES EXTENDED;', 'DESCRIBE TABLES EXTENDED;', 'LIST TABLES EXTENDED;'])(
  '%s describes each table',
  async (sql) => {
    const entity = await entityOf(sql);
    expect(entity).toMatchObject({
      '@type': 'source_descriptions',
      sourceDescriptions: [
        { name: 'T', extended: true },
        { name: 'W', extended: true, windowType: 'TUMBLING' },
      ],
    });
    expect(entityTable(entity).text).toMatch(
      /TABLE T over topic T .*\n[^]*\n\nTABLE W over topic W .*tumbling windows/,
    );
  },
);

test('DESCRIBE EXTENDED tells how far the queries are that read or write the source', async () => {
  const { statistics, queryOffsetSummaries, partitions } = await described('DESCRIBE T EXTENDED;');
  const { createdBy } = engine.catalog.get('T')!;
  expect(statistics).toBe(`${createdBy!}: 2 records`);
  expect(partitions).toBe(2);
  expect(queryOffsetSummaries).toHaveLength(1);
  const [summary] = queryOffsetSummaries;
  expect(summary!.groupId).toBe(applicationIdOf(createdBy!, engine));
  const { kafkaTopic, offsets } = summary!.topicSummaries[0]!;
  expect(kafkaTopic).toBe('s');
  expect(offsets.reduce((sum, each) => sum + each.consumerOffset, 0)).toBe(2);
  expect(offsets.every((each) => each.consumerOffset === each.logEndOffset)).toBe(true);
  const text = await textOf('DESCRIBE T EXTENDED;');
  expect(text).toContain('2 partitions, replicas 1\n');
  expect(text).toContain(`written by ${createdBy!}\nstatement: CREATE TABLE T AS`);
  expect(text).toMatch(/group \S+ in topic s:\n {2}partition 0: at \d of 0\.\.\d, 0 behind/);
  // Of both that read it.
  expect((await described('DESCRIBE S EXTENDED;')).queryOffsetSummaries).toHaveLength(2);
});

test('DESCRIBE without EXTENDED asks nobody for offsets', async () => {
  expect(await described('DESCRIBE T;')).toMatchObject({
    extended: false,
    statistics: '',
    queryOffsetSummaries: [],
  });
});

test('SHOW QUERIES EXTENDED has every query as EXPLAIN has it, push queries too', async () => {
  const push = await engine.execute(parseStatements('SELECT K FROM S EMIT CHANGES;')[0]!, newSession());
  const entity = await entityOf('SHOW QUERIES EXTENDED;');
  if (entity['@type'] !== 'query_descriptions') throw new Error(entity['@type']);
  expect(entity.queryDescriptions).toHaveLength(3);
  const { createdBy } = engine.catalog.get('T')!;
  expect(entity.queryDescriptions[0]).toEqual(await explained(`EXPLAIN ${createdBy!};`));
  expect(entity.queryDescriptions[0]).toMatchObject({ consumerGroupId: applicationIdOf(createdBy!, engine) });
  expect(entity.queryDescriptions[2]).toMatchObject({
    queryType: 'PUSH',
    state: 'RUNNING',
    fields: [{ name: 'K' }],
  });
  expect(entityTable(entity).text).toContain(`${createdBy!} RUNNING\nCREATE TABLE T AS`);
  if (push.kind === 'rows') await push.rows.close();
});

test.each([
  ['SELECT N + 1 AS X FROM T WHERE K IN (1, 2) AND N > 3 LIMIT 2', 'look up 2 of [K] in store'],
  ['SELECT * FROM T', 'read every row in store'],
  ['SELECT * FROM W WHERE K = 1 AND WINDOWSTART > 5', 'look up 1 of [K] in store'],
])('EXPLAIN %s says where the rows are looked for', async (sql, text) => {
  const description = await explained(`EXPLAIN ${sql};`);
  expect(description).toMatchObject({ queryType: 'PULL', topology: '' });
  expect(description.executionPlan).toContain(text);
});

test('EXPLAIN of a query on a stream that ends tells so, and of what holds no query is an error', async () => {
  expect(await explained('EXPLAIN SELECT * FROM S;')).toMatchObject({ queryType: 'PULL' });
  expect(await explained('EXPLAIN SELECT * FROM S EMIT CHANGES;')).toMatchObject({ queryType: 'PUSH' });
  await expect(execute(engine, 'EXPLAIN SHOW STREAMS;')).rejects.toMatchObject({ code: 'ML_UNSUPPORTED' });
  await expect(execute(engine, 'EXPLAIN NOTHING;')).rejects.toMatchObject({ code: 'ML_NAME_UNKNOWN' });
});

test('PAUSE outlives a restart, and RESUME ends it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-pause-'));
  try {
    const before = await openEngine(directory);
    await execute(
      before,
      `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
       CREATE STREAM A AS SELECT * FROM S; CREATE STREAM B AS SELECT * FROM S;
       PAUSE ALL; RESUME CSAS_B_1;`,
    );
    await before.close();
    const after = await openEngine(directory);
    expect([...after.queries.values()].map(({ id, state }) => [id, state])).toEqual([
      ['CSAS_A_0', 'PAUSED'],
      ['CSAS_B_1', 'RUNNING'],
    ]);
    await execute(after, 'RESUME ALL;');
    expect([...after.queries.values()].map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING']);
    await after.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
