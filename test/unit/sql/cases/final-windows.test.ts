import { test } from 'vitest';
import { expectCase } from '../../../harness/expect-case.ts';

const STATEMENTS = [
  "CREATE STREAM TAPS (K INT KEY, V INT) WITH (KAFKA_TOPIC='taps', VALUE_FORMAT='JSON');",
  'CREATE TABLE COUNTS AS SELECT K, COUNT(*) AS N FROM TAPS WINDOW TUMBLING (SIZE 4 MILLISECONDS, GRACE PERIOD 1 MILLISECOND) GROUP BY K EMIT FINAL;',
];
const tap = (timestamp: number) => ['taps', 1, { V: 1 }, { timestamp }] as const;
const count = (N: number, start: number) =>
  ['COUNTS', 1, { N }, { window: { start, end: start + 4, type: 'time' } }] as const;

test('every window is told once it has closed, also those that are long past', () =>
  expectCase({
    statements: STATEMENTS,
    inputs: [tap(1), tap(2), tap(5), tap(30)],
    outputs: [count(2, 0), count(1, 4)],
  }));

test('with the emission of Kafka Streams, windows that left the store are not', () =>
  expectCase({
    statements: STATEMENTS,
    properties: { 'ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__': '0' },
    inputs: [tap(1), tap(2), tap(5), tap(30)],
    outputs: [count(2, 0)],
  }));

test.each([
  ['TUMBLING (SIZE 4 MILLISECONDS)', [count(2, 0), count(1, 4)]],
  ['TUMBLING (SIZE 4 MILLISECONDS, RETENTION 4 MILLISECONDS)', [count(2, 0), count(1, 4)]],
] as const)('without a grace period %s is told when it ends', (window, outputs) =>
  expectCase({
    statements: [
      STATEMENTS[0]!,
      `CREATE TABLE COUNTS AS SELECT K, COUNT(*) AS N FROM TAPS WINDOW ${window} GROUP BY K EMIT FINAL;`,
    ],
    inputs: [tap(1), tap(2), tap(4), tap(3), tap(8)],
    outputs,
  }),
);

test('without a grace period a session is told when its gap has passed', () =>
  expectCase({
    statements: [
      STATEMENTS[0]!,
      'CREATE TABLE COUNTS AS SELECT K, COUNT(*) AS N FROM TAPS WINDOW SESSION (4 MILLISECONDS) GROUP BY K EMIT FINAL;',
    ],
    inputs: [tap(1), tap(3), tap(30)],
    outputs: [['COUNTS', 1, { N: 2 }, { window: { start: 1, end: 3, type: 'session' } }]],
  }));

test('with EMIT CHANGES what is late up to a day still counts', () =>
  expectCase({
    statements: [
      STATEMENTS[0]!,
      'CREATE TABLE COUNTS AS SELECT K, COUNT(*) AS N FROM TAPS WINDOW TUMBLING (SIZE 4 MILLISECONDS) GROUP BY K;',
    ],
    inputs: [tap(1), tap(86_399_990), tap(2)],
    outputs: [count(1, 0), count(1, 86_399_988), count(2, 0)],
  }));
