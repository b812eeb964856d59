import { describe, expect, test } from 'vitest';
import { type PipelineRecord, runSql } from './sql-pipeline.ts';

/** SQL text to records, over a real log: each plan as built and as optimized, which must agree. */

const ORDERS = `CREATE STREAM ORDERS (ID STRING KEY, REGION STRING, AMOUNT BIGINT, PRICE DOUBLE) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');`;
const USERS = `CREATE TABLE USERS (ID STRING PRIMARY KEY, NAME STRING, AGE INTEGER) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');`;

const order = (key: string | null, value: object | null, timestamp = 0): PipelineRecord => ({
  topic: 'orders',
  key,
  value: value === null ? null : JSON.stringify(value),
  timestamp,
});
const user = (key: string, value: object | null, timestamp = 0): PipelineRecord => ({
  ...order(key, value, timestamp),
  topic: 'users',
});

const byKey = <T extends readonly [string | null, ...unknown[]]>(out: readonly T[]): T[] =>
  [...out].sort((a, b) => String(a[0]).localeCompare(String(b[0])));

describe.each([{ optimized: false }, { optimized: true }])('optimized: $optimized', (options) => {
  test('filter and project', async () => {
    const { out, skipped } = await runSql(
      `${ORDERS} CREATE STREAM OUT AS SELECT ID, REGION, AMOUNT * 2 AS TWICE, PRICE FROM ORDERS WHERE AMOUNT > 5;`,
      [
        order('a', { REGION: 'eu', AMOUNT: 10, PRICE: 1.5 }, 100),
        order('b', { REGION: 'us', AMOUNT: 3, PRICE: 2 }, 200),
        order('c', null, 300),
        order('d', { REGION: 'a"b', AMOUNT: 9 }, 400),
      ],
      options,
    );
    expect(byKey(out)).toEqual([
      ['a', '{"REGION":"eu","TWICE":20,"PRICE":1.5}', 100],
      ['d', '{"REGION":"a\\"b","TWICE":18,"PRICE":null}', 400],
    ]);
    expect(skipped).toEqual([]);
  });

  test('EMIT FINAL gives each window that has closed, also after a long gap in the stream', async () => {
    const { pushed } = await runSql(
      `${ORDERS} SELECT REGION, WINDOWSTART AS WS, SUM(AMOUNT) AS TOTAL FROM ORDERS WINDOW HOPPING (SIZE 1 SECOND, ADVANCE BY 500 MILLISECONDS, GRACE PERIOD 0 SECONDS) GROUP BY REGION EMIT FINAL;`,
      [
        order('a', { REGION: 'eu', AMOUNT: 1 }, 1000),
        order('a', { REGION: 'eu', AMOUNT: 2 }, 1200),
        order('a', { REGION: 'eu', AMOUNT: 4 }, 60_000),
        order('a', { REGION: 'eu', AMOUNT: 8 }, 3_600_000),
      ],
      options,
    );
    expect(pushed.map(({ row }) => row)).toEqual([
      ['eu', 500, 3],
      ['eu', 1000, 3],
      ['eu', 59_500, 4],
      ['eu', 60_000, 4],
    ]);
  });

  test('what cannot be read, evaluated or grouped is told alike with and without rules', async () => {
    const { pushed, skipped } = await runSql(
      `${ORDERS} ${USERS} SELECT O.ID, U.NAME, 10 / O.AMOUNT AS Q FROM ORDERS O JOIN USERS U ON O.REGION = U.ID WHERE O.PRICE > 1 AND 6 / O.AMOUNT > 1 AND FALSE IS NOT NULL AND U.AGE > 1 EMIT CHANGES;`,
      [
        user('eu', { NAME: 'x', AGE: 20 }, 1),
        { ...user('eu', null, 2), value: '{"NAME":"y","AGE":"?"}' },
        order('a', { REGION: 'eu', AMOUNT: 2, PRICE: 2 }, 10),
        order('b', { REGION: 'eu', AMOUNT: 0, PRICE: 2 }, 11),
        order('c', { REGION: 'eu', AMOUNT: 0, PRICE: 0 }, 12),
        order('d', { REGION: null, AMOUNT: 0, PRICE: 0 }, 13),
        order('e', { REGION: 'us', AMOUNT: 0, PRICE: 2 }, 14),
        order('f', null, 15),
        { ...order('g', null, 16), value: '{"REGION":"eu","AMOUNT":"?"}' },
      ],
      options,
    );
    expect(pushed.map(({ row }) => row)).toEqual([['a', 'x', 5]]);
    expect(skipped.map(({ reason, detail }) => `${reason}: ${detail}`).toSorted()).toEqual([
      'deserialization: field AGE: expected INTEGER, found text "?"',
      'deserialization: field AMOUNT: expected BIGINT, found text "?"',
      'evaluation: WHERE: division by zero',
      'null-key: a join needs a key',
      'null-value: a join needs a value',
    ]);
  });

  test('records without a value pass a projection as they are', async () => {
    const { out } = await runSql(
      `${ORDERS} CREATE STREAM OUT AS SELECT ID, AMOUNT + 1 AS MORE FROM ORDERS;`,
      [order('a', null)],
      options,
    );
    expect(out).toEqual([['a', null, 0]]);
  });

  test('an item that fails is null and is told, a condition that fails drops', async () => {
    const { out, skipped } = await runSql(
      `${ORDERS} CREATE STREAM OUT AS SELECT ID, AMOUNT / (AMOUNT - 1) AS Q, AMOUNT FROM ORDERS WHERE 10 / AMOUNT > 0;`,
      [order('a', { AMOUNT: 1 }), order('b', { AMOUNT: 0 }), order('c', { AMOUNT: 2 })],
      options,
    );
    expect(byKey(out)).toEqual([
      ['a', '{"Q":null,"AMOUNT":1}', 0],
      ['c', '{"Q":2,"AMOUNT":2}', 0],
    ]);
    expect(
      skipped.map(({ reason, detail }) => `${reason} ${detail}`).toSorted((a, b) => a.localeCompare(b)),
    ).toEqual([expect.stringContaining('evaluation Q: '), expect.stringContaining('evaluation WHERE: ')]);
  });

  test('another key format, another value format, pseudo columns', async () => {
    const { out } = await runSql(
      `${ORDERS} CREATE STREAM OUT WITH (KEY_FORMAT='JSON', VALUE_FORMAT='DELIMITED') AS
         SELECT ID, AS_VALUE(ID) AS COPY, ROWTIME AS T, ROWOFFSET AS O FROM ORDERS;`,
      [order('a', { AMOUNT: 1 }, 7)],
      options,
    );
    expect(out).toEqual([['"a"', 'a,7,0', 7]]);
  });

  test('partition by, with null keys and null values', async () => {
    const { out } = await runSql(
      `${ORDERS} CREATE STREAM OUT AS SELECT REGION, ID, AMOUNT FROM ORDERS PARTITION BY REGION;`,
      [order('a', { REGION: 'eu', AMOUNT: 1 }), order('b', { AMOUNT: 2 }), order('c', null)],
      options,
    );
    // Records without a key are spread over the partitions.
    expect(out).toHaveLength(3);
    expect(out).toEqual(
      expect.arrayContaining([
        ['eu', '{"ID":"a","AMOUNT":1}', 0],
        [null, '{"ID":"b","AMOUNT":2}', 0],
        [null, null, 0],
      ]),
    );
  });

  test('partition by an expression over the key keeps records without a value', async () => {
    const { out } = await runSql(
      `${ORDERS} CREATE STREAM OUT AS SELECT UCASE(ID) AS U, AMOUNT FROM ORDERS PARTITION BY UCASE(ID);`,
      [order('a', null), order('b', { AMOUNT: 2 })],
      options,
    );
    expect(byKey(out)).toEqual([
      ['A', null, 0],
      ['B', '{"AMOUNT":2}', 0],
    ]);
  });

  test('group by the key', async () => {
    const { out, rows } = await runSql(
      `${ORDERS} CREATE TABLE OUT AS SELECT ID, COUNT(*) AS N, SUM(AMOUNT) AS S FROM ORDERS GROUP BY ID;`,
      [
        order('a', { AMOUNT: 1 }),
        order('b', { AMOUNT: 5 }),
        order('a', { AMOUNT: 2 }),
        order(null, { AMOUNT: 9 }),
        order('a', null),
      ],
      options,
    );
    expect(byKey(out)).toEqual([
      ['a', '{"N":1,"S":1}', 0],
      ['a', '{"N":2,"S":3}', 0],
      ['b', '{"N":1,"S":5}', 0],
    ]);
    expect(rows).toEqual([
      ['a', 2, 3],
      ['b', 1, 5],
    ]);
  });

  test('group by a column and an expression, with HAVING', async () => {
    const { out, rows } = await runSql(
      `${ORDERS} CREATE TABLE OUT WITH (KEY_FORMAT='JSON') AS
         SELECT REGION, AMOUNT % 2 AS ODD, COUNT(*) AS N FROM ORDERS GROUP BY REGION, AMOUNT % 2 HAVING COUNT(*) > 1;`,
      [
        order('a', { REGION: 'eu', AMOUNT: 1 }),
        order('b', { REGION: 'eu', AMOUNT: 3 }),
        order('c', { REGION: 'eu', AMOUNT: 2 }),
        order('d', { AMOUNT: 2 }),
      ],
      options,
    );
    expect(out).toEqual([['{"REGION":"eu","ODD":1}', '{"N":2}', 0]]);
    expect(rows).toEqual([['eu', 1, 2]]);
  });

  test('tumbling windows', async () => {
    const { out, rows, lowered } = await runSql(
      `${ORDERS} CREATE TABLE OUT AS SELECT REGION, COUNT(*) AS N, WINDOWSTART AS WS FROM ORDERS
         WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY REGION;`,
      [
        order('a', { REGION: 'eu' }, 1_000),
        order('b', { REGION: 'eu' }, 9_000),
        order('c', { REGION: 'eu' }, 12_000),
      ],
      options,
    );
    expect(
      out.map(([key, value, time]) => [Buffer.from(key!).subarray(0, 2).toString(), value, time]),
    ).toEqual([
      ['eu', '{"N":1,"WS":0}', 1_000],
      ['eu', '{"N":2,"WS":0}', 9_000],
      ['eu', '{"N":1,"WS":10000}', 12_000],
    ]);
    expect(rows).toEqual([
      [0, 10_000, 'eu', 2, 0],
      [10_000, 20_000, 'eu', 1, 10_000],
    ]);
    expect(lowered.materialization).toMatchObject({ kind: 'window', windowSizeMs: 10_000 });
  });

  test('sessions join, and take back what they were', async () => {
    const { out } = await runSql(
      `${ORDERS} CREATE TABLE OUT AS SELECT ID, SUM(AMOUNT) AS S FROM ORDERS WINDOW SESSION (5 SECONDS) GROUP BY ID;`,
      [order('a', { AMOUNT: 1 }, 0), order('a', { AMOUNT: 2 }, 8_000), order('a', { AMOUNT: 4 }, 4_000)],
      options,
    );
    expect(out.map(([, value]) => value)).toEqual(['{"S":1}', '{"S":2}', null, null, '{"S":7}']);
  });

  test('a table from a table: tombstones only for rows that were shown', async () => {
    const { out, rows } = await runSql(
      `${USERS} CREATE TABLE OUT AS SELECT ID, NAME FROM USERS WHERE AGE > 17;`,
      [
        user('a', { NAME: 'Ann', AGE: 20 }),
        user('b', { NAME: 'Bob', AGE: 3 }),
        user('a', { NAME: 'Ann', AGE: 5 }),
        user('b', null),
      ],
      options,
    );
    expect(out).toEqual([
      ['a', '{"NAME":"Ann"}', 0],
      ['a', null, 0],
    ]);
    expect(rows).toEqual([]);
  });

  test('a table that is grouped anew: rows leave one group and come to another', async () => {
    const { out } = await runSql(
      `${USERS} CREATE TABLE OUT AS SELECT AGE, COUNT(*) AS N, SUM(LEN(NAME)) AS L FROM USERS GROUP BY AGE;`,
      [
        user('a', { NAME: 'Ann', AGE: 20 }),
        user('b', { NAME: 'Bo', AGE: 20 }),
        user('a', { NAME: 'Anna', AGE: 20 }),
        user('a', { NAME: 'Anna', AGE: 21 }),
        user('b', null),
      ],
      options,
    );
    const of = (age: number): (string | null)[] =>
      out.filter(([key]) => Buffer.from(key!).readInt32BE() === age).map(([, value]) => value);
    expect(of(20)).toEqual([
      '{"N":1,"L":3}',
      '{"N":2,"L":5}',
      '{"N":2,"L":6}',
      '{"N":1,"L":2}',
      '{"N":0,"L":0}',
    ]);
    expect(of(21)).toEqual(['{"N":1,"L":4}']);
  });

  test('stream-table left join, then a filter over the table side', async () => {
    const sql = `${ORDERS} ${USERS} CREATE STREAM OUT AS
      SELECT O.ID AS ID, U.NAME AS NAME, O.AMOUNT AS AMOUNT FROM ORDERS O LEFT JOIN USERS U ON O.ID = U.ID WHERE O.AMOUNT > 1`;
    const records = [
      order('a', { AMOUNT: 5 }),
      user('a', { NAME: 'Ann', AGE: 20 }),
      order('a', { AMOUNT: 6 }),
      order('a', { AMOUNT: 1 }),
      user('a', null),
      order('a', { AMOUNT: 7 }),
    ];
    const { out } = await runSql(`${sql};`, records, options);
    expect(out.map(([, value]) => value)).toEqual([
      '{"NAME":null,"AMOUNT":5}',
      '{"NAME":"Ann","AMOUNT":6}',
      '{"NAME":null,"AMOUNT":7}',
    ]);
    const filtered = await runSql(`${sql} AND U.AGE > 17;`, records, options);
    expect(filtered.out.map(([, value]) => value)).toEqual(['{"NAME":"Ann","AMOUNT":6}']);
  });

  test('explode', async () => {
    const { out } = await runSql(
      `CREATE STREAM S (ID STRING KEY, XS ARRAY<INTEGER>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
       CREATE STREAM OUT AS SELECT ID, EXPLODE(XS) AS X FROM S;`,
      [
        { topic: 's', key: 'a', value: '{"XS":[1,2]}' },
        { topic: 's', key: 'b', value: '{"XS":[]}' },
      ],
      options,
    );
    expect(out.map(([key, value]) => [key, value])).toEqual([
      ['a', '{"X":1}'],
      ['a', '{"X":2}'],
    ]);
  });

  test('timestamps from a column, in and out', async () => {
    const { out } = await runSql(
      `CREATE STREAM S (ID STRING KEY, T STRING, U BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP='T', TIMESTAMP_FORMAT='yyyy-MM-dd');
       CREATE STREAM OUT WITH (TIMESTAMP='U') AS SELECT ID, ROWTIME AS R, U FROM S;`,
      [{ topic: 's', key: 'a', value: '{"T":"1970-01-02","U":5}', timestamp: 77 }],
      options,
    );
    expect(out).toEqual([['a', '{"R":86400000,"U":5}', 5]]);
  });

  test('push queries: rows of a stream, changes and removals of a table', async () => {
    const stream = await runSql(
      `${ORDERS} SELECT ID, AMOUNT FROM ORDERS EMIT CHANGES;`,
      [order('a', { AMOUNT: 1 }), order('b', null)],
      options,
    );
    expect(stream.pushed).toEqual([{ row: ['a', 1], tombstone: false }]);
    const table = await runSql(
      `${USERS} SELECT NAME, ID FROM USERS EMIT CHANGES;`,
      [user('a', { NAME: 'Ann' }), user('a', null)],
      options,
    );
    expect(table.pushed).toEqual([
      { row: ['Ann', 'a'], tombstone: false },
      { row: [null, 'a'], tombstone: true },
    ]);
  });

  test('a stream without a key: records go out without one', async () => {
    const { out } = await runSql(
      `CREATE STREAM S (A BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON'); CREATE STREAM OUT AS SELECT A FROM S;`,
      [{ topic: 's', key: 'x', value: '{"A":1}' }],
      options,
    );
    expect(out).toEqual([[null, '{"A":1}', 0]]);
  });

  test('coalesced aggregates give one change a key and commit', async () => {
    const { out } = await runSql(
      `${ORDERS} CREATE TABLE OUT AS SELECT ID, COUNT(*) AS N FROM ORDERS GROUP BY ID;`,
      ['a', 'a', 'a'].map((key) => order(key, { AMOUNT: 1 })),
      { ...options, coalesce: true },
    );
    expect(out.at(-1)).toEqual(['a', '{"N":3}', 0]);
    expect(out.length).toBeLessThan(3);
  });
});

test('coalesced sessions tell one change a session and commit, and none of those that grew', async () => {
  const { out } = await runSql(
    `${ORDERS} CREATE TABLE OUT AS SELECT ID, COUNT(*) AS N FROM ORDERS WINDOW SESSION (5 SECONDS) GROUP BY ID;`,
    [0, 1000, 2000].map((timestamp) => ({ ...order('a', { AMOUNT: 1 }), timestamp })),
    { optimized: true, coalesce: true },
  );
  expect(out.map(([, value, timestamp]) => [value, timestamp])).toEqual([['{"N":3}', 2000]]);
});

test('the optimized plan of a pass-through copies bytes and reads the filter column only', async () => {
  const { plan, out } = await runSql(
    `${ORDERS} CREATE STREAM OUT AS SELECT ID, REGION, PRICE FROM ORDERS WHERE AMOUNT > 5;`,
    [
      order('a', { REGION: 'eu', AMOUNT: 10, PRICE: 1.5 }),
      { topic: 'orders', key: 'b', value: '{"REGION":"eu" , "PRICE":15e-1,"AMOUNT":10}' },
    ],
    { optimized: true },
  );
  const { explainPlan } = await import('../../../../src/sql/plan/explain.ts');
  expect(explainPlan(plan)).toContain(
    'source ORDERS stream topic orders reads [AMOUNT] passes [REGION, PRICE] skips',
  );
  expect(out.map(([, value]) => value)).toEqual([
    '{"REGION":"eu","PRICE":1.5}',
    '{"REGION":"eu","PRICE":1.5}',
  ]);
});

test('rows are filtered and projected by the operator that gives them their new key', async () => {
  const { lowered, out } = await runSql(
    `${ORDERS} CREATE TABLE OUT AS SELECT REGION AS R, COUNT(*) AS N FROM ORDERS WHERE AMOUNT > 1 GROUP BY REGION;`,
    [order('a', { REGION: 'eu', AMOUNT: 1 }), order('b', { REGION: 'eu', AMOUNT: 2 }), order('c', null)],
    { optimized: true },
  );
  expect(out).toEqual([['eu', '{"N":1}', 0]]);
  const operators = [...lowered.describe().matchAll(/Processor: (.*) \(/g)].map(([, name]) => name);
  expect(operators).toEqual([
    'rows ORDERS',
    'Aggregate-GroupBy key',
    'Aggregate-Aggregate-Materialize',
    'Aggregate-Aggregate-Materialize rows',
    'project',
  ]);
});
