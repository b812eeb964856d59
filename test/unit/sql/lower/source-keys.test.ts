import { expect, test } from 'vitest';
import { runSql } from './sql-pipeline.ts';

const keysOf = async (
  columns: string,
  format: string,
  keys: readonly string[],
): Promise<(string | null)[]> => {
  const both = [false, true].map(async (optimized) => {
    const { out } = await runSql(
      `CREATE STREAM A (${columns}, V INT) WITH (KAFKA_TOPIC='A', KEY_FORMAT='${format}', VALUE_FORMAT='JSON');
       CREATE STREAM OUT AS SELECT * FROM A;`,
      keys.map((key) => ({ topic: 'A', key, value: '{"V":1}' })),
      { optimized },
    );
    return out.map(([key]) => key).toSorted((a, b) => (a! < b! ? -1 : 1));
  });
  const [plain, better] = await Promise.all(both);
  expect(better).toEqual(plain);
  return plain!;
};

test('keys are written as their format writes them, whatever form they came in', async () => {
  expect(await keysOf('K STRING KEY', 'DELIMITED', ['"You"', 'Hey'])).toEqual(['Hey', 'You']);
  expect(await keysOf('K BOOLEAN KEY', 'DELIMITED', ['"true"'])).toEqual(['true']);
  expect(await keysOf('K DECIMAL(6, 4) KEY', 'DELIMITED', ['"12.0"'])).toEqual(['12.0000']);
  expect(await keysOf('K INT KEY, L STRING KEY', 'DELIMITED', ['"7","x"'])).toEqual(['7,x']);
  expect(await keysOf('K INT KEY', 'JSON', ['"42"', ' 7'])).toEqual(['42', '7']);
  expect(await keysOf('K STRING KEY', 'JSON', ['"a\\u0062"'])).toEqual(['"ab"']);
  expect(await keysOf('K STRUCT<A INT, B INT> KEY', 'JSON', ['{"b": 2, "a": 1}'])).toEqual(['{"A":1,"B":2}']);
});

test('a key that cannot be read drops its record', async () => {
  expect(await keysOf('K INT KEY', 'JSON', ['x', '1'])).toEqual(['1']);
});

test('one key in two forms is one row of a table', async () => {
  const { rows } = await runSql(
    `CREATE STREAM A (K INT KEY, V INT) WITH (KAFKA_TOPIC='A', FORMAT='JSON');
     CREATE TABLE OUT AS SELECT K, SUM(V) AS S FROM A GROUP BY K;`,
    ['5', '"5"', ' 5'].map((key) => ({ topic: 'A', key, value: '{"V":1}', partition: 0 })),
    { optimized: true },
  );
  expect(rows).toEqual([[5, 3]]);
});

test('a map of the query may have the null key', async () => {
  const { out } = await runSql(
    `CREATE STREAM A (K INT KEY, N STRING, V INT) WITH (KAFKA_TOPIC='A', FORMAT='JSON');
     CREATE STREAM OUT AS SELECT K, MAP(N := V, 'b' := 2) AS M, MAP(N := V)[N] AS X, MAP_KEYS(MAP(N := V)) AS L FROM A;`,
    [{ topic: 'A', key: '1', value: '{"V":1}' }],
    { optimized: true },
  );
  expect(out.map(([, value]) => value)).toEqual(['{"M":{"null":1,"b":2},"X":1,"L":[null]}']);
});
