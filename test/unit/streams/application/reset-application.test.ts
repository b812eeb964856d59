import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  parseDateTime,
  parseDuration,
  streamsReset,
  type StreamsResetOptions,
} from '../../../../src/streams/application/reset-application.ts';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { type Log, LogError } from '../../../../src/log/log.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { drain, openStreams } from '../../../harness/open-streams.ts';

let log: Log;
let directory: string;
let said: string[];

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  directory = mkdtempSync(join(tmpdir(), 'millrace-reset-'));
  said = [];
  await log.admin.createTopic({ name: 'words', partitions: 2 });
  await log.admin.createTopic({ name: 'counts', partitions: 1 });
  await log.admin.createTopic({ name: 'counter-log', partitions: 1 });
});

afterEach(async () => {
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Counts by value: has a repartition topic, a changelog and state on disk. */
function open(): Promise<SteppedStreams> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder
    .stream<string, string>('words')
    .groupBy((_key, word) => word)
    .count({ name: 'totals' })
    .toStream()
    .mapValues(String)
    .to('counts', { valueSerde: Serdes.string });
  return openStreams(builder.build(), { applicationId: 'counter', log, stateDirectory: directory });
}

async function run(): Promise<void> {
  const streams = await open();
  await drain(streams);
  await streams.close();
}

function reset(
  overrides: Partial<StreamsResetOptions> = {},
  stateDirectory: string | null = directory,
  over: Log = log,
): Promise<void> {
  const options = {
    applicationId: 'counter',
    inputTopics: ['words'],
    target: { kind: 'earliest' },
    internalTopics: null,
    dryRun: false,
  } as const;
  return streamsReset(
    { ...options, ...overrides },
    { log: over, stateDirectory, write: async (line) => void said.push(line) },
  );
}

const offsets = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await log.admin.committed('counter')).map(({ topic, partition, offset }) => [
      `${topic}-${partition}`,
      offset,
    ]),
  );
const output = async (): Promise<string[]> =>
  (await readAll(log, 'counts')).map(({ key, value }) => `${key} ${value}`);
const internal = async (): Promise<readonly string[]> =>
  (await log.admin.listTopics()).filter((name) => name.startsWith('counter-'));
const WORDS = ['a', 'b', 'a'].map((value, i) => ({ key: 'k', value, partition: i % 2, timestamp: 1000 * i }));

test('a stopped application begins again as if it had never run', async () => {
  await produce(log, 'words', WORDS);
  await run();
  const once = await output();
  expect(once.toSorted()).toEqual(['a 1', 'a 2', 'b 1']);
  expect(existsSync(join(directory, 'counter'))).toBe(true);
  await reset();
  expect(await offsets()).toEqual({ 'words-0': 0, 'words-1': 0 });
  expect(await internal()).toEqual(['counter-log']);
  expect(existsSync(join(directory, 'counter'))).toBe(false);
  expect(said).toContain('offset of words-0 set to 0 (was 2)');
  expect(said.filter((line) => line.startsWith('internal topic'))).toHaveLength(2);
  await run();
  expect((await output()).toSorted()).toEqual([...once, ...once].toSorted());
});

test('a dry run says the same and changes nothing', async () => {
  await produce(log, 'words', WORDS);
  await run();
  const before = [await offsets(), await internal()];
  await reset({ dryRun: true });
  expect([await offsets(), await internal()]).toEqual(before);
  expect(existsSync(join(directory, 'counter'))).toBe(true);
  const would = said.map((line) => line.replace('would be ', ''));
  said.length = 0;
  await reset();
  expect(would).toEqual(said);
});

test('an application whose state is open is refused, and nothing has changed', async () => {
  await produce(log, 'words', WORDS);
  const running = await open();
  await running.step();
  await running.commit();
  const before = [await offsets(), await internal()];
  await expect(reset()).rejects.toMatchObject({
    name: 'StreamsResetError',
    hint: 'stop the application first',
  });
  expect([await offsets(), await internal()]).toEqual(before);
  await running.close();
  await reset();
  expect(await internal()).toEqual(['counter-log']);
});

test('an application whose group has members is refused, and nothing has changed', async () => {
  await produce(log, 'words', WORDS);
  await run();
  const before = await internal();
  const busy: Log = {
    ...log,
    admin: new Proxy(log.admin, {
      get(admin, name) {
        if (name === 'alterCommitted')
          return () => Promise.reject(new LogError('fenced', 'the group has members'));
        const value = admin[name as keyof typeof admin] as unknown;
        return typeof value === 'function' ? (value as () => unknown).bind(admin) : value;
      },
    }),
  };
  await expect(reset({}, directory, busy)).rejects.toMatchObject({
    name: 'StreamsResetError',
    message: expect.stringContaining('is running'),
  });
  expect(await internal()).toEqual(before);
  expect(existsSync(join(directory, 'counter'))).toBe(true);
  // Its locks are given back.
  await reset();
});

test.each<[StreamsResetOptions['target'], Record<string, number>]>([
  [{ kind: 'earliest' }, { 'words-0': 1, 'words-1': 0 }],
  [{ kind: 'latest' }, { 'words-0': 3, 'words-1': 2 }],
  [
    { kind: 'offset', offset: 2 },
    { 'words-0': 2, 'words-1': 2 },
  ],
  [
    { kind: 'offset', offset: 0 },
    { 'words-0': 1, 'words-1': 0 },
  ],
  [
    { kind: 'offset', offset: 99 },
    { 'words-0': 3, 'words-1': 2 },
  ],
  [
    { kind: 'time', timeMs: 2500 },
    { 'words-0': 2, 'words-1': 1 },
  ],
  [
    { kind: 'time', timeMs: 9999 },
    { 'words-0': 3, 'words-1': 2 },
  ],
])('%j sets the offsets of every partition within what exists', async (target, expected) => {
  await produce(
    log,
    'words',
    [0, 1, 2, 3, 4].map((i) => ({ key: 'k', value: 'x', partition: i % 2, timestamp: 1000 * i })),
  );
  await log.admin.deleteRecords({ topic: 'words', partition: 0, offset: 1 });
  await reset({ target });
  expect(await offsets()).toEqual(expected);
});

test('only the named internal topics go, and only the application’s own', async () => {
  await produce(log, 'words', WORDS);
  await run();
  const changelog = 'counter-totals-changelog';
  expect(await internal()).toContain(changelog);
  const others = (await internal()).filter((name) => name !== changelog);
  await expect(reset({ internalTopics: ['words'] })).rejects.toThrow('words is no internal topic of counter');
  await reset({ internalTopics: [changelog] });
  expect(await internal()).toEqual(others);
});

test('input topics and applications that do not exist are named, and others keep their offsets', async () => {
  await expect(reset({ inputTopics: ['nothing'] })).rejects.toThrow('input topic nothing does not exist');
  await expect(reset({ applicationId: 'nobody', inputTopics: [] })).rejects.toThrow(
    'nothing is known of an application nobody',
  );
  await produce(log, 'words', WORDS);
  await run();
  const before = await offsets();
  await reset({ inputTopics: [] });
  expect(await offsets()).toEqual({ 'words-0': before['words-0'], 'words-1': before['words-1'] });
  expect(said).toContain('topic words keeps its offsets: it is not among the input topics');
});

describe('ISO texts', () => {
  test.each([
    ['PT1H30M', 90 * 60_000],
    ['P1D', 86_400_000],
    ['P1W', 7 * 86_400_000],
    ['P2DT3.5S', 2 * 86_400_000 + 3500],
    ['PT0S', 0],
    ['P', undefined],
    ['PT', undefined],
    ['1h', undefined],
    ['-PT1H', undefined],
  ])('the duration %s is %s', (text, expected) => expect(parseDuration(text)).toBe(expected));

  test.each([
    ['1970-01-02', 86_400_000],
    ['1970-01-01T00:01', 60_000],
    ['1970-01-01T00:00:01.5', 1500],
    ['1970-01-01T01:00:00Z', 3_600_000],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1970-13-01', undefined],
    ['yesterday', undefined],
  ])('the time %s is %s', (text, expected) => expect(parseDateTime(text)).toBe(expected));
});
