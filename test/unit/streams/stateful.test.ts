import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { aggregateStream } from '../../../src/streams/processors/aggregate-stream.ts';
import { aggregateTimeWindows } from '../../../src/streams/processors/aggregate-time-windows.ts';
import { transformTable } from '../../../src/streams/processors/transform-table.ts';
import type { SteppedStreams } from '../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../../src/streams/instance/streams-options.ts';
import { stringSerde } from '../../../src/streams/topology/serde.ts';
import { Topology } from '../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../harness/log-records.ts';
import { numberValues } from '../../harness/number-values.ts';
import { closeStreams, drain, openStreams } from '../../harness/open-streams.ts';

let log: Log;
let directory: string;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  directory = mkdtempSync(join(tmpdir(), 'millrace-streams-'));
  await log.admin.createTopic({ name: 'in', partitions: 2 });
  await log.admin.createTopic({ name: 'out', partitions: 2 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

const open = (topology: Topology, overrides: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(topology, {
    log,
    state: openStateBackend({ residentBytes: 0 }),
    stateDirectory: directory,
    ...overrides,
  });

function counting(): Topology {
  return new Topology()
    .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
    .addProcessor({
      name: 'count',
      open: aggregateStream({
        store: 'counts',
        initial: () => 0,
        add: (state) => (state as number) + 1,
        sendOldValues: false,
        coalesce: false,
      }),
      parents: ['read'],
    })
    .addStore({
      options: { kind: 'key-value', name: 'counts', values: numberValues, changelog: true, persistent: true },
      processors: ['count'],
    })
    .addProcessor({
      name: 'text',
      open: asText,
      parents: ['count'],
    })
    .addSink({ name: 'write', topic: 'out', parents: ['text'], key: null, value: stringSerde });
}

const asText = transformTable({
  open: () => ({ transform: String }),
  store: null,
  sendOldValues: false,
  dropAbsent: false,
});

const lastByKey = async (): Promise<Record<string, string | null>> =>
  Object.fromEntries((await readAll(log, 'out')).map((record) => [record.key, record.value]));

/** Two records of a and one of b, counted by an application that is closed again. */
async function countTwoAndOne(): Promise<SteppedStreams> {
  await produce(
    log,
    'in',
    ['a', 'b', 'a'].map((key) => ({ key, value: 'x' })),
  );
  const streams = await open(counting());
  await drain(streams);
  await streams.close();
  return streams;
}

test('counts go on after a clean restart, from the local state', async () => {
  await countTwoAndOne();
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  const second = await open(counting());
  await drain(second);
  expect(await lastByKey()).toEqual({ a: '3', b: '1' });
});

test('counts go on after the local state was lost, from the changelog', async () => {
  await countTwoAndOne();
  rmSync(directory, { recursive: true, force: true });
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  const second = await open(counting());
  await drain(second);
  expect(await lastByKey()).toEqual({ a: '3', b: '1' });
});

test('committed offsets that were moved back rebuild the state instead of counting twice', async () => {
  const first = await countTwoAndOne();
  await first.cleanUp();
  const second = await open(counting());
  await drain(second);
  expect(await lastByKey()).toEqual({ a: '2', b: '1' });
});

test.each([['in memory'], ['on disk']])('what runs is not cleaned up: state %s', async (where) => {
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  const streams = await open(counting(), where === 'in memory' ? { stateDirectory: null } : {});
  await drain(streams);
  const [topics, committed] = [await log.admin.listTopics(), await log.admin.committed('app')];
  await expect(streams.cleanUp()).rejects.toThrow('the application app runs');
  streams.pause();
  await expect(streams.cleanUp()).rejects.toThrow('the application app runs');
  expect(await log.admin.listTopics()).toEqual(topics);
  expect(await log.admin.committed('app')).toEqual(committed);
  await streams.close();
  await streams.cleanUp();
  expect(await log.admin.committed('app')).toEqual([]);
});

test('output never leaves without its input being committed: a crash after an idle turn repeats nothing', async () => {
  await produce(log, 'in', [{ key: 'a', value: 'x' }]);
  const first = await open(counting(), { stateDirectory: null });
  for (let turn = 0; turn < 3; turn++) await first.step();
  expect(await readAll(log, 'out')).toHaveLength(1);
  // The first one is left as it is, as if its process were gone.
  const second = await open(counting(), { stateDirectory: null });
  await drain(second);
  expect((await readAll(log, 'out')).map(({ value }) => value)).toEqual(['1']);
});

test('state that does not fit in memory gives the same output in the same order', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 200 })), {
        minLength: 1,
        maxLength: 300,
      }),
      async (events) => {
        const topology = (topic: string): Topology =>
          new Topology()
            .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
            .addProcessor({
              name: 'window',
              open: aggregateTimeWindows({
                store: 'windows',
                sizeMs: 50,
                advanceMs: 20,
                graceMs: 30,
                initial: () => 0,
                add: (state) => (state as number) + 1,
                emit: 'update',
                coalesce: false,
                sendOldValues: false,
                skipNullValues: true,
              }),
              parents: ['read'],
            })
            .addStore({
              options: {
                kind: 'window',
                name: 'windows',
                values: numberValues,
                changelog: false,
                persistent: true,
                retentionMs: 80,
                duplicates: false,
              },
              processors: ['window'],
            })
            .addProcessor({
              name: 'text',
              open: asText,
              parents: ['window'],
            })
            .addSink({ name: 'write', topic, parents: ['text'], key: null, value: stringSerde });
        const suffix = String(runs++);
        for (const name of [`full-${suffix}`, `tiny-${suffix}`, `lean-${suffix}`])
          await log.admin.createTopic({ name, partitions: 2 });
        await log.admin.deleteTopic('in');
        await log.admin.createTopic({ name: 'in', partitions: 2 });
        const full = await open(topology(`full-${suffix}`), {
          applicationId: `full-${suffix}`,
          stateDirectory: null,
        });
        const tiny = await open(topology(`tiny-${suffix}`), {
          applicationId: `tiny-${suffix}`,
          persistIntervalMs: 0,
          stateBytesMax: 1,
          commitIntervalMs: 0,
        });
        // It has no directory, and makes room in one that goes with it.
        const lean = await open(topology(`lean-${suffix}`), {
          applicationId: `lean-${suffix}`,
          stateDirectory: null,
          persistIntervalMs: 0,
          stateBytesMax: 1,
          commitIntervalMs: 0,
        });
        const cold = new Set<string>();
        for (let i = 0; i < events.length; i += 20) {
          const some = events.slice(i, i + 20);
          await produce(
            log,
            'in',
            some.map(([key, timestamp]) => ({ key: `k${key}`, value: 'x', timestamp })),
          );
          await drain(full);
          for (const [name, streams] of Object.entries({ tiny, lean })) {
            await drain(streams);
            await streams.step();
            if (streams.tasks.some((task) => !task.state.resident)) cold.add(name);
          }
        }
        expect([...cold].toSorted()).toEqual(['lean', 'tiny']);
        const expected = await readAll(log, `full-${suffix}`);
        for (const name of ['tiny', 'lean'])
          expect(await readAll(log, `${name}-${suffix}`)).toEqual(expected);
      },
    ),
    { numRuns: 15 },
  );
});
