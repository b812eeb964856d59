import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { readAll } from '../../harness/log-records.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT, G INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE T (K INT PRIMARY KEY, V INT, G INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE U (K INT PRIMARY KEY, W INT) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON', PARTITIONS=1);`,
  );
});

afterAll(() => engine.close());

/** Wherever an expression stands, one that fails is told of once, and is null. */
describe('an expression that fails is in the processing log', () => {
  test.each([
    ['WHERE', 'STREAM', 'SELECT K, V FROM S WHERE 10 / V > 1'],
    ['SELECT', 'STREAM', 'SELECT K, 10 / V AS X FROM S'],
    ['PARTITION BY', 'STREAM', 'SELECT * FROM S PARTITION BY 10 / V'],
    ['GROUP BY', 'TABLE', 'SELECT 10 / V AS X, COUNT(*) AS N FROM S GROUP BY 10 / V'],
    ['an aggregate', 'TABLE', 'SELECT K, SUM(10 / V) AS X FROM S GROUP BY K'],
    ['one of several aggregates', 'TABLE', 'SELECT K, COUNT(*) AS N, MAX(10 / V) AS X FROM S GROUP BY K'],
    ['an aggregate behind a repartition', 'TABLE', 'SELECT G, SUM(10 / V) AS X FROM S GROUP BY G'],
    [
      'an aggregate of several windows',
      'TABLE',
      'SELECT K, SUM(10 / V) AS X FROM S WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS) GROUP BY K',
    ],
    [
      'an aggregate of sessions',
      'TABLE',
      'SELECT K, SUM(10 / V) AS X FROM S WINDOW SESSION (10 SECONDS) GROUP BY K',
    ],
    ['an aggregate of a table', 'TABLE', 'SELECT G, SUM(10 / V) AS X FROM T GROUP BY G'],
    ['HAVING', 'TABLE', 'SELECT K, SUM(V) AS X FROM S GROUP BY K HAVING 10 / SUM(V) > 1'],
    ['behind an aggregate', 'TABLE', 'SELECT K, 10 / SUM(V) AS X FROM S GROUP BY K'],
    ['a join', 'STREAM', 'SELECT U.K AS X, S.G FROM S LEFT JOIN U ON 10 / S.V = U.K'],
    ['a join by foreign key', 'TABLE', 'SELECT T.K, U.W FROM T LEFT JOIN U ON 10 / T.V = U.K'],
    ['a table function', 'STREAM', 'SELECT K, EXPLODE(ARRAY[10 / V]) AS X FROM S'],
  ])('%s', async (_, kind, query) => {
    const { queryId } = await createAs(kind, query);
    await execute(engine, 'INSERT INTO S VALUES (1, 0, 7); INSERT INTO T VALUES (1, 0, 7);');
    await engine.drain();
    expect(await told(queryId)).toEqual([expect.stringMatching(/division by zero$/)]);
    // A row that goes away takes back what was told of when it came.
    await execute(engine, 'INSERT INTO T VALUES (1, 1, 7); INSERT INTO S VALUES (1, 5, 7);');
    await engine.drain();
    expect(await told(queryId)).toHaveLength(1);
    await execute(engine, `TERMINATE ${queryId};`);
  });
});

let created = 0;

async function createAs(kind: string, query: string): Promise<{ queryId: string }> {
  const name = `R${created++}`;
  await execute(
    engine,
    `SET 'auto.offset.reset'='latest'; CREATE ${kind} ${name} WITH (VALUE_FORMAT='JSON') AS ${query} EMIT CHANGES;`,
  );
  const found = [...engine.queries.values()].find(({ sink }) => sink === name);
  return { queryId: found!.id };
}

/** The details of what the query told of, from the log's topic. */
async function told(queryId: string): Promise<unknown[]> {
  await engine.processingLog.flush();
  const records = await readAll(engine.log, engine.processingLog.topic);
  return records
    .map(({ value }) => JSON.parse(value!) as Record<string, unknown>)
    .filter((row) => row['QUERY'] === queryId && row['REASON'] === 'evaluation')
    .map((row) => row['DETAIL']);
}
