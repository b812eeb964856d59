import { expect, test } from 'vitest';
import { CustomWindows } from '../../../../src/streams/dsl/custom-windows.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { windowedSerde } from '../../../../src/streams/dsl/windowed-serde.ts';
import {
  JoinWindows,
  SessionWindows,
  SlidingWindows,
  Suppressed,
  TimeWindows,
  UnlimitedWindows,
} from '../../../../src/streams/dsl/windows.ts';
import { TopologyError } from '../../../../src/streams/topology/topology-error.ts';

// oxlint-disable-next-line no-explicit-any -- as a program without types may hand it in
type Any = any;

const builder = (): StreamsBuilder =>
  new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
const grouped = () => builder().stream<string, string>('in').groupByKey();

const LENGTHS: [name: string, give: (length: Any) => unknown][] = [
  ['the size of windows', (n) => TimeWindows.ofSizeWithNoGrace(n)],
  ['their advance', (n) => TimeWindows.ofSizeWithNoGrace(2000).advanceBy(n)],
  ['the gap of sessions', (n) => SessionWindows.ofInactivityGapWithNoGrace(n)],
  ['a time difference', (n) => SlidingWindows.ofTimeDifferenceWithNoGrace(n)],
  ['a start', (n) => UnlimitedWindows.of().startOn(n)],
  ['a join window', (n) => JoinWindows.ofTimeDifferenceWithNoGrace(n)],
  ['a side of a join window', (n) => JoinWindows.ofTimeDifferenceWithNoGrace(10).before(n)],
  ['the size of custom windows', (n) => CustomWindows.of({ windowsFor: () => [], sizeMs: n })],
  ['the windows of a store', (n) => builder().addStateStore({ name: 's', kind: 'window', windowSizeMs: n })],
  ['the windows of a topic', (n) => windowedSerde(() => Serdes.string, { kind: 'time', sizeMs: n })],
  ['rows', (n) => builder().addStateStore({ name: 's', kind: 'key-value', rowsMax: n })],
  ['partitions', (n) => builder().stream('in').repartition({ partitions: n })],
  [
    'calls at a time',
    (n) =>
      builder()
        .stream('in')
        .mapValuesAsync(async () => '', { concurrency: n }),
  ],
  [
    'a history',
    (n) =>
      builder()
        .table('in', {}, { versioned: { historyRetentionMs: n } })
        .mapValues(String),
  ],
];
const ENDLESS: [name: string, give: (length: Any) => unknown][] = [
  ['grace', (n) => TimeWindows.ofSizeAndGrace(10, n)],
  ['grace of sessions', (n) => SessionWindows.ofInactivityGapAndGrace(10, n)],
  ['grace of sliding windows', (n) => SlidingWindows.ofTimeDifferenceAndGrace(10, n)],
  ['grace of joins', (n) => JoinWindows.ofTimeDifferenceAndGrace(10, n)],
  ['grace of custom windows', (n) => CustomWindows.of({ windowsFor: () => [], sizeMs: 10, graceMs: n })],
  ['a time limit', (n) => Suppressed.untilTimeLimit(n)],
  ['records in a buffer', (n) => Suppressed.untilTimeLimit(10, { recordsMax: n })],
  ['bytes in a buffer', (n) => Suppressed.untilWindowCloses({ bytesMax: n })],
  ['retention', (n) => grouped().windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count({ retentionMs: n })],
  [
    'a time-out',
    (n) =>
      builder()
        .stream('in')
        .mapValuesAsync(async () => '', { timeoutMs: n }),
  ],
];

test.each([...LENGTHS, ...ENDLESS])('%s is whole', (_, give) => {
  expect(() => give(1000)).not.toThrow();
  for (const wrong of [1000.5, NaN, -1000, '1000', null, new Date(1000), 1e17])
    expect(() => give(wrong), String(wrong)).toThrow(TopologyError);
});

test.each(LENGTHS)('%s has an end', (_, give) => {
  expect(() => give(Infinity)).toThrow(/ is Infinity$/);
});

test.each(ENDLESS)('%s may have none', (_, give) => {
  expect(() => give(Infinity)).not.toThrow();
});

test('an offset reset is one of those that there are', () => {
  for (const offsetReset of ['newest', 'Earliest', null, {}, { byDurationMs: 1.5 }] as Any[])
    expect(() => {
      const wrong = builder();
      wrong.stream('in', { offsetReset }).to('out');
      wrong.build();
    }, JSON.stringify(offsetReset)).toThrow(/the offset reset of in is/);
});
