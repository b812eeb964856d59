import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { QueryDescription } from '../../../src/engine/result.ts';
import { newSession } from '../../../src/engine/session.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** EXPLAIN shows what runs, and refuses what would be refused. */

let engine: Engine;
beforeEach(async () => {
  engine = await openEngine();
  await run(`
    CREATE STREAM A (ID INT KEY, C1 INT, C2 INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE TABLE D (ID INT PRIMARY KEY, C1 INT) WITH (KAFKA_TOPIC='d', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE STREAM R AS SELECT A.ID AS ID, A.C1 AS X, D.C1 AS Y FROM A LEFT JOIN D ON A.ID = D.ID;`);
});
afterEach(() => engine.close());

function run(sql: string, optimizer = true): Promise<unknown> {
  const properties = new Map([['ksql.optimizer.enabled', String(optimizer)]]);
  return execute(engine, sql, { ...newSession(), properties });
}

async function explained(what: string): Promise<QueryDescription> {
  const [parsed] = parseStatements(`EXPLAIN ${what}`);
  const result = await engine.execute(parsed!, newSession());
  if (result.kind !== 'entity' || result.entity['@type'] !== 'queryDescription')
    throw new Error('no description');
  return result.entity.queryDescription;
}

const shown = ({ executionPlan, topology, fields, windowType }: QueryDescription): unknown => ({
  plan: executionPlan.slice(executionPlan.lastIndexOf('optimized plan')),
  topology,
  fields,
  windowType,
});

test.each([
  ['CREATE STREAM S AS SELECT * FROM A WHERE C1 > 1 + 1;', 'CSAS_S_1'],
  [
    'CREATE TABLE T AS SELECT C1, COUNT(*) AS N FROM A WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY C1;',
    'CTAS_T_1',
  ],
  ["INSERT INTO R WITH (QUERY_ID='more') SELECT ID, C1 AS X, C2 AS Y FROM A;", 'MORE'],
  [
    'CREATE OR REPLACE STREAM R AS SELECT A.ID AS ID, A.C1 AS X, D.C1 + 1 AS Y FROM A LEFT JOIN D ON A.ID = D.ID;',
    'CSAS_R_0',
  ],
])('%s', async (sql, queryId) => {
  const before = shown(await explained(sql));
  await run(sql);
  expect(shown(await explained(`${queryId};`))).toEqual(before);
});

test('what replaces a query that was planned without rules goes on from its stores, and says so', async () => {
  await run('CREATE TABLE T AS SELECT ID, COUNT(*) AS N FROM A GROUP BY ID;', false);
  const sql = 'CREATE OR REPLACE TABLE T AS SELECT ID, COUNT(*) AS N FROM A WHERE C2 > 1 + 1 GROUP BY ID;';
  const before = shown(await explained(sql));
  await run(sql);
  expect(shown(await explained('CTAS_T_1;'))).toEqual(before);
  expect(before).toMatchObject({ topology: expect.stringContaining('-repartition') as string });
});

test('a push query and a pull query of a stream are shown with the topology that they get', async () => {
  for (const sql of [
    'SELECT ID, C1 + 1 AS C FROM A WHERE C2 > 3 EMIT CHANGES;',
    'SELECT ID FROM A LIMIT 0;',
  ]) {
    const { topology } = await explained(sql);
    const result = await engine.execute(parseStatements(sql)[0]!, newSession());
    const [query] = engine.pushQueries.values();
    expect(query!.streams.topology.describe()).toBe(topology);
    if (result.kind === 'rows') await result.rows.close();
  }
});

test('what would be refused is not explained', async () => {
  await expect(
    explained('CREATE OR REPLACE STREAM R AS SELECT ID, C1 AS X, C2 AS Y FROM A;'),
  ).rejects.toThrow('the query of R cannot be replaced by this one');
  await expect(
    explained("CREATE STREAM S WITH (KAFKA_TOPIC='_confluent-x') AS SELECT * FROM A;"),
  ).rejects.toThrow('_confluent');
  await expect(explained('SHOW STREAMS;')).rejects.toThrow('there is nothing to explain');
});
