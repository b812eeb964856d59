import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../../src/engine/engine.ts';
import { readAll } from '../../../harness/log-records.ts';
import { execute, openEngine } from '../../../harness/open-engine.ts';

let engine: Engine;

beforeEach(async () => {
  engine = await openEngine();
});

afterEach(() => engine.close());

test('a MAP is written and kept as it came; as text and taken apart it is in the order of a Java HashMap', async () => {
  await execute(
    engine,
    `CREATE STREAM RAW (K INT KEY, LINE STRING) WITH (KAFKA_TOPIC='s', KEY_FORMAT='JSON', VALUE_FORMAT='KAFKA', PARTITIONS=1);
     CREATE STREAM S (K INT KEY, M MAP<STRING, INT>) WITH (KAFKA_TOPIC='s', FORMAT='JSON');
     CREATE STREAM C AS SELECT K, M, CAST(M AS STRING) AS T, MAP_KEYS(M) AS KS, MAP('z' := 1, '2' := 2, 'a' := 3, '1' := 4) AS N FROM S;
     CREATE TABLE L AS SELECT K, LATEST_BY_OFFSET(M) AS M, HISTOGRAM(CAST(K AS STRING)) AS H FROM S GROUP BY K;
     INSERT INTO RAW VALUES (7, '{"M":{"b":1,"2":2,"1":3,"a":4}}');`,
  );
  await engine.drain();
  const values = async (topic: string): Promise<unknown> =>
    (await readAll(engine.log, topic)).map(({ value }) => value);
  expect(await values('C')).toEqual([
    '{"M":{"b":1,"2":2,"1":3,"a":4},"T":"{1=3, a=4, b=1, 2=2}","KS":["1","a","b","2"],"N":{"z":1,"2":2,"a":3,"1":4}}',
  ]);
  expect(await values('L')).toEqual(['{"M":{"b":1,"2":2,"1":3,"a":4},"H":{"7":1}}']);
  const { rows } = await execute(engine, 'SELECT M FROM L;');
  expect([...(rows[0] as readonly [Map<string, number>])[0].keys()]).toEqual(['b', '2', '1', 'a']);
});
