import { test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';

const BILLS =
  "CREATE STREAM BILLS (K INT KEY, EUR DECIMAL(3, 1)) WITH (KAFKA_TOPIC='bills', VALUE_FORMAT='JSON');";

test('a total that outgrows its DECIMAL stops the query', () =>
  expectCase({
    statements: [BILLS, 'CREATE TABLE TOTALS AS SELECT K, SUM(EUR) AS EUR FROM BILLS GROUP BY K;'],
    inputs: [
      ['bills', 1, { EUR: 60.5 }],
      ['bills', 1, { EUR: 60.5 }],
    ],
    rejected: true,
  }));

test('what is cast to a wider DECIMAL has room', () =>
  expectCase({
    statements: [
      BILLS,
      "CREATE TABLE TOTALS WITH (VALUE_FORMAT='DELIMITED') AS SELECT K, SUM(CAST(EUR AS DECIMAL(5, 2))) AS EUR FROM BILLS GROUP BY K;",
    ],
    inputs: [
      ['bills', 1, { EUR: 60.5 }],
      ['bills', 1, { EUR: 60.5 }],
    ],
    outputs: [
      ['TOTALS', 1, '60.50'],
      ['TOTALS', 1, '121.00'],
    ],
  }));
