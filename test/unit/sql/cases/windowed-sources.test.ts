import { expect, test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';
import { errorOf } from '../analyzer/analyze.ts';

const CLICKS =
  "CREATE STREAM CLICKS (PAGE STRING KEY, N INT) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='2 SECONDS');";
const SALES =
  "CREATE STREAM SALES (PAGE STRING KEY, EUR INT) WITH (KAFKA_TOPIC='sales', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='2 SECONDS');";

test('all columns of joined windowed sources include the bounds of each, behind its key', () =>
  expectCase({
    statements: [
      CLICKS,
      SALES,
      'CREATE STREAM BOTH AS SELECT *, S.ROWTIME FROM CLICKS C JOIN SALES S WITHIN 1 MINUTE ON C.PAGE = S.PAGE;',
    ],
    inputs: [
      ['clicks', 'home', { N: 3 }, { timestamp: 10, window: { start: 0, end: 2000, type: 'time' } }],
      ['sales', 'home', { EUR: 7 }, { timestamp: 20, window: { start: 0, end: 2000, type: 'time' } }],
    ],
    outputs: [
      [
        'BOTH',
        'home',
        {
          C_WINDOWSTART: 0,
          C_WINDOWEND: 2000,
          C_N: 3,
          S_PAGE: 'home',
          S_WINDOWSTART: 0,
          S_WINDOWEND: 2000,
          S_EUR: 7,
          S_ROWTIME: 20,
        },
        { timestamp: 20, window: { start: 0, end: 2000, type: 'time' } },
      ],
    ],
    sources: [
      {
        name: 'BOTH',
        type: 'stream',
        keyFormat: { format: 'KAFKA', windowType: 'HOPPING', windowSize: 2000 },
        schema:
          'C_PAGE STRING KEY, C_WINDOWSTART BIGINT, C_WINDOWEND BIGINT, C_N INT, S_PAGE STRING, S_WINDOWSTART BIGINT, S_WINDOWEND BIGINT, S_EUR INT, S_ROWTIME BIGINT',
      },
    ],
  }));

test('all columns of one windowed source leave its bounds to the key', () =>
  expectCase({
    statements: [CLICKS, 'CREATE STREAM COPY AS SELECT * FROM CLICKS;'],
    inputs: [['clicks', 'home', { N: 3 }, { window: { start: 0, end: 2000, type: 'time' } }]],
    outputs: [['COPY', 'home', { N: 3 }, { window: { start: 0, end: 2000, type: 'time' } }]],
  }));

test.each([
  `${CLICKS} CREATE STREAM X AS SELECT PAGE, N, WINDOWSTART FROM CLICKS;`,
  `${CLICKS} CREATE STREAM X AS SELECT PAGE, N, C.WINDOWEND FROM CLICKS C;`,
  `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
   CREATE TABLE X AS SELECT K, COUNT(*) AS N, WINDOWSTART FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY K;`,
])('a bound that is selected under its own name cannot be written: %s', (sql) => {
  expect(errorOf(sql)).toMatchObject({ code: 'ML_SCHEMA', hint: expect.stringContaining('AS') as string });
});
