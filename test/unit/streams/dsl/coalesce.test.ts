import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { KGroupedStream } from '../../../../src/streams/dsl/grouped-stream.ts';
import type { KTable } from '../../../../src/streams/dsl/ktable.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import {
  SessionWindows,
  SlidingWindows,
  TimeWindows,
  UnlimitedWindows,
} from '../../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../../src/streams/topology/windowed.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, openStreams } from '../../../harness/open-streams.ts';

// With `coalesce`, a commit tells one change a key and window, in the order of their last changes.

type Grouped = KGroupedStream<string, string>;
type Table = KTable<Windowed<string>, string> | KTable<string, string>;
type Piped = readonly [key: string, value: string, timestamp: number];

const join = (_key: string, value: string, state: string): string => state + value;
const coalesce = { coalesce: true, valueSerde: Serdes.string };

/** What the records give when one commit takes them all, as `key@start-end value`. */
async function changesOf(
  aggregate: (grouped: Grouped) => Table,
  records: readonly Piped[],
): Promise<string[]> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  (aggregate(builder.stream<string, string>('in').groupByKey()) as KTable<Windowed<string> | string, string>)
    .toStream((key) => (typeof key === 'string' ? key : `${key.key}@${key.window.start}-${key.window.end}`))
    .to('out');
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  try {
    for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
    await produce(
      log,
      'in',
      records.map(([key, value, timestamp]) => ({ key, value, timestamp, partition: 0 })),
    );
    const streams = await openStreams(builder.build(), { log });
    while (!(await streams.caughtUp())) await streams.step();
    await streams.commit();
    return (await readAll(log, 'out')).map(({ key, value }) => `${key} ${value}`);
  } finally {
    await closeStreams();
    await log.close();
  }
}

const records: readonly Piped[] = [
  ['a', '1', 0],
  ['b', '2', 1],
  ['a', '3', 2],
];

test.each<[string, (grouped: Grouped) => Table, string[]]>([
  ['keys', (grouped) => grouped.aggregate(() => '', join, coalesce), ['b 2', 'a 13']],
  [
    'tumbling windows',
    (grouped) => grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).aggregate(() => '', join, coalesce),
    ['b@0-10 2', 'a@0-10 13'],
  ],
  [
    'an unlimited window',
    (grouped) => grouped.windowedBy(UnlimitedWindows.of()).aggregate(() => '', join, coalesce),
    [`b@0-${Number.MAX_SAFE_INTEGER} 2`, `a@0-${Number.MAX_SAFE_INTEGER} 13`],
  ],
  [
    'sliding windows',
    (grouped) =>
      grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(2, 100)).aggregate(() => '', join, coalesce),
    ['b@0-2 2', 'a@0-2 13', 'a@1-3 3'],
  ],
  [
    'sessions',
    (grouped) =>
      grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(5, 100)).aggregate(
        () => '',
        join,
        (_key, left, right) => left + right,
        coalesce,
      ),
    // That of a alone, [0, 0], was never told, and so is not taken back.
    ['b@1-1 2', 'a@0-2 13'],
  ],
  [
    'members of a cogroup',
    (grouped) =>
      grouped
        .cogroup(join)
        .cogroup(grouped, (_key, value, state) => `${state}+${value}`)
        .aggregate(() => '', coalesce),
    ['b 2+2', 'a 1+13+3'],
  ],
])('%s', async (_title, aggregate, expected) => {
  expect(await changesOf(aggregate, records)).toEqual(expected);
});

test('a session that was told is taken back when it grows', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder
    .stream<string, string>('in')
    .groupByKey()
    .windowedBy(SessionWindows.ofInactivityGapAndGrace(5, 100))
    .count({ coalesce: true })
    .toStream(({ key, window }) => `${key}@${window.start}-${window.end}`)
    .to('out', { valueSerde: Serdes.json<number>() });
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  try {
    for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
    const streams = await openStreams(builder.build(), { log });
    for (const times of [[0], [1, 2]]) {
      await produce(
        log,
        'in',
        times.map((timestamp) => ({ key: 'a', value: 'x', timestamp, partition: 0 })),
      );
      while (!(await streams.caughtUp())) await streams.step();
      await streams.commit();
    }
    expect((await readAll(log, 'out')).map(({ key, value }) => `${key} ${value}`)).toEqual([
      'a@0-0 1',
      'a@0-0 null',
      'a@0-2 3',
    ]);
  } finally {
    await closeStreams();
    await log.close();
  }
});
