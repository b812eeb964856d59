import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataError } from '../../../src/common/error.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { ScalarFunction } from '../../../src/functions/function.ts';
import { fixed, parameter } from '../../../src/functions/signature.ts';
import { INTEGER } from '../../../src/types/sql-type.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** What happens to a pull query when a row of it cannot be evaluated. */

const failing = (name: string, error: Error): ScalarFunction => ({
  kind: 'scalar',
  name,
  category: 'TEST',
  description: 'Fails for 2.',
  examples: [],
  nulls: 'propagate',
  signatures: [
    fixed([parameter('n', INTEGER)], INTEGER, (n: number) => {
      if (n === 2) throw error;
      return n;
    }),
  ],
});

let engine: Engine;
beforeEach(async () => {
  const functions = [
    failing('BUG', new TypeError('n.length is not a function')),
    failing('BAD', new DataError('two is bad')),
  ];
  engine = await openEngine(null, { functions: new Map(functions.map((each) => [each.name, each])) });
  await execute(
    engine,
    `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE T AS SELECT K, LATEST_BY_OFFSET(V) AS N FROM S GROUP BY K;
     INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('b', 2); INSERT INTO S VALUES ('c', 3);`,
  );
  await engine.drain();
});
afterEach(() => engine.close());

const logged = async (count: number): Promise<unknown> =>
  (
    await execute(
      engine,
      `SELECT QUERY LIKE '%PULL%', NODE, REASON, DETAIL, TOPIC, FROM_BYTES(RECORD_KEY, 'utf8')
       FROM KSQL_PROCESSING_LOG EMIT CHANGES LIMIT ${count};`,
    )
  ).rows;

test.each(['', " WHERE K = 'b'", " WHERE K > 'a'"])(
  'a function that cannot use a value gives null and an entry in the processing log%s',
  async (where) => {
    const { rows } = await execute(engine, `SELECT K, BAD(N) AS M FROM T${where};`);
    expect(rows.find(([key]) => key === 'b')).toEqual(['b', null]);
    await engine.processingLog.flush();
    expect(await logged(1)).toEqual([[true, 'project', 'evaluation', 'M: two is bad', 'T', 'b']]);
  },
);

test('so does WHERE, which leaves the row out', async () => {
  expect((await execute(engine, 'SELECT K FROM T WHERE 1 < 10 / (N - 2);')).rows).toEqual([['c']]);
  expect((await execute(engine, "SELECT K FROM T WHERE K = 'b' AND BAD(N) = 2;")).rows).toEqual([]);
  await engine.processingLog.flush();
  expect(await logged(2)).toEqual([
    [true, 'filter', 'evaluation', 'WHERE: division by zero', 'T', 'b'],
    [true, 'filter', 'evaluation', 'WHERE: two is bad', 'T', 'b'],
  ]);
});

test.each(['', " WHERE K = 'b'", ' WHERE BUG(N) = 2'])(
  'an error of our own fails the query%s',
  async (where) => {
    await expect(execute(engine, `SELECT K, BUG(N) AS M FROM T${where};`)).rejects.toThrow(
      'n.length is not a function',
    );
    // A row that is not met cannot fail it.
    expect((await execute(engine, "SELECT BUG(N) FROM T WHERE K = 'c';")).rows).toEqual([[3]]);
    expect(engine.openQueries.size).toBe(0);
  },
);

test.each(['', 'SOURCE '])(
  'no table is recommended over a windowed %stable: none can be made',
  async (kind) => {
    const topic = `KAFKA_TOPIC='w', VALUE_FORMAT='JSON', PARTITIONS=1`;
    await execute(
      engine,
      `CREATE ${kind}TABLE W (K STRING PRIMARY KEY, N INT) WITH (${topic}, WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 SECOND');
     CREATE TABLE P (K STRING PRIMARY KEY, N INT) WITH (${topic});`,
    );
    const hint = 'add EMIT CHANGES to follow its changes';
    await expect(execute(engine, 'SELECT * FROM W;')).rejects.toMatchObject({ hint });
    await expect(execute(engine, 'CREATE TABLE X AS SELECT * FROM W;')).rejects.toThrow('windowed table');
    await expect(execute(engine, 'SELECT * FROM P;')).rejects.toMatchObject({
      hint: `CREATE TABLE … AS SELECT * FROM P and query that, or ${hint}`,
    });
  },
);
