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
