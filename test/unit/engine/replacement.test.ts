import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqlError } from '../../../src/common/error.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** CREATE OR REPLACE … AS: which queries may take the place of which, and that they go on with the state. */

const SOURCES = `
  CREATE STREAM A (ID INT KEY, C1 INT, C2 INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON', PARTITIONS=1);
  CREATE STREAM B (ID INT KEY, C1 INT, C2 INT) WITH (KAFKA_TOPIC='b', VALUE_FORMAT='JSON', PARTITIONS=1);
  CREATE TABLE D (ID INT PRIMARY KEY, C1 INT) WITH (KAFKA_TOPIC='d', VALUE_FORMAT='JSON', PARTITIONS=1);`;

let engine: Engine;
beforeEach(async () => {
  engine = await openEngine();
});
afterEach(() => engine.close());

/** `before` and then `after` in its place, each with the optimizer on or off. Null: it was taken; else why not. */
async function replace(
  kind: 'STREAM' | 'TABLE',
  before: string,
  after: string,
  optimizer: readonly [boolean, boolean],
): Promise<string | null> {
  const run = (sql: string, on: boolean): Promise<unknown> =>
    execute(engine, sql, {
      ...newSession(),
      properties: new Map([['ksql.optimizer.enabled', String(on)]]),
    });
  await run(SOURCES, true);
  await run(`CREATE ${kind} R AS ${before};`, optimizer[0]);
  try {
    await run(`CREATE OR REPLACE ${kind} R AS ${after};`, optimizer[1]);
    return null;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return error.message;
  }
}

const COUNT = 'SELECT C1, COUNT(*) AS N FROM A GROUP BY C1';
const JOIN = 'SELECT A.ID AS ID, A.C1 AS X, D.C1 AS Y FROM A LEFT JOIN D ON A.ID = D.ID';

const PAIRS =
  'SELECT A.ID AS ID, A.C1 AS X, B.C1 AS Y FROM A LEFT JOIN B WITHIN 1 HOUR GRACE PERIOD 1 HOUR ON A.ID = B.ID';

const TAKEN: readonly (readonly ['STREAM' | 'TABLE', string, string])[] = [
  ['STREAM', 'SELECT * FROM A WHERE C1 > 0', 'SELECT * FROM A'],
  ['STREAM', 'SELECT ID, C1 FROM A', 'SELECT ID, C1, C1 + 1 AS C FROM A WHERE C2 > 1'],
  ['STREAM', 'SELECT * FROM A PARTITION BY C1', 'SELECT * FROM A WHERE C1 > 0 PARTITION BY C1'],
  ['TABLE', COUNT, COUNT.replace('GROUP', 'WHERE C2 > 0 GROUP')],
  ['TABLE', COUNT.replace('GROUP', 'WHERE C2 > 0 GROUP'), COUNT],
  ['TABLE', COUNT, `${COUNT} HAVING COUNT(*) > 1`],
  [
    'TABLE',
    'SELECT ID, COUNT(C1) AS N FROM A GROUP BY ID',
    'SELECT ID, COUNT(C1) AS N FROM A WHERE C1 > 0 GROUP BY ID',
  ],
  ['TABLE', COUNT, COUNT.replace('AS N', 'AS N, AS_VALUE(C1) AS K')],
  [
    'TABLE',
    COUNT.replaceAll('A GROUP', 'A WINDOW TUMBLING (SIZE 1 MINUTE) GROUP'),
    COUNT.replaceAll('A GROUP', 'A WINDOW TUMBLING (SIZE 1 MINUTE) WHERE C2 = 1 GROUP'),
  ],
  ['TABLE', 'SELECT * FROM D', 'SELECT * FROM D WHERE C1 > 0'],
  ['STREAM', JOIN, JOIN.replace('D.C1 AS Y', 'D.C1 + 1 AS Y')],
  ['STREAM', PAIRS, PAIRS.replace('B.C1 AS Y', 'B.C1 + A.C1 AS Y')],
];

const REFUSED: readonly (readonly ['STREAM' | 'TABLE', string, string, string])[] = [
  ['TABLE', COUNT, COUNT.replace('COUNT(*)', 'SUM(C2)').replace('AS N', 'AS N'), ''],
  ['TABLE', COUNT, COUNT.replace('COUNT(*) AS N', 'COUNT(*) AS N, SUM(C2) AS S'), ' would become aggregate'],
  ['TABLE', COUNT, COUNT.replace('A GROUP', 'A WINDOW TUMBLING (SIZE 1 MINUTE) GROUP'), ''],
  [
    'STREAM',
    JOIN,
    JOIN.replace('LEFT JOIN', 'JOIN'),
    'join Join left stream-table would become join Join inner stream-table',
  ],
  ['STREAM', JOIN, JOIN.replace('D.C1 AS Y', 'D.C1 AS Y, D.ID AS Z'), 'would read other columns'],
  ['STREAM', JOIN, JOIN.replace('D.C1 AS Y', 'D.C1 AS Y, A.C2 AS Z'), 'would read other columns'],
  ['STREAM', PAIRS, `${PAIRS} WHERE A.C1 > 0`, 'filter where'],
  ['STREAM', JOIN, `${JOIN} WHERE A.C1 > 0`, 'filter where'],
  ['STREAM', PAIRS, PAIRS.replace('B.C1 AS Y', 'B.C1 AS Y, A.C2 AS Z'), 'would read other columns'],
  // Two columns of one type whose places in the rows that are kept are exchanged.
  [
    'STREAM',
    PAIRS.replace('B.C1 AS Y', 'A.C2 AS Y'),
    PAIRS.replace('A.C1 AS X, B.C1 AS Y', 'A.C2 AS X, A.C1 AS Y'),
    'would read other columns',
  ],
  [
    'TABLE',
    'SELECT C1, COUNT(*) AS N FROM D GROUP BY C1',
    'SELECT C1, COUNT(*) AS N FROM D WHERE ID > 1 GROUP BY C1',
    'filter where',
  ],
];

const SWITCHES = [
  [true, true],
  [false, false],
  [true, false],
  [false, true],
] as const;

test.each(TAKEN.flatMap((each) => SWITCHES.map((on) => [...each, on] as const)))(
  '%s: %s may become %s (optimizer %j)',
  async (kind, before, after, optimizer) => {
    expect(await replace(kind, before, after, optimizer)).toBeNull();
  },
);

test.each(REFUSED.flatMap((each) => SWITCHES.map((on) => [...each, on] as const)))(
  '%s: %s may not become %s (%s, optimizer %j)',
  async (kind, before, after, message, optimizer) => {
    expect(await replace(kind, before, after, optimizer)).toContain(message);
  },
);

test.each(SWITCHES)('the counts go on, with the optimizer %s and then %s', async (...optimizer) => {
  expect(await replace('TABLE', COUNT, COUNT, optimizer)).toBeNull();
  const insert = 'INSERT INTO A (ID, C1, C2) VALUES (1, 1, 1); INSERT INTO A (ID, C1, C2) VALUES (2, 1, 0);';
  await execute(engine, insert);
  await execute(engine, `CREATE OR REPLACE TABLE R AS ${COUNT.replace('GROUP', 'WHERE C2 = 1 GROUP')};`);
  await execute(engine, insert);
  await engine.drain();
  expect((await execute(engine, 'SELECT * FROM R;')).rows).toEqual([[1, 3]]);
});

test.each(SWITCHES)(
  'the rows of a table get columns more (optimizer %s and then %s)',
  async (...optimizer) => {
    const columns = Array.from({ length: 9 }, (_, i) => `C${i}`);
    const wide = `CREATE TABLE W (ID INT PRIMARY KEY, ${columns.map((name) => `${name} INT`).join(', ')})
    WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', PARTITIONS=1);`;
    await execute(engine, wide);
    const insert = (id: number, value: number): Promise<unknown> =>
      execute(
        engine,
        `INSERT INTO W (ID, ${columns.join(', ')}) VALUES (${id}, ${columns.map(() => value).join(', ')});`,
      );
    const select = (names: readonly string[]): string => `SELECT ID, ${names.join(', ')} FROM W WHERE C5 > 0`;
    expect(await replace('TABLE', select(['C5']), select(['C5']), optimizer)).toBeNull();
    await insert(1, 1);
    await insert(2, 1);
    await execute(engine, `CREATE OR REPLACE TABLE R AS ${select(['C5', 'C1'])};`);
    await insert(2, 2);
    await insert(3, 3);
    await execute(
      engine,
      `CREATE OR REPLACE TABLE R AS ${select(['C5', 'C1', 'C8', 'C0', 'C2', 'C3', 'C4', 'C6'])};`,
    );
    await insert(3, 0);
    await insert(4, 4);
    await engine.drain();
    // A row has the columns that the query had when it came, as in the table's topic.
    expect((await execute(engine, 'SELECT ID, C5, C1, C8, C6 FROM R;')).rows).toEqual([
      [1, 1, null, null, null],
      [2, 2, 2, null, null],
      [4, 4, 4, 4, 4],
    ]);
  },
);

test('a column of a source is another column when it has another type', async () => {
  await execute(engine, `${SOURCES} CREATE TABLE R AS SELECT ID, MAX(C1) AS M FROM A GROUP BY ID;`);
  await execute(
    engine,
    `CREATE STREAM E (ID INT KEY, C1 BIGINT, C2 INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON');`,
  );
  await expect(
    execute(engine, 'CREATE OR REPLACE TABLE R AS SELECT ID, MAX(CAST(C1 AS INT)) AS M FROM E GROUP BY ID;'),
  ).rejects.toThrow('whose state would be another');
});
