import { expect, test } from 'vitest';
import { printType } from '../../../../src/types/print-type.ts';
import { analyze } from './analyze.ts';

const SOURCE = `CREATE STREAM T (
  I INT, L BIGINT, D DOUBLE, N DECIMAL(6, 2), S STRING, B BOOLEAN, TS TIMESTAMP, DT DATE,
  A ARRAY<INT>, M MAP<STRING, BIGINT>, R STRUCT<X INT, Y STRUCT<Z STRING>>
) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');`;

test.each([
  ['I + L', 'BIGINT'],
  ['I + I', 'INTEGER'],
  ['I / D', 'DOUBLE'],
  ['I * N', 'DECIMAL(17, 2)'],
  ['N + N', 'DECIMAL(7, 2)'],
  ['N / N', 'DECIMAL(15, 9)'],
  ['N * D', 'DOUBLE'],
  ['-N', 'DECIMAL(6, 2)'],
  ['S + S', 'STRING'],
  ["S || 'x'", 'STRING'],
  ['1', 'INTEGER'],
  ['2147483648', 'BIGINT'],
  ['1.50', 'DECIMAL(3, 2)'],
  ['0.05', 'DECIMAL(3, 2)'],
  ['1e3', 'DOUBLE'],
  ['A[1]', 'INTEGER'],
  ["M['k']", 'BIGINT'],
  ['R->Y->Z', 'STRING'],
  ['I BETWEEN 1 AND L', 'BOOLEAN'],
  ["I IN (1, '2', L)", 'BOOLEAN'],
  ["DT = '2020-01-01'", 'BOOLEAN'],
  ['DT < TS', 'BOOLEAN'],
  ["ROWTIME > '2020-02-23T23'", 'BOOLEAN'],
  ["CASE WHEN B THEN 'x' ELSE NULL END", 'STRING'],
  ['CASE I WHEN 1 THEN L END', 'BIGINT'],
  ['ARRAY[I, NULL, L]', 'ARRAY<BIGINT>'],
  ["MAP('a' := 1, 'b' := 2.5)", 'MAP<STRING, DECIMAL(11, 1)>'],
  ['STRUCT(P := I, Q := S)', 'STRUCT<P INTEGER, Q STRING>'],
  ["ARRAY[STRUCT(P := 1), STRUCT(Q := 'x')]", 'ARRAY<STRUCT<P INTEGER, Q STRING>>'],
  ['CAST(S AS DECIMAL(4, 1))', 'DECIMAL(4, 1)'],
  ['TRANSFORM(A, X => X + L)', 'ARRAY<BIGINT>'],
  ['REDUCE(A, L, (ST, X) => ST + X)', 'BIGINT'],
  ['FILTER(M, (K, V) => V > I)', 'MAP<STRING, BIGINT>'],
  ['COALESCE(NULL, I)', 'INTEGER'],
  ['NULL IS NULL', 'BOOLEAN'],
  ['A IS DISTINCT FROM NULL', 'BOOLEAN'],
  ['NULL IS NOT DISTINCT FROM R', 'BOOLEAN'],
  ['NULL IS DISTINCT FROM NULL', 'BOOLEAN'],
])('%s is %s', (expression, type) => {
  const { plan } = analyze(`${SOURCE} SELECT ${expression} AS C FROM T EMIT CHANGES;`);
  expect(printType(plan!.columns[0]!.type)).toBe(type);
});

test('names: generated ones count up and skip what is taken; fields are called as they are', () => {
  const { plan } = analyze(
    `${SOURCE} SELECT I + 1, L AS KSQL_COL_1, I + 2, R->X, R->Y->Z, R->X AS W, CAST(R AS STRUCT<X INT>)->X FROM T EMIT CHANGES;`,
  );
  expect(plan!.columns.map((column) => column.name)).toEqual([
    'KSQL_COL_0',
    'KSQL_COL_1',
    'KSQL_COL_2',
    'X',
    'Z',
    'W',
    'X_1',
  ]);
});

test('a star gives the columns, a star of a struct its fields, and in a join with their sources', () => {
  const names = (sql: string): readonly string[] =>
    analyze(SOURCE + sql).plan!.columns.map((column) => column.name);
  expect(names('SELECT * FROM T EMIT CHANGES;')).toEqual([
    'I',
    'L',
    'D',
    'N',
    'S',
    'B',
    'TS',
    'DT',
    'A',
    'M',
    'R',
  ]);
  expect(names('SELECT R->*, R->Y->* FROM T EMIT CHANGES;')).toEqual(['X', 'Y', 'Z']);
  const join = `CREATE STREAM P (K INT KEY, V INT) WITH (KAFKA_TOPIC='p', VALUE_FORMAT='JSON');
    CREATE TABLE Q (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='q', VALUE_FORMAT='JSON');`;
  expect(names(`${join} SELECT * FROM P JOIN Q X ON P.K = X.K EMIT CHANGES;`)).toEqual([
    'P_K',
    'P_V',
    'X_K',
    'X_V',
  ]);
  expect(names(`${join} SELECT P.K, X.V, P.V FROM P JOIN Q X ON P.K = X.K EMIT CHANGES;`)).toEqual([
    'P_K',
    'X_V',
    'P_V',
  ]);
});

test('windows: what is late up to a day counts unless GRACE PERIOD says otherwise', () => {
  const windowOf = (window: string): unknown => {
    let { plan: node } = analyze(
      `${SOURCE} SELECT S, COUNT(*) FROM T WINDOW ${window} GROUP BY S EMIT CHANGES;`,
    );
    while (node !== undefined && node.kind !== 'aggregate') node = 'input' in node ? node.input : undefined;
    return node?.windowing;
  };
  const day = 86_400_000;
  expect(windowOf('TUMBLING (SIZE 1 HOUR)')).toEqual({
    kind: 'tumbling',
    sizeMs: 3_600_000,
    advanceMs: 3_600_000,
    graceMs: day - 3_600_000,
    retentionMs: day,
  });
  expect(windowOf('HOPPING (SIZE 2 DAYS, ADVANCE BY 1 DAY)')).toMatchObject({
    graceMs: 0,
    retentionMs: 2 * day,
  });
  expect(windowOf('SESSION (10 SECONDS, GRACE PERIOD 1 SECOND)')).toMatchObject({
    kind: 'session',
    sizeMs: 10_000,
    graceMs: 1000,
    retentionMs: 11_000,
  });
});
