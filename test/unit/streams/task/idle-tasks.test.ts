import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import type { StateBackend } from '../../../../src/state/store.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import type { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, drain, openStreams } from '../../../harness/open-streams.ts';

/** Tasks whose inputs have no records, over restarts. */

let directory: string;
let log: Log;
let warnings: string[];
let wiped: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-idle-'));
  log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    clock: systemClock,
    logger: silentLogger,
  });
  await log.admin.createTopic({ name: 'in', partitions: 4 });
  warnings = [];
  wiped = 0;
});

afterEach(async () => {
  await closeStreams();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

const logger: Logger = {
  ...silentLogger,
  warn: (_fields: object, message: string) => void warnings.push(message),
} as Logger;

/** The real one; counts wipes. */
function countingBackend(): StateBackend {
  const backend = openStateBackend();
  return {
    ...backend,
    openTaskState: async (at) => {
      const state = await backend.openTaskState(at);
      const wipe = state.wipe.bind(state);
      state.wipe = () => {
        wiped++;
        return wipe();
      };
      return state;
    },
  };
}

const open = (topology: Topology, options: Partial<StreamsOptions> = {}): Promise<SteppedStreams> =>
  openStreams(topology, {
    log,
    logger,
    state: countingBackend(),
    stateDirectory: join(directory, 'state'),
    ...options,
  });

/** By value behind a repartition topic, and by key. */
function counting(): Topology {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  const source = builder.stream<string, string>('in');
  source
    .groupBy((_key, value) => value)
    .count()
    .toStream()
    .mapValues(String)
    .to('in-by-value');
  source.groupByKey().count().toStream().mapValues(String).to('in-by-key');
  return builder.build();
}

test('a graceful restart with empty partitions, also of repartition topics, warns of nothing and wipes nothing', async () => {
  for (const name of ['in-by-value', 'in-by-key']) await log.admin.createTopic({ name, partitions: 1 });
  await produce(log, 'in', [{ key: 'k', value: 'v' }]);
  for (let start = 0; start < 3; start++) {
    const streams = await open(counting());
    expect(streams.tasks).toHaveLength(8);
    await drain(streams);
    await streams.close();
    expect([warnings, wiped]).toEqual([[], 0]);
  }
  await produce(log, 'in', [{ key: 'k', value: 'v' }]);
  await drain(await open(counting()));
  for (const name of ['in-by-value', 'in-by-key'])
    expect((await readAll(log, name)).map(({ value }) => value?.toString())).toEqual(['1', '2']);
  expect([warnings, wiped]).toEqual([[], 0]);
});

test('nothing was ever there: the same', async () => {
  for (const name of ['in-by-value', 'in-by-key']) await log.admin.createTopic({ name, partitions: 1 });
  for (let start = 0; start < 2; start++) {
    const streams = await open(counting(), { commitIntervalMs: 3_600_000 });
    expect(await streams.caughtUp()).toBe(true);
    await streams.close();
  }
  expect([warnings, wiped]).toEqual([[], 0]);
});

test('a topic that a pattern finds, still empty: the same, and what comes later is read', async () => {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder.stream<string, string>(/in.*/).groupByKey().count();
  const topology = builder.build();
  const first = await open(topology, { topicRefreshMs: 1 });
  await log.admin.createTopic({ name: 'in-later', partitions: 4 });
  while (!first.tasks.some(({ inputs }) => inputs.length === 2)) await first.step();
  await first.close();
  const second = await open(topology);
  expect(second.tasks.map(({ inputs }) => inputs.length)).toEqual([2, 2, 2, 2]);
  expect([warnings, wiped]).toEqual([[], 0]);
});

test('an application that begins at the latest record goes on, after a stop without records, where it began', async () => {
  const seen: string[] = [];
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder.stream<string, string>('in').foreach((_key, value) => void seen.push(value));
  await produce(log, 'in', [{ key: 'k', value: 'before' }]);
  const first = await open(builder.build(), { offsetReset: 'latest' });
  await first.step();
  await first.close();
  await produce(log, 'in', [{ key: 'k', value: 'while it was stopped' }]);
  await drain(await open(builder.build(), { offsetReset: 'latest' }));
  expect(seen).toEqual(['while it was stopped']);
});

test('offsets that somebody moved back still rebuild the state', async () => {
  for (const name of ['in-by-value', 'in-by-key']) await log.admin.createTopic({ name, partitions: 1 });
  await produce(log, 'in', [{ key: 'k', value: 'v' }]);
  const streams = await open(counting());
  await drain(streams);
  const { partition } = streams.tasks.find(
    ({ recordsProcessed, id }) => id.startsWith('0_') && recordsProcessed > 0,
  )!;
  await streams.close();
  await log.admin.alterCommitted('app', [{ topic: 'in', partition, offset: 0 }]);
  await open(counting());
  expect(warnings).toContain('the local state cannot be used: it is deleted and rebuilt from its changelogs');
  expect(wiped).toBe(1);
});
