import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assert } from '../../../../src/common/assert.ts';
import { ManualClock, nextTurn, systemClock } from '../../../../src/common/clock.ts';
import { DataError } from '../../../../src/common/error.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { type Log, LogError } from '../../../../src/log/log.ts';
import { readHeaders } from '../../../../src/log/record-batch-codec.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { flatMapStream } from '../../../../src/streams/processors/flat-map-values.ts';
import { mapStream } from '../../../../src/streams/processors/map-values.ts';
import type { Processor } from '../../../../src/streams/topology/processor.ts';
import {
  continueOnDataError,
  continueOnError,
  type ErrorHandlers,
  type FailedRecord,
  sendToDeadLetterTopic,
} from '../../../../src/streams/task/error-handlers.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions, StreamsState } from '../../../../src/streams/instance/streams-options.ts';
import type { SkippedRecord } from '../../../../src/streams/task/skipped-record.ts';
import { type Serde, stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { addCount, countRecords } from '../../../harness/add-count.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, createStreams, drain } from '../../../harness/open-streams.ts';

let log: Log;
let directory: string;
let skipped: SkippedRecord[];

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  directory = mkdtempSync(join(tmpdir(), 'millrace-handlers-'));
  skipped = [];
  await log.admin.createTopic({ name: 'in', partitions: 1 });
  await log.admin.createTopic({ name: 'out', partitions: 1 });
  await log.admin.createTopic({ name: 'dead', partitions: 3 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

const create = (topology: Topology, overrides: Partial<StreamsOptions> = {}): SteppedStreams =>
  createStreams(topology, {
    log,
    state: openStateBackend({ residentBytes: 0 }),
    stateDirectory: directory,
    onSkip: (record) => skipped.push(record),
    ...overrides,
  });

const strict: Serde<string> = {
  serialize(value, writer) {
    if (value.includes('unwritable')) throw new DataError('it cannot be written');
    stringSerde.serialize(value, writer);
  },
  deserialize(buffer, start, end) {
    const value = stringSerde.deserialize(buffer, start, end);
    if (value.includes('unreadable')) throw new DataError('it cannot be read');
    return value;
  },
};

/** Upper case; throws for what says so. */
function shouting(): Topology {
  return new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: strict })
    .addProcessor({
      name: 'shout',
      parents: ['read'],
      open: mapStream((value) => {
        if (value === 'bad data') throw new DataError('it cannot be used');
        if (value === 'bug') throw new TypeError('a bug');
        assert(value !== 'broken', 'the engine is broken');
        return value === 'grow' ? 'x'.repeat(1 << 21) : (value as string);
      }),
    })
    .addSink({ name: 'write', topic: 'out', parents: ['shout'], key: null, value: strict });
}

const values = async (topic: string): Promise<(string | null)[]> =>
  (await readAll(log, topic)).map(({ value }) => value);

const lines = (...texts: string[]): { key: string; value: string }[] =>
  texts.map((value) => ({ key: 'k', value }));

test.each<[keyof ErrorHandlers, string, string, string]>([
  ['deserialization', 'unreadable', 'read', 'it cannot be read'],
  ['processing', 'bad data', 'shout', 'it cannot be used'],
  ['processing', 'bug', 'shout', 'a bug'],
  ['production', 'unwritable', 'write', 'it cannot be written'],
  ['production', 'grow', 'write', 'is too large: it has 20972'],
])(
  '%s of "%s": fails by default, goes on or keeps a dead letter when told to',
  async (step, value, node, detail) => {
    await produce(log, 'in', lines('first', value, 'last'));
    const failing = create(shouting());
    await failing.open();
    await expect(drain(failing)).rejects.toMatchObject({
      name: 'RecordFailure',
      node,
      topic: 'in',
      partition: 0,
      offset: 1,
    });
    await failing.close();
    expect(skipped).toEqual([]);

    const asked: FailedRecord[] = [];
    const going = create(shouting(), {
      applicationId: 'going',
      handlers: { [step]: (failed: FailedRecord) => (asked.push(failed), 'continue') },
    });
    await going.open();
    await drain(going);
    expect((await values('out')).slice(-2)).toEqual(['first', 'last']);
    expect(asked).toMatchObject([
      { node, offset: 1, detail: expect.stringContaining(detail), error: expect.any(Error) },
    ]);
    expect(skipped).toMatchObject([{ node, offset: 1, detail: expect.stringContaining(detail) }]);

    const keeping = create(shouting(), {
      applicationId: 'keeping',
      handlers: { [step]: sendToDeadLetterTopic },
      deadLetterTopic: 'dead',
    });
    await keeping.open();
    await drain(keeping);
    expect(await readAll(log, 'dead')).toMatchObject([{ key: 'k', value }]);
  },
);

test('a dead letter has the record’s bytes and headers, and says where it came from and why', async () => {
  const writer = await log.openWriter();
  const bytes = Buffer.from('key-value\xff', 'latin1');
  const own = { key: 'trace', value: Buffer.from('abc') };
  writer.appender({ topic: 'in', partition: 0 }).append(77, bytes, 0, 3, bytes, 4, bytes.length, [own, own]);
  await writer.flush();
  await writer.close();
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'fail',
      parents: ['read'],
      open: mapStream(() => {
        throw new RangeError('too far');
      }),
    })
    .addSink({ name: 'write', topic: 'out', parents: ['fail'], key: null, value: stringSerde });
  const streams = create(topology, {
    handlers: { processing: sendToDeadLetterTopic },
    deadLetterTopic: 'dead',
  });
  await streams.open();
  await drain(streams);
  const reader = log.openReader();
  for (let partition = 0; partition < 3; partition++) reader.assign({ topic: 'dead', partition, offset: 0 });
  const [batch] = await reader.poll(1000);
  expect(batch!.timestamps[0]).toBe(77);
  expect(batch!.buffer.subarray(batch!.keyStart[0], batch!.keyEnd[0])).toEqual(bytes.subarray(0, 3));
  expect(batch!.buffer.subarray(batch!.valueStart[0], batch!.valueEnd[0])).toEqual(bytes.subarray(4));
  const headers = readHeaders(batch!, 0).map(({ key, value }) => [key, Buffer.from(value!).toString()]);
  expect(headers).toEqual([
    ['trace', 'abc'],
    ['trace', 'abc'],
    ['__streams.errors.exception', 'RangeError'],
    ['__streams.errors.message', 'too far'],
    ['__streams.errors.node', 'fail'],
    ['__streams.errors.task', '0_0'],
    ['__streams.errors.topic', 'in'],
    ['__streams.errors.partition', '0'],
    ['__streams.errors.offset', '0'],
  ]);
  await reader.close();
});

test('what was forwarded beside the failure goes on: siblings and the rest of a list', async () => {
  await produce(log, 'in', lines('a bad c'));
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'split',
      parents: ['read'],
      open: flatMapStream((value, _key, _timestamp, _record, emit) =>
        (value as string).split(' ').forEach((word) => emit(word)),
      ),
    })
    .addProcessor({
      name: 'picky',
      parents: ['split'],
      open: mapStream((value) => {
        if (value === 'bad') throw new DataError('bad');
        return value;
      }),
    })
    .addProcessor({ name: 'easy', parents: ['split'], open: mapStream((value) => `${value as string}!`) })
    .addSink({ name: 'write', topic: 'out', parents: ['picky', 'easy'], key: null, value: stringSerde });
  const streams = create(topology, { handlers: { processing: continueOnDataError } });
  await streams.open();
  await drain(streams);
  expect(await values('out')).toEqual(['a', 'a!', 'bad!', 'c', 'c!']);
  expect(skipped).toMatchObject([{ node: 'picky', reason: 'evaluation' }]);
});

test('a failed assertion stops the application whatever the handler says; so does a bug where only data may fail', async () => {
  await produce(log, 'in', lines('broken'));
  const broken = create(shouting(), { handlers: { processing: continueOnError } });
  await broken.open();
  await expect(drain(broken)).rejects.toThrow(
    'shout of task 0_0 failed on the record at in-0, offset 0: the engine is broken',
  );

  await produce(log, 'in', lines('bug'));
  const bug = create(shouting(), {
    applicationId: 'bug',
    offsetReset: 'latest',
    handlers: { processing: continueOnDataError },
  });
  await bug.open();
  await produce(log, 'in', lines('bad data', 'bug'));
  await expect(drain(bug)).rejects.toThrow('offset 3: a bug');
  expect(skipped).toMatchObject([{ offset: 2 }]);
});

test('what the log cannot do is no fault of the record: no handler is asked, and the application stops', async () => {
  await produce(log, 'in', lines('a', 'away', 'b'));
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'send',
      parents: ['read'],
      open: mapStream((value) => {
        if (value === 'away') throw new LogError('fenced', 'another one writes');
        return value;
      }),
    })
    .addSink({ name: 'write', topic: 'out', parents: ['send'], key: null, value: stringSerde });
  const asked: FailedRecord[] = [];
  const handler = (failed: FailedRecord) => {
    asked.push(failed);
    return 'continue' as const;
  };
  const streams = create(topology, {
    handlers: { deserialization: handler, processing: handler, production: handler },
  });
  await streams.open();
  await expect(drain(streams)).rejects.toThrow('offset 1: another one writes');
  expect(asked).toEqual([]);
  expect(skipped).toEqual([]);
});

test('an application whose dead letter topic is missing does not start', async () => {
  const streams = create(shouting(), { deadLetterTopic: 'nowhere' });
  await expect(streams.open()).rejects.toMatchObject({
    kind: 'unknown-topic',
    message: expect.stringContaining('nowhere'),
  });
  expect(streams.state).toBe('error');
});

test('what a punctuation throws goes to the processing handler', async () => {
  const clock = new ManualClock(1000);
  const alarm: Processor = {
    init: (context) =>
      void context.schedule(100, 'wall-clock', () => {
        throw new DataError('the alarm fails');
      }),
    process: () => undefined,
  };
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({ name: 'alarm', parents: ['read'], open: () => alarm });
  const failing = create(topology, { clock });
  await failing.open();
  clock.advance(100);
  await expect(failing.step()).rejects.toThrow('alarm of task 0_0 failed on a punctuation: the alarm fails');
  const going = create(topology, {
    applicationId: 'going',
    clock,
    handlers: { processing: continueOnError },
  });
  await going.open();
  clock.advance(100);
  await going.step();
  expect(skipped).toMatchObject([
    { node: 'alarm', topic: '', partition: -1, offset: -1, key: null, value: null },
  ]);
});

test('a drop is told once, though the record was run again because its state had to be loaded', async () => {
  const counting = (): Topology =>
    addCount(
      new Topology()
        .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
        .addProcessor({
          name: 'picky',
          parents: ['read'],
          open: mapStream(() => {
            throw new DataError('never');
          }),
        }),
      {
        // No prefetch: the read itself finds that the state is not in memory.
        open: () => {
          const inner = countRecords();
          return { init: (context) => inner.init?.(context), process: (...args) => inner.process(...args) };
        },
      },
    ).addSink({ name: 'write', topic: 'out', parents: ['picky'], key: null, value: stringSerde });
  const options = {
    handlers: { processing: sendToDeadLetterTopic },
    deadLetterTopic: 'dead',
    persistIntervalMs: 0,
  };
  const first = create(counting(), options);
  await first.open();
  await produce(log, 'in', lines('one'));
  await drain(first);
  await first.close();
  const second = create(counting(), options);
  await second.open();
  expect(second.tasks[0]!.state.resident).toBe(false);
  await produce(log, 'in', lines('two'));
  await drain(second);
  expect(skipped.map(({ value }) => value!.toString())).toEqual(['one', 'two']);
  expect(await values('dead')).toEqual(['one', 'two']);
  expect(second.processedRecords).toBe(1);
});

test('a record that is too large for the dead letters too leaves its value where it lies', async () => {
  const value = 'x'.repeat(1_500_000);
  const records = [
    ...lines('first'),
    { key: 'large', value, headers: [{ key: 'h', value: Buffer.from('1') }] },
    ...lines('last'),
  ];
  await produce(log, 'in', records, { requestBytesMax: 2_000_000 });
  const streams = create(shouting(), {
    handlers: { production: sendToDeadLetterTopic },
    deadLetterTopic: 'dead',
  });
  await streams.open();
  await drain(streams);
  expect(await values('out')).toEqual(['first', 'last']);
  expect(await readAll(log, 'dead')).toMatchObject([{ key: 'large', value: null }]);
  const reader = log.openReader();
  for (let partition = 0; partition < 3; partition++) reader.assign({ topic: 'dead', partition, offset: 0 });
  const [letter] = await reader.poll(1000);
  const headers = new Map(readHeaders(letter!, 0).map((header) => [header.key, String(header.value)]));
  expect(headers.get('h')).toBe('1');
  expect(headers.get('__streams.errors.offset')).toBe('1');
  expect(headers.get('__streams.errors.value.bytes')).toBe('1500000');
  expect(headers.get('__streams.errors.message')).toContain('(max.request.size)');
  expect(skipped).toMatchObject([{ reason: 'production', offset: 1 }]);
});

test('a record of that size passes where the application may send it', async () => {
  const value = 'x'.repeat(1_500_000);
  await produce(log, 'in', lines('first', value, 'last'), { requestBytesMax: 2_000_000 });
  const streams = create(shouting(), { producer: { requestBytesMax: 2_000_000, compression: 'zstd' } });
  await streams.open();
  await drain(streams);
  expect(await values('out')).toEqual(['first', value, 'last']);
});

test('an application that may replace its tasks starts again where it committed, with growing waits', async () => {
  const clock = new ManualClock();
  let broken = true;
  const errors: string[] = [];
  const states: [StreamsState, StreamsState][] = [];
  const topology = new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'check',
      parents: ['read'],
      open: mapStream((value) => {
        if (value === 'poison' && broken) throw new TypeError('a bug');
        return value;
      }),
    })
    .addSink({ name: 'write', topic: 'out', parents: ['check'], key: null, value: stringSerde });
  const waits: number[] = [];
  const timed = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer(delayMs: number, action: () => void) {
      if (delayMs >= 1000) waits.push(delayMs);
      return clock.setTimer(delayMs, action);
    },
  };
  const streams = create(topology, {
    clock: timed,
    onUncaughtError: 'replace',
    restartMinMs: 1000,
    restartMaxMs: 3000,
    onError: (error) => errors.push((error as Error).message),
    onStateChange: (state, before) => states.push([before, state]),
  });
  await produce(log, 'in', lines('good', 'poison', 'last'));
  await streams.start();
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await nextTurn();
  };
  for (let attempt = 1; attempt <= 3; attempt++) {
    await until(() => waits.length === attempt);
    expect(streams.state).toBe('restoring');
    if (attempt === 3) broken = false;
    clock.advance(3000);
  }
  await until(() => streams.state === 'running');
  while ((await readAll(log, 'out')).length < 3) {
    clock.advance(100);
    await nextTurn();
  }
  expect(await values('out')).toEqual(['good', 'poison', 'last']);
  expect(errors).toHaveLength(3);
  expect(waits).toEqual([1000, 2000, 3000]);
  expect(states.slice(0, 4)).toEqual([
    ['created', 'restoring'],
    ['restoring', 'running'],
    ['running', 'restoring'],
    ['restoring', 'running'],
  ]);
  await streams.close();
  expect(states.at(-1)).toEqual(['stopping', 'stopped']);
});

test('an application that waits to be started again can be closed', async () => {
  const clock = new ManualClock();
  const streams = create(shouting(), { clock, onUncaughtError: 'replace' });
  await produce(log, 'in', lines('bug'));
  await streams.start();
  while (streams.state !== 'restoring') await nextTurn();
  await streams.close();
  expect(streams.state).toBe('stopped');
});

test('the restore listener hears of every changelog partition, from where to where', async () => {
  const counting = (): Topology =>
    addCount(
      new Topology().addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde }),
    );
  const first = create(counting(), { stateDirectory: null });
  await first.open();
  await produce(log, 'in', [
    { key: 'a', value: 'x' },
    { key: 'b', value: 'x' },
  ]);
  await drain(first);
  await first.close();
  const heard: string[] = [];
  const second = create(counting(), {
    stateDirectory: null,
    onRestore: {
      started: ({ topic, partition, from, to }) =>
        heard.push(`started ${topic}-${partition} [${from}, ${to})`),
      progressed: (_range, position, records) => heard.push(`${records} to ${position}`),
      ended: ({ store }, records) => heard.push(`ended ${store.name}: ${records}`),
    },
  });
  await second.open();
  expect(heard).toEqual(['started app-counts-changelog-0 [0, 2)', '2 to 2', 'ended counts: 2']);
});
