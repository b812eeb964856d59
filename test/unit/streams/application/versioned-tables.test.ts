import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import type { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { drain, openStreams } from '../../../harness/open-streams.ts';

let log: Log;
let directory: string;

async function openLog(): Promise<void> {
  log = await openEmbeddedLog({ clock: new ManualClock(0), logger: silentLogger });
  for (const name of ['s', 't', 'out']) await log.admin.createTopic({ name, partitions: 1 });
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-versions-'));
  await openLog();
});

afterEach(async () => {
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

function joining(): Topology {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  const table = builder.table<string, string>(
    't',
    {},
    { name: 'v', versioned: { historyRetentionMs: 1000 } },
  );
  builder
    .stream<string, string>('s')
    .leftJoin(table, (left, right) => `${left}${right}`, { graceMs: 100, name: 'join' })
    .to('out');
  return builder.build();
}

/** With a directory, all state is on disk and leaves memory at each commit. */
const start = (stateDirectory: string | null): Promise<SteppedStreams> =>
  openStreams(joining(), {
    log,
    state: openStateBackend({ residentBytes: 0 }),
    stateDirectory,
    persistIntervalMs: 0,
    stateBytesMax: 0,
    clock: new ManualClock(0),
  });

const rows = async (): Promise<string[]> =>
  (await readAll(log, 'out')).map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`);

test('versions and records that wait come back from their changelogs, and can be asked for', async () => {
  const first = await start(null);
  await produce(log, 't', [
    { key: 'k', value: 'a', timestamp: 10 },
    { key: 'k', value: 'c', timestamp: 300 },
    { key: 'k', value: 'b', timestamp: 20 },
    { key: 'j', value: 'x', timestamp: 5 },
    { key: 'j', value: null, timestamp: 200 },
  ]);
  await produce(log, 's', [
    { key: 'k', value: '1', timestamp: 15 },
    { key: 'k', value: '2', timestamp: 299 },
    { key: 'j', value: '3', timestamp: 250 },
  ]);
  await drain(first);
  expect(await rows()).toEqual(['k 1a 15']);
  await first.close();

  const second = await start(null);
  const versions = new StoreQueries(second).versionedStore<string, string>('v');
  expect(await versions.get('k')).toEqual({ value: 'c', timestamp: 300, validTo: null });
  expect(await versions.get('k', 299)).toEqual({ value: 'b', timestamp: 20, validTo: 300 });
  expect(await versions.get('j')).toBeNull();
  expect(await versions.get('j', 199)).toEqual({ value: 'x', timestamp: 5, validTo: 200 });
  const texts = (found: readonly { readonly value: string }[]): string[] => found.map(({ value }) => value);
  expect(texts(await versions.versions('k'))).toEqual(['a', 'b', 'c']);
  expect(texts(await versions.backwardVersions('k', 20, 299))).toEqual(['b']);
  expect(() => new StoreQueries(second).keyValueStore('v')).toThrow(/versioned store, not a key-value/);
  await produce(log, 's', [{ key: 'k', value: '4', timestamp: 1000 }]);
  await drain(second);
  expect((await rows()).slice(1)).toEqual(['j 3null 250', 'k 2b 299']);
  await second.close();
});

test('the changelog of versions is compacted no sooner than the history is over', async () => {
  const created = new Map<string, Readonly<Record<string, string>> | undefined>();
  const { admin } = log;
  const create = admin.createTopic.bind(admin);
  admin.createTopic = (topic) => {
    created.set(topic.name, topic.configs);
    return create(topic);
  };
  await (await start(null)).close();
  expect(created.get('app-v-changelog')).toEqual({
    'cleanup.policy': 'compact',
    'min.compaction.lag.ms': String(1000 + 24 * 60 * 60 * 1000),
    'message.timestamp.type': 'CreateTime',
  });
  expect(created.get('app-join-Buffer-changelog')?.['cleanup.policy']).toBe('compact');
});

const record = fc.record({
  topic: fc.constantFrom('s', 't', 't'),
  key: fc.constantFrom('a', 'b', 'ab'),
  value: fc.option(fc.constantFrom('1', '2', '3'), { nil: null, freq: 5 }),
  timestamp: fc.integer({ min: 0, max: 3000 }),
  /** What happens behind it: nothing, the application starts again, or it does so without what was on disk. */
  behind: fc.constantFrom('nothing', 'nothing', 'nothing', 'restart', 'restore'),
});

test('results are the same wherever state lies, and however often the application starts again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 5, maxLength: 25 }), async (records) => {
      const run = async (disturbed: boolean): Promise<string[]> => {
        await log.close();
        await openLog();
        rmSync(directory, { recursive: true, force: true });
        const at = disturbed ? directory : null;
        let streams = await start(at);
        try {
          for (const { topic, behind, ...each } of records) {
            await produce(log, topic, [each]);
            await drain(streams);
            if (!disturbed || behind === 'nothing') continue;
            await streams.close();
            if (behind === 'restore') rmSync(directory, { recursive: true, force: true });
            streams = await start(at);
          }
        } finally {
          await streams.close();
        }
        return rows();
      };
      expect(await run(true)).toEqual(await run(false));
    }),
    { numRuns: 15 },
  );
});
