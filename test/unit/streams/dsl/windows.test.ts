import { describe, expect, test } from 'vitest';
import type { KGroupedStream } from '../../../../src/streams/dsl/grouped-stream.ts';
import type { KTable } from '../../../../src/streams/dsl/ktable.ts';
import type { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { TopologyError } from '../../../../src/streams/topology/topology-error.ts';
import {
  SessionWindows,
  SlidingWindows,
  Suppressed,
  TimeWindows,
} from '../../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../../src/streams/topology/windowed.ts';
import { drive, type Piped } from '../../../harness/drive.ts';

type Grouped = KGroupedStream<string, string>;
const join = (_key: string, value: string, state: string): string => state + value;

/** Aggregates by window and writes `key@start-end` and the records that a window holds. */
function windowed(aggregate: (grouped: Grouped) => KTable<Windowed<string>, string>) {
  return (builder: StreamsBuilder): void =>
    aggregate(builder.stream<string, string>('in').groupByKey())
      .toStream(({ key, window }) => `${key}@${window.start}-${window.end}`)
      .to('out');
}

const at = (...times: number[]): Piped[] =>
  times.map((time, i) => ['in', 'k', String.fromCharCode(97 + i), time] as const);

describe('time windows', () => {
  const tumbling = (graceMs: number) => (grouped: Grouped) =>
    grouped.windowedBy(TimeWindows.ofSizeAndGrace(10, graceMs)).aggregate(() => '', join);

  test('start at multiples of their size and leave their end out', async () => {
    expect(await drive(windowed(tumbling(100)), at(0, 9, 10))).toEqual([
      ['k@0-10', 'a', 0],
      ['k@0-10', 'ab', 9],
      ['k@10-20', 'c', 10],
    ]);
  });

  test('a late record is taken until grace has passed, and the time of a result never falls', async () => {
    expect(await drive(windowed(tumbling(5)), at(9, 14, 3, 15, 4))).toEqual([
      ['k@0-10', 'a', 9],
      ['k@10-20', 'b', 14],
      ['k@0-10', 'ac', 9],
      ['k@10-20', 'bd', 15],
    ]);
  });

  test('hopping windows overlap; each closes by itself', async () => {
    const hopping = (grouped: Grouped) =>
      grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(10).advanceBy(5)).aggregate(() => '', join);
    expect(await drive(windowed(hopping), at(7, 12, 8))).toEqual([
      ['k@0-10', 'a', 7],
      ['k@5-15', 'a', 7],
      ['k@5-15', 'ab', 12],
      ['k@10-20', 'b', 12],
      // [0, 10) closed at 10, [5, 15) is open.
      ['k@5-15', 'abc', 12],
    ]);
  });

  test('emitted on close, a window comes once, when grace has passed', async () => {
    const final = (grouped: Grouped) =>
      grouped
        .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
        .emitStrategy('close')
        .aggregate(() => '', join);
    expect(await drive(windowed(final), at(1, 11, 2, 14))).toEqual([]);
    expect(await drive(windowed(final), at(1, 11, 2, 14, 15, 20))).toEqual([['k@0-10', 'ac', 2]]);
  });

  test('suppressed until it closes, a window comes once, the latest state', async () => {
    const suppressed = (grouped: Grouped) => tumbling(5)(grouped).suppress(Suppressed.untilWindowCloses());
    expect(await drive(windowed(suppressed), at(1, 11, 2, 14))).toEqual([]);
    expect(await drive(windowed(suppressed), at(1, 11, 2, 15))).toEqual([['k@0-10', 'ac', 2]]);
  });

  test('a retention too short for the windows is refused', () => {
    const build = (builder: StreamsBuilder): unknown =>
      builder
        .stream<string, string>('in')
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
        .count({ retentionMs: 14 });
    return expect(drive((builder) => void build(builder), [])).rejects.toThrow(TopologyError);
  });
});

describe('sliding windows', () => {
  const sliding = (grouped: Grouped) =>
    grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(10, 50)).aggregate(() => '', join);
  const last = async (piped: readonly Piped[]): Promise<Record<string, string | null>> =>
    Object.fromEntries((await drive(windowed(sliding), piped)).map(([key, value]) => [key, value]));

  test('there is one for each set of records that lie together', async () => {
    expect(await last(at(20, 25, 30, 41))).toEqual({
      'k@10-20': 'a',
      'k@15-25': 'ab',
      'k@20-30': 'abc',
      'k@21-31': 'bc',
      'k@26-36': 'c',
      'k@31-41': 'd',
    });
  });

  test('records out of order make the same windows', async () => {
    const sets = async (times: readonly number[]): Promise<Record<string, string>> => {
      const piped = times.map((time) => ['in', 'k', String.fromCharCode(97 + time - 20), time] as const);
      const rows = await last(piped);
      return Object.fromEntries(
        Object.entries(rows).map(([key, value]) => [key, value!.split('').sort().join('')]),
      );
    };
    const expected = await sets([20, 23, 27, 33, 34]);
    for (const times of [
      [34, 33, 27, 23, 20],
      [27, 20, 34, 23, 33],
      [23, 34, 20, 33, 27],
    ])
      expect(await sets(times), times.join()).toEqual(expected);
  });

  test('records before the difference share a window that starts at 0', async () => {
    expect(await last(at(3, 7))).toEqual({ 'k@0-10': 'ab', 'k@4-14': 'b' });
  });
});

describe('sessions', () => {
  const sessions = (graceMs: number) => (grouped: Grouped) =>
    grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(10, graceMs)).aggregate(
      () => '',
      join,
      (_key, left, right) => left + right,
    );

  test('a record that joins two sessions removes both before the new one', async () => {
    expect(await drive(windowed(sessions(100)), at(0, 20, 10))).toEqual([
      ['k@0-0', 'a', 0],
      ['k@20-20', 'b', 20],
      ['k@0-0', null, 0],
      ['k@20-20', null, 20],
      ['k@0-20', 'abc', 20],
    ]);
  });

  test('a record belongs to a session when the gap is no longer than allowed', async () => {
    const rows = await drive(windowed(sessions(100)), at(0, 10, 21));
    expect(rows.at(-1)).toEqual(['k@21-21', 'c', 21]);
    expect(rows.map(([key]) => key)).toContain('k@0-10');
  });

  test('a session is late when it ended longer ago than gap and grace', async () => {
    const other = (time: number): Piped => ['in', 'x', 'x', time];
    const late = async (time: number): Promise<boolean> =>
      (await drive(windowed(sessions(5)), [other(100), ['in', 'k', 'a', time]])).length === 1;
    expect(await late(85)).toBe(false);
    expect(await late(84)).toBe(true);
  });

  test('emitted on close, a session comes once, however far the time jumps', async () => {
    const final = (grouped: Grouped) =>
      grouped
        .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10))
        .emitStrategy('close')
        .aggregate(
          () => '',
          join,
          (_key, left, right) => left + right,
        );
    expect(await drive(windowed(final), at(0, 5, 1_000_000, 5_000_000))).toEqual([
      ['k@0-5', 'ab', 5],
      ['k@1000000-1000000', 'c', 1_000_000],
    ]);
  });
});

test('below a windowed table, records of different windows are grouped and remembered apart', async () => {
  const build = (builder: StreamsBuilder): void => {
    const windows = builder
      .stream<string, string>('in')
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(10, 100))
      .aggregate(() => '', join);
    windows
      .toStream()
      .groupByKey()
      .count()
      .toStream(({ key, window }) => `${key}@${window.start}`)
      .mapValues(String)
      .to('out');
  };
  expect(await drive(build, at(1, 12, 2))).toEqual([
    ['k@0', '1', 1],
    ['k@10', '1', 12],
    ['k@0', '2', 2],
  ]);
});

test('suppressing until windows close needs windows', async () => {
  const build = (builder: StreamsBuilder): unknown =>
    builder.table<string, string>('in').suppress(Suppressed.untilWindowCloses());
  await expect(drive((builder) => void build(builder), [])).rejects.toThrow(TopologyError);
});
