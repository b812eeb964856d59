import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** A query that is opened again goes on with its state, also where nothing outlives the process. */

let engine: Engine;
beforeEach(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT, D DECIMAL(4, 2)) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);`,
  );
});
afterEach(() => engine.close());

async function rows(sql: string): Promise<unknown[]> {
  await engine.drain();
  return (await execute(engine, sql)).rows.toSorted((a, b) =>
    JSON.stringify(a).localeCompare(JSON.stringify(b)),
  );
}

const INSERTS = `INSERT INTO S VALUES (1, 10, 1.5); INSERT INTO S VALUES (1, 20, 2.5); INSERT INTO S VALUES (2, 10, 1);`;

test.each([
  ['the same', 'SELECT V, COUNT(*) AS N FROM S GROUP BY V', 'SELECT V, COUNT(*) AS N FROM S GROUP BY V'],
  [
    'HAVING',
    'SELECT V, COUNT(*) AS N FROM S GROUP BY V',
    'SELECT V, COUNT(*) AS N FROM S GROUP BY V HAVING COUNT(*) > 0',
  ],
])('a count behind a repartition that is replaced: %s', async (_what, before, after) => {
  await execute(engine, `CREATE TABLE T AS ${before}; ${INSERTS}`);
  expect(await rows('SELECT V, N FROM T;')).toEqual([
    [10, 2],
    [20, 1],
  ]);
  await execute(engine, `CREATE OR REPLACE TABLE T AS ${after};`);
  expect(await rows('SELECT V, N FROM T;')).toEqual([
    [10, 2],
    [20, 1],
  ]);
  await execute(engine, INSERTS);
  expect(await rows('SELECT V, N FROM T;')).toEqual([
    [10, 4],
    [20, 2],
  ]);
});

test('windows, the table side of a join and the buffers of a join of streams', async () => {
  await execute(
    engine,
    `CREATE STREAM R (K INT KEY, W INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=2);
     CREATE TABLE U (K INT PRIMARY KEY, A STRING) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON', PARTITIONS=2);
     CREATE TABLE W AS SELECT K, COUNT(*) AS N FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY K;
     CREATE STREAM J AS SELECT S.K AS K, V, A FROM S LEFT JOIN U ON S.K = U.K;
     CREATE STREAM P AS SELECT S.K AS K, V, W FROM S JOIN R WITHIN 1 HOUR ON S.K = R.K;
     INSERT INTO U (ROWTIME, K, A) VALUES (1000, 1, 'a');
     INSERT INTO S (ROWTIME, K, V) VALUES (2000, 1, 10);`,
  );
  await engine.drain();
  await execute(
    engine,
    `CREATE OR REPLACE TABLE W AS SELECT K, COUNT(*) AS N FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY K HAVING COUNT(*) > 0;
     CREATE OR REPLACE STREAM J AS SELECT S.K AS K, V + 1 AS V, A FROM S LEFT JOIN U ON S.K = U.K;
     CREATE OR REPLACE STREAM P AS SELECT S.K AS K, V + 1 AS V, W FROM S JOIN R WITHIN 1 HOUR ON S.K = R.K;
     INSERT INTO S (ROWTIME, K, V) VALUES (3000, 1, 20);
     INSERT INTO R (ROWTIME, K, W) VALUES (4000, 1, 5);`,
  );
  expect(await rows('SELECT K, N FROM W;')).toEqual([[1, 2]]);
  expect(await rows('SELECT K, V, A FROM J;')).toEqual([
    [1, 10, 'a'],
    [1, 21, 'a'],
  ]);
  expect(await rows('SELECT K, V, W FROM P;')).toEqual([
    [1, 11, 5],
    [1, 21, 5],
  ]);
});
