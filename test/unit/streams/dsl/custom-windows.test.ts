import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { CustomWindows } from '../../../../src/streams/dsl/custom-windows.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { windowedSerde } from '../../../../src/streams/dsl/windowed-serde.ts';
import { Suppressed } from '../../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../../src/streams/topology/windowed.ts';
import { TopologyTestDriver } from '../../../../src/streams/test-driver/topology-test-driver.ts';
import { TopologyError } from '../../../../src/streams/topology/topology-error.ts';

const HOUR_MS = 3_600_000;
const builderOfTexts = (): StreamsBuilder =>
  new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });

async function open(builder: StreamsBuilder): Promise<TopologyTestDriver> {
  const driver = await TopologyTestDriver.open(builder.build());
  onTestFinished(() => driver.close().catch(() => undefined));
  return driver;
}

test('days of a time zone, of 23 hours when the clocks go forward', async () => {
  const builder = builderOfTexts();
  const seen: [Windowed<string>, number][] = [];
  builder
    .stream<string, string>('in')
    .groupByKey()
    .windowedBy(CustomWindows.days('Europe/Berlin', HOUR_MS))
    .count({ name: 'days' })
    .toStream()
    .foreach((key, count) => seen.push([key, count]));
  const driver = await open(builder);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  const at = (text: string): number => Date.parse(text);
  for (const time of [
    '2024-03-30T22:59:59Z',
    '2024-03-30T23:00:00Z',
    '2024-03-31T12:00:00Z',
    '2024-03-31T21:59:59Z',
    '2024-03-31T22:30:00Z',
    '2024-03-31T21:00:00Z',
    '2024-03-31T23:00:00Z',
    '2024-03-31T21:59:59Z',
  ])
    await input.pipeInput('k', 'v', at(time));
  const saturday = { start: at('2024-03-30T00:00:00+01:00'), end: at('2024-03-31T00:00:00+01:00') };
  const sunday = { start: saturday.end, end: at('2024-04-01T00:00:00+02:00') };
  const monday = { start: sunday.end, end: at('2024-04-02T00:00:00+02:00') };
  expect(sunday.end - sunday.start).toBe(23 * HOUR_MS);
  expect(seen.map(([{ window }, count]) => [window, count])).toEqual([
    [saturday, 1],
    [sunday, 1],
    [sunday, 2],
    [sunday, 3],
    [monday, 1],
    [sunday, 4],
    [monday, 2],
  ]);
  expect(driver.skipped).toMatchObject([{ reason: 'late' }]);
  // The store knows where its windows end.
  expect(driver.getWindowStore('days').fetch('k', sunday.start, monday.start)).toMatchObject([
    { key: { window: sunday }, value: 4 },
    { key: { window: monday }, value: 2 },
  ]);
});

test('every instant lies in one day, which is whole', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(
        'Europe/Berlin',
        'America/Sao_Paulo',
        'Asia/Kolkata',
        'Pacific/Apia',
        'UTC',
        'Africa/Cairo',
      ),
      fc.integer({ min: 0, max: Date.parse('2030-01-01') }),
      (zone, time) => {
        const windows = CustomWindows.days(zone);
        const [day] = windows.windowsFor(time);
        expect(day!.start).toBeLessThanOrEqual(time);
        expect(day!.end).toBeGreaterThan(time);
        // Asked about another of its instants, or the next day, in a new place: the same borders.
        expect(CustomWindows.days(zone).windowsFor(day!.end - 1)).toEqual([day]);
        expect(CustomWindows.days(zone).windowsFor(day!.start)).toEqual([day]);
        expect(CustomWindows.days(zone).windowsFor(day!.end)[0]!.start).toBe(day!.end);
      },
    ),
    { numRuns: 300 },
  );
});

test('overlapping windows, suppressed until they close, cogrouped', async () => {
  const windows = CustomWindows.of({
    windowsFor: (time) => [
      { start: Math.floor(time / 10) * 10, end: Math.floor(time / 10) * 10 + 10 },
      { start: Math.floor(time / 10) * 10 + 1, end: Math.floor(time / 10) * 10 + 15 },
    ],
    sizeMs: 14,
  });
  const builder = builderOfTexts();
  const grouped = builder.stream<string, string>('in').groupByKey();
  const seen: string[] = [];
  grouped
    .windowedBy(windows)
    .count()
    .suppress(Suppressed.untilWindowCloses())
    .toStream()
    .foreach(({ key, window }, count) => seen.push(`${key} ${window.start}-${window.end} ${count}`));
  const together: string[] = [];
  grouped
    .cogroup<string>((_key, value, state) => state + value)
    .windowedBy(windows)
    .aggregate(() => '')
    .toStream()
    .foreach(({ window }, state) => together.push(`${window.start} ${state}`));
  const driver = await open(builder);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInput('a', 'x', 2);
  await input.pipeInput('a', 'y', 3);
  await input.pipeInput('b', 'z', 40);
  expect(seen).toEqual(['a 0-10 2', 'a 1-15 2']);
  expect(together).toEqual(['0 x', '1 x', '0 xy', '1 xy', '40 z', '41 z']);
});

test('ends are known where keys come back from a topic', async () => {
  const windows = CustomWindows.of({
    windowsFor: (time) => (time < 100 ? [{ start: 0, end: 100 }] : [{ start: 100, end: 130 }]),
    sizeMs: 100,
  });
  const builder = builderOfTexts();
  const seen: Windowed<string>[] = [];
  builder
    .stream<string, string>('in')
    .groupByKey()
    .windowedBy(windows)
    .count()
    .toStream()
    .repartition({ keySerde: Serdes.string as never, valueSerde: Serdes.long })
    .peek((key) => seen.push(key))
    .to('counts');
  const windowed = { kind: 'time', sizeMs: windows.lengthFrom } as const;
  builder.stream<string, string>('again', { windowed }).foreach((key) => seen.push(key));
  const driver = await open(builder);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  await input.pipeInput('k', 'x', 1);
  await input.pipeInput('k', 'x', 101);
  const topic = windowedSerde(() => Serdes.string, windowed);
  await driver
    .createInputTopic('again', topic, Serdes.string)
    .pipeInput({ key: 'k', window: { start: 100, end: 130 } } as never, 'x', 1);
  const expected = [
    { key: 'k', window: { start: 0, end: 100 } },
    { key: 'k', window: { start: 100, end: 130 } },
  ];
  expect(seen).toEqual([...expected, expected[1]]);
  expect(
    (await driver.createOutputTopic('counts', topic, Serdes.long).readRecords()).map(({ key }) => key),
  ).toEqual(expected);
});

test('what is no window is refused', async () => {
  const grouped = builderOfTexts().stream<string, string>('in').groupByKey();
  const day = CustomWindows.days('UTC');
  expect(() => grouped.windowedBy(day).emitStrategy('close')).toThrow(TopologyError);
  expect(() => CustomWindows.of({ windowsFor: () => [], sizeMs: 0 })).toThrow(TopologyError);
  expect(() => CustomWindows.of({ windowsFor: () => [], sizeMs: 1, graceMs: -1 })).toThrow(TopologyError);
  expect(() => CustomWindows.of({ windowsFor: undefined as never, sizeMs: 1 })).toThrow(TopologyError);
  expect(() => CustomWindows.days('Europe/Atlantis')).toThrow(/is not a time zone/);
  for (const window of [
    { start: 5, end: 5 },
    { start: 0.5, end: 3 },
    { start: 0, end: 11 },
    { start: -5, end: 3 },
  ]) {
    const builder = builderOfTexts();
    builder
      .stream<string, string>('in')
      .groupByKey()
      .windowedBy(CustomWindows.of({ windowsFor: () => [window], sizeMs: 10 }))
      .count();
    const driver = await open(builder);
    await expect(
      driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', 'v', 1),
    ).rejects.toThrow(/windowsFor\(1\) gave a window from/);
  }
});
