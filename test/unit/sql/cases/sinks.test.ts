import { expect, test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';
import { errorOf } from '../analyzer/analyze.ts';

test('a null that stands alone in the KAFKA format is a record without a value', () =>
  expectCase({
    statements: [
      "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', FORMAT='KAFKA');",
      'CREATE STREAM ODD AS SELECT K, CASE WHEN V % 2 = 1 THEN V END AS V FROM S;',
    ],
    inputs: [
      ['s', 1, 7],
      ['s', 2, 8],
    ],
    outputs: [
      ['ODD', 1, 7],
      ['ODD', 2, null],
    ],
  }));

const PRICES =
  "CREATE STREAM PRICES (EUR DECIMAL(5, 2), CHANGE DECIMAL(5, 2)) WITH (KAFKA_TOPIC='prices', VALUE_FORMAT='DELIMITED');";
const TICKS =
  "CREATE STREAM TICKS (V BIGINT, D DECIMAL(3, 1)) WITH (KAFKA_TOPIC='ticks', VALUE_FORMAT='JSON');";

test('numbers written out become the DECIMALs of the stream they are inserted into', () =>
  expectCase({
    statements: [TICKS, PRICES, 'INSERT INTO PRICES SELECT 12 AS EUR, -0.5 AS CHANGE FROM TICKS;'],
    inputs: [['ticks', null, { V: 1 }]],
    outputs: [['prices', null, '12.00,-0.50']],
  }));

test.each(['V', '1000', '0.125', '1e0', "'1'"])('%s does not become one', (item) => {
  const error = errorOf(
    `${TICKS} ${PRICES} INSERT INTO PRICES SELECT ${item} AS EUR, 0.25 AS CHANGE FROM TICKS;`,
  );
  expect(error.code).toBe('ML_SCHEMA');
});

test('a DECIMAL column may have fewer digits than the one it is inserted into', () =>
  expectCase({
    statements: [TICKS, PRICES, 'INSERT INTO PRICES SELECT D AS EUR, D AS CHANGE FROM TICKS;'],
    inputs: [['ticks', null, { D: 12.5 }]],
    outputs: [['prices', null, '12.50,12.50']],
  }));

test.each([
  ['other names', 'SELECT 1 AS EUR, 2 AS DIFFERENCE FROM TICKS'],
  ['another order', 'SELECT 1 AS CHANGE, 2 AS EUR FROM TICKS'],
  ['windowed keys', 'SELECT K, 1 AS V FROM VISITS'],
])('what has %s is not inserted', (_, query) => {
  const target = query.includes('VISITS') ? 'COUNTS' : 'PRICES';
  const error = errorOf(`${TICKS} ${PRICES}
    CREATE STREAM VISITS (K STRING KEY, V INT) WITH (KAFKA_TOPIC='v', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
    CREATE STREAM COUNTS (K STRING KEY, V INT) WITH (KAFKA_TOPIC='c', VALUE_FORMAT='JSON');
    INSERT INTO ${target} ${query};`);
  expect(error.code).toBe('ML_SCHEMA');
});

const TEXTS = "CREATE STREAM TEXTS (K INT KEY, T STRING) WITH (KAFKA_TOPIC='texts', FORMAT='KAFKA');";

test('a null that stands alone in JSON is a record without a value, too', () =>
  expectCase({
    statements: [
      "CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
      "CREATE STREAM ODD WITH (KAFKA_TOPIC='texts', WRAP_SINGLE_VALUE=FALSE) AS SELECT K, CASE WHEN V % 2 = 1 THEN V END AS V FROM S;",
      TEXTS,
      'CREATE STREAM SEEN AS SELECT K, T FROM TEXTS;',
    ],
    inputs: [
      ['s', 1, { V: 7 }],
      ['s', 2, { V: 8 }],
    ],
    outputs: [
      ['SEEN', 1, '7'],
      ['SEEN', 2, null],
    ],
  }));

test.each(['', ', WRAP_SINGLE_VALUE=FALSE'])('the JSON text null removes a row of a table%s', (wrapping) =>
  expectCase({
    statements: [
      TEXTS,
      `CREATE TABLE R (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='texts', VALUE_FORMAT='JSON'${wrapping});`,
      'CREATE TABLE COPY AS SELECT K, V, 1 AS ONE FROM R;',
    ],
    inputs: [
      ['texts', 1, wrapping === '' ? '{"V":5}' : '5'],
      ['texts', 1, 'null'],
    ],
    outputs: [
      ['COPY', 1, { V: 5, ONE: 1 }],
      ['COPY', 1, null],
    ],
  }),
);
