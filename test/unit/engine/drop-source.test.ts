import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

let engine: Engine;
beforeEach(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;`,
  );
});
afterEach(() => engine.close());

test('whoever drops a source says what it is', async () => {
  await expect(execute(engine, 'DROP STREAM T;')).rejects.toMatchObject({
    code: 'ML_NAME_UNKNOWN',
    message: 'T is a table, not a stream',
    hint: 'use DROP TABLE T',
  });
  expect(engine.catalog.has('T')).toBe(true);
});

test('the query that makes a source ends with it; others keep what they read and write', async () => {
  for (const sql of ['DROP STREAM S;', 'INSERT INTO S SELECT * FROM S; DROP STREAM S;'])
    await expect(execute(engine, sql)).rejects.toMatchObject({ code: 'ML_IN_USE' });
  await execute(engine, 'DROP TABLE T;');
  expect([engine.catalog.has('T'), engine.queries.has('CTAS_T_0')]).toEqual([false, false]);
});
