import { expect, test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';
import { errorOf } from '../analyzer/analyze.ts';

const TAPS = "CREATE STREAM TAPS (K INT KEY, V INT) WITH (KAFKA_TOPIC='taps', VALUE_FORMAT='JSON');";
const CLICKS = "CREATE STREAM CLICKS (K INT KEY, C INT) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');";
const NAMES =
  "CREATE TABLE NAMES (K INT PRIMARY KEY, N STRING) WITH (KAFKA_TOPIC='names', VALUE_FORMAT='JSON');";
const PER_SECOND = 'WINDOW TUMBLING (SIZE 1 SECOND)';

test.each(['', 'TAPS.', 'T.'])(
  'SELECT reckons with the bounds of the groups’ windows, written %sWINDOWSTART',
  (source) =>
    expectCase({
      statements: [
        TAPS,
        `CREATE TABLE COUNTS AS SELECT K, COUNT(*) AS N, ${source}WINDOWSTART AS S,
         (${source}WINDOWEND - ${source}WINDOWSTART) / 2 AS H, COUNT(*) + ${source}WINDOWSTART AS C,
         CASE WHEN ${source}WINDOWSTART > 1500 THEN 'late' ELSE 'early' END AS W
       FROM TAPS ${source === 'T.' ? 'T' : ''} ${PER_SECOND} GROUP BY K;`,
      ],
      inputs: [
        ['taps', 1, { V: 1 }, { timestamp: 1200 }],
        ['taps', 1, { V: 1 }, { timestamp: 2200 }],
      ],
      outputs: [
        [
          'COUNTS',
          1,
          { N: 1, S: 1000, H: 500, C: 1001, W: 'early' },
          { window: { start: 1000, end: 2000, type: 'time' } },
        ],
        [
          'COUNTS',
          1,
          { N: 1, S: 2000, H: 500, C: 2001, W: 'late' },
          { window: { start: 2000, end: 3000, type: 'time' } },
        ],
      ],
    }),
);

test.each([
  `SELECT K, COUNT(*) AS N FROM TAPS ${PER_SECOND} WHERE WINDOWSTART > 5 GROUP BY K`,
  `SELECT K, COUNT(*) AS N FROM TAPS ${PER_SECOND} GROUP BY K HAVING TAPS.WINDOWSTART > 5`,
  `SELECT K, MIN(WINDOWSTART) AS N FROM TAPS ${PER_SECOND} GROUP BY K`,
  'SELECT K, COUNT(*) AS N, WINDOWSTART AS S FROM TAPS GROUP BY K',
  `SELECT T.K, COUNT(*) AS N, WINDOWSTART AS S FROM TAPS T JOIN NAMES N ON T.K = N.K ${PER_SECOND} GROUP BY T.K`,
  `SELECT T.K, COUNT(*) AS N, WINDOWEND / 2 AS S FROM TAPS T JOIN CLICKS U WITHIN 1 SECOND ON T.K = U.K ${PER_SECOND} GROUP BY T.K`,
  `SELECT T.K, COUNT(*) AS N, T.WINDOWEND AS S FROM TAPS T JOIN NAMES N ON T.K = N.K ${PER_SECOND} GROUP BY T.K`,
])('nowhere else, and not of a join: %s', (select) => {
  const error = errorOf(`${TAPS} ${CLICKS} ${NAMES} CREATE TABLE X AS ${select};`);
  expect(error.code).toBe('ML_NAME_UNKNOWN');
  expect(error.hint).toContain('SELECT where one source is grouped in a WINDOW');
});

test.each([
  ['CHANGES', [1, 2, 1], []],
  ['FINAL', [1, 1, 2], [['taps', 2, { V: 1 }, { timestamp: 30_000 }]]],
] as const)(
  'a session that another record made as old as its retention does not grow any more (EMIT %s)',
  (emit, keys, more) =>
    expectCase({
      statements: [
        TAPS,
        `CREATE TABLE SESSIONS AS SELECT K, COUNT(*) AS N FROM TAPS
       WINDOW SESSION (10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY K EMIT ${emit};`,
      ],
      inputs: [
        ['taps', 1, { V: 1 }, { timestamp: 0 }],
        ['taps', 2, { V: 1 }, { timestamp: 10_000 }],
        ['taps', 1, { V: 1 }, { timestamp: 10_000 }],
        ...more,
      ],
      outputs: keys.map((key, i) => {
        const time = i === 0 ? 0 : 10_000;
        return ['SESSIONS', key, { N: 1 }, { window: { start: time, end: time, type: 'session' } }];
      }),
    }),
);
