import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { drainOrder } from '../../../src/engine/drain.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { Topology } from '../../../src/streams/topology/topology.ts';
import { stringSerde } from '../../../src/streams/topology/serde.ts';
import { readAll } from '../../harness/log-records.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** What queries do with rows that were inserted is there when they have been waited for. */

async function withEngine(body: (engine: Engine) => Promise<void>, options = {}): Promise<void> {
  const engine = await openEngine(null, options);
  try {
    await body(engine);
  } finally {
    await engine.close();
  }
}

const values = async (engine: Engine, topic: string): Promise<(string | null)[]> =>
  (await readAll(engine.log, topic)).map(({ value }) => value);

test('a join by foreign key goes there and back', async () => {
  await withEngine(async (engine) => {
    await execute(
      engine,
      `CREATE TABLE O (ID INT PRIMARY KEY, ITEM INT) WITH (KAFKA_TOPIC='O', FORMAT='JSON', PARTITIONS=3);
       CREATE TABLE I (ID INT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='I', FORMAT='JSON', PARTITIONS=3);
       CREATE TABLE J AS SELECT O.ID, NAME FROM O JOIN I ON O.ITEM = I.ID;`,
    );
    for (let i = 1; i <= 10; i++) {
      await execute(engine, `INSERT INTO I VALUES (${i}, 'n'); INSERT INTO O VALUES (${i}, ${i});`);
      await engine.drain();
      expect(await values(engine, 'J')).toHaveLength(i);
    }
  });
});

test('queries that feed themselves, or each other, are followed until they come to rest', async () => {
  await withEngine(async (engine) => {
    await execute(
      engine,
      `CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='A', FORMAT='JSON', PARTITIONS=1);
       CREATE STREAM B (V INT) WITH (KAFKA_TOPIC='B', FORMAT='JSON', PARTITIONS=1);
       CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='S', FORMAT='JSON', PARTITIONS=1);
       INSERT INTO S SELECT V + 1 AS V FROM S WHERE V < 30;
       INSERT INTO B SELECT V + 1 AS V FROM A WHERE V < 30;
       INSERT INTO A SELECT V + 1 AS V FROM B WHERE V < 30;
       CREATE STREAM BEHIND AS SELECT * FROM B;
       INSERT INTO S VALUES (1);
       INSERT INTO A VALUES (1);`,
    );
    await engine.drain();
    expect(await values(engine, 'S')).toHaveLength(30);
    expect(await values(engine, 'A')).toHaveLength(15);
    expect(await values(engine, 'BEHIND')).toHaveLength(15);
  });
});

test('queries that never come to rest are left, and named', async () => {
  const warnings: unknown[] = [];
  let late = 0;
  // Each look at the clock is a second later.
  const clock: Clock = {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() + 1000 * late++,
    setTimer: (delayMs, action) => systemClock.setTimer(delayMs, action),
  };
  const logger = { ...silentLogger, warn: (fields: unknown) => void warnings.push(fields) };
  await withEngine(
    async (engine) => {
      await execute(
        engine,
        `CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='A', FORMAT='JSON', PARTITIONS=1);
         INSERT INTO A SELECT V + 1 AS V FROM A;
         INSERT INTO A VALUES (1);`,
      );
      await engine.drain();
      expect(warnings).toContainEqual({ queries: [expect.stringMatching(/^INSERTQUERY_/)] });
    },
    { clock, logger },
  );
});

test('rows that were inserted before a query is replaced, terminated or dropped go through it', async () => {
  await withEngine(async (engine) => {
    for (let i = 0; i < 5; i++)
      await execute(
        engine,
        `CREATE STREAM A${i} (V INT) WITH (KAFKA_TOPIC='A${i}', FORMAT='JSON', PARTITIONS=2);
         CREATE STREAM B${i} AS SELECT V FROM A${i};
         INSERT INTO A${i} VALUES (1);
         CREATE OR REPLACE STREAM B${i} AS SELECT V + 100 AS V FROM A${i};
         INSERT INTO A${i} VALUES (2);
         TERMINATE CSAS_B${i}_${2 * i};`,
      );
    for (let i = 0; i < 5; i++)
      expect(new Set(await values(engine, `B${i}`))).toEqual(new Set(['{"V":1}', '{"V":102}']));
    await execute(engine, `CREATE STREAM C AS SELECT V FROM A0; INSERT INTO A0 VALUES (3); DROP STREAM C;`);
    expect(await values(engine, 'C')).toHaveLength(3);
  });
});

test('a query that was made or resumed since is waited for, as rows that were inserted are', async () => {
  await withEngine(async (engine) => {
    await execute(
      engine,
      `CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='A', FORMAT='JSON', PARTITIONS=3); INSERT INTO A VALUES (1);`,
    );
    await engine.settle();
    for (let i = 0; i < 5; i++) {
      await execute(engine, `CREATE TABLE T${i} AS SELECT V, COUNT(*) AS N FROM A GROUP BY V;`);
      expect(await engine.settle()).toBe(true);
      expect(await values(engine, `T${i}`)).toHaveLength(1);
    }
    await execute(engine, `PAUSE ALL; INSERT INTO A VALUES (2);`);
    await engine.settle();
    await execute(engine, `RESUME ALL;`);
    await engine.settle();
    expect(await values(engine, 'T0')).toHaveLength(2);
  });
});

test('who writes what another one reads goes first; who feed each other go last', () => {
  const query = (id: string, reads: string, sinkTopic: string) => ({
    id,
    sinkTopic,
    lowered: {
      topology: new Topology().addSource({
        name: 'read',
        topics: [reads],
        key: stringSerde,
        value: stringSerde,
      }),
    },
  });
  const { levels, cyclic } = drainOrder([
    query('third', 'b', 'c'),
    query('second', 'a', 'b'),
    query('first', 'in', 'a'),
    query('also first', 'in', 'z'),
    query('round', 'x', 'y'),
    query('and round', 'y', 'x'),
    query('behind', 'y', 'out'),
  ] as never[]);
  const ids = (queries: readonly { readonly id: string }[]): string[] => queries.map(({ id }) => id);
  expect(levels.map(ids)).toEqual([['first', 'also first'], ['second'], ['third']]);
  expect(ids(cyclic)).toEqual(['round', 'and round', 'behind']);
});
