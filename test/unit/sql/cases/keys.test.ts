import { expect, test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';
import { errorOf } from '../analyzer/analyze.ts';

const READINGS =
  "CREATE STREAM READINGS (K STRING KEY, LOW DECIMAL(4, 2), HIGH DECIMAL(6, 4)) WITH (KAFKA_TOPIC='readings', FORMAT='JSON');";

test('PARTITION BY takes a key once', () => {
  const error = errorOf(`${READINGS} CREATE STREAM X AS SELECT * FROM READINGS PARTITION BY LOW, LOW;`);
  expect(error.code).toBe('ML_SCHEMA');
});

test('equal decimals are one group, however many digits they came with', () =>
  expectCase({
    statements: [
      READINGS,
      'CREATE TABLE TOPS AS SELECT GREATEST(LOW, HIGH) AS TOP, COUNT(*) AS N FROM READINGS GROUP BY GREATEST(LOW, HIGH);',
    ],
    inputs: [
      ['readings', 'a', { LOW: 1.5, HIGH: 1.25 }],
      ['readings', 'b', { LOW: 1.25, HIGH: 1.5 }],
    ],
    properties: { 'use.exact.numeric.comparison': 'false' },
    outputs: [
      ['TOPS', 1.5, { N: 1 }],
      ['TOPS', 1.5, { N: 2 }],
    ],
  }));

const ORDERS =
  "CREATE STREAM ORDERS (K STRING KEY, ID INT, V INT) WITH (KAFKA_TOPIC='orders', FORMAT='JSON');";

test.each([
  ['ROWTIME, ID', '*', { ROWTIME: 10, ID: 22 }, { V: 3, K: 'a' }],
  ['ID, ROWTIME', '*', { ID: 22, ROWTIME: 10 }, { V: 3, K: 'a' }],
  ['K, ROWTIME', '*', { K: 'a', ROWTIME: 10 }, { V: 3, ID: 22 }],
  ['ROWTIME, ID', 'ID, V, ROWTIME AS T', { ID: 22, T: 10 }, { V: 3 }],
  ['ID, ROWTIME', 'ROWTIME AS T, AS_VALUE(ROWTIME) AS U, ID, V', { ID: 22, T: 10 }, { V: 3, U: 10 }],
  ['ID, ROWTIME / 2', 'ROWTIME / 2 AS H, ID, V', { ID: 22, H: 5 }, { V: 3 }],
] as const)('ROWTIME may be one of several keys: PARTITION BY %s of SELECT %s', (keys, select, key, value) =>
  expectCase({
    statements: [ORDERS, `CREATE STREAM KEYED AS SELECT ${select} FROM ORDERS PARTITION BY ${keys};`],
    inputs: [['orders', 'a', { ID: 22, V: 3 }, { timestamp: 10 }]],
    outputs: [['KEYED', key, value, { timestamp: 10 }]],
  }),
);
