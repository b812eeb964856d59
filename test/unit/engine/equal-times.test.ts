import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { readAll } from '../../harness/log-records.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

let engine: Engine;

beforeEach(async () => {
  engine = await openEngine();
  await execute(
    engine,
    `CREATE STREAM S (K INT KEY, F INT, V STRING) WITH (KAFKA_TOPIC='S', FORMAT='JSON', PARTITIONS=2);
     CREATE TABLE T (K INT PRIMARY KEY, A STRING) WITH (KAFKA_TOPIC='T', FORMAT='JSON', PARTITIONS=2);
     CREATE TABLE U (K INT PRIMARY KEY, B STRING) WITH (KAFKA_TOPIC='U', FORMAT='JSON', PARTITIONS=2);`,
  );
});

afterEach(() => engine.close());

const values = async (topic: string): Promise<(string | null)[]> =>
  (await readAll(engine.log, topic)).map(({ value }) => value);

/** Rows that all have one time, the stream's before the tables'. */
async function burst(rows: number): Promise<void> {
  for (let i = 0; i < rows; i++)
    await execute(
      engine,
      `INSERT INTO S (ROWTIME, K, F, V) VALUES (1000, ${i}, ${i}, 's');
       INSERT INTO T (ROWTIME, K, A) VALUES (1000, ${i}, 'a');
       INSERT INTO U (ROWTIME, K, B) VALUES (1000, ${i}, 'b');`,
    );
}

test("a stream's row meets the row that its table got at the same time", async () => {
  await burst(10);
  await execute(engine, 'CREATE STREAM J AS SELECT S.K, V, A FROM S JOIN T ON S.K = T.K;');
  await execute(engine, 'CREATE STREAM L AS SELECT S.K, V, A FROM S LEFT JOIN T ON S.K = T.K;');
  await execute(
    engine,
    'CREATE STREAM N AS SELECT S.K, V, A, B FROM S JOIN T ON S.K = T.K LEFT JOIN U ON S.K = U.K;',
  );
  await engine.drain();
  expect(await values('J')).toEqual(Array(10).fill('{"V":"s","A":"a"}'));
  expect(await values('L')).toEqual(Array(10).fill('{"V":"s","A":"a"}'));
  expect(await values('N')).toEqual(Array(10).fill('{"V":"s","A":"a","B":"b"}'));
});

test('rows that are inserted without a time never get an earlier one than those before', async () => {
  let now = 5000;
  const clock: Clock = {
    now: () => now,
    monotonic: () => systemClock.monotonic(),
    setTimer: (delayMs, action) => systemClock.setTimer(delayMs, action),
  };
  const other = await openEngine(null, { clock });
  try {
    await execute(other, `CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='S', FORMAT='JSON', PARTITIONS=1);`);
    await execute(other, 'INSERT INTO S (V) VALUES (1);');
    now = 4000;
    await execute(other, 'INSERT INTO S (V) VALUES (2);');
    expect((await readAll(other.log, 'S')).map(({ timestamp }) => timestamp)).toEqual([5000, 5000]);
  } finally {
    await other.close();
  }
});
