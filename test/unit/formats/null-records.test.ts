import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

// Which nulls are a record without a value: test files, in which both are null, cannot tell.

let engine: Engine;
beforeEach(async () => {
  engine = await openEngine();
});
afterEach(() => engine.close());

async function printed(topic: string, count: number): Promise<string[]> {
  const { rows } = await execute(engine, `PRINT ${topic} FROM BEGINNING LIMIT ${count};`);
  const lines = rows.map(([line]) => line as string).filter((line) => line.startsWith('rowtime'));
  return lines.map((line) => /value: (.*), partition/.exec(line)![1]!);
}

test.each([
  ['JSON', '<null>'],
  ['KAFKA', '<null>'],
  ['DELIMITED', ''],
])('a lone null of %s is written as %j, by INSERT and by a query', async (format, value) => {
  const wrap = format === 'JSON' ? 'WRAP_SINGLE_VALUE=FALSE, ' : '';
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='${format}', ${wrap}PARTITIONS=1);
     CREATE STREAM W (K INT KEY, V STRING, X INT) WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE STREAM C WITH (${wrap}VALUE_FORMAT='${format}') AS SELECT K, V FROM W;
     INSERT INTO S VALUES (1, NULL);
     INSERT INTO W VALUES (1, NULL, 2);`,
  );
  expect(await printed('s', 1)).toEqual([value]);
  expect(await printed('C', 1)).toEqual([value]);
});

test('the JSON text null removes a row', async () => {
  await execute(
    engine,
    `CREATE STREAM RAW (K INT KEY, LINE STRING) WITH (KAFKA_TOPIC='t', FORMAT='KAFKA', PARTITIONS=1);
     CREATE TABLE T (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=TRUE);
     CREATE TABLE C AS SELECT * FROM T;
     INSERT INTO RAW VALUES (1, '{"V":1}');
     INSERT INTO RAW VALUES (1, 'null');`,
  );
  expect(await printed('C', 2)).toEqual(['{"V":1}', '<null>']);
});
