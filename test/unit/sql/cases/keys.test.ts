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
