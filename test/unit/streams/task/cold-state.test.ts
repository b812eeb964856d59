import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import type { KeyValueStore } from '../../../../src/state/store.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { aggregateStream } from '../../../../src/streams/processors/aggregate-stream.ts';
import type {
  Processor,
  ProcessorContext,
  PunctuationKind,
} from '../../../../src/streams/topology/processor.ts';
import { RecordKey } from '../../../../src/streams/topology/record-key.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { numberValues } from '../../../harness/number-values.ts';
import { openStreams } from '../../../harness/open-streams.ts';

/** Whatever reads state may find that it lies on disk: nothing may then happen twice, or not at all. */

const rows = {
  options: { kind: 'key-value', values: numberValues, changelog: true, persistent: true },
} as const;

let log: Log;
let clock: ManualClock;
let directory: string;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  clock = new ManualClock(0);
  directory = mkdtempSync(join(tmpdir(), 'millrace-cold-'));
  await log.admin.createTopic({ name: 'in', partitions: 1 });
  await log.admin.createTopic({ name: 'out', partitions: 1 });
});

afterEach(async () => {
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the topology anew, with all state on disk, over what is produced; `after` is called before the last commit. */
async function run(
  topology: Topology,
  records: Parameters<typeof produce>[2],
  after: (streams: SteppedStreams) => Promise<void> = async () => undefined,
  options: Partial<StreamsOptions> = {},
): Promise<void> {
  const streams = await openStreams(topology, {
    log,
    state: openStateBackend({ residentBytes: 0 }),
    stateDirectory: directory,
    clock,
    ...options,
  });
  await produce(log, 'in', records);
  const before = streams.processedRecords;
  while (streams.processedRecords < before + records.length) await streams.step();
  await after(streams);
  await streams.commit();
  await streams.close();
}

const output = async (): Promise<string[]> =>
  (await readAll(log, 'out')).map(({ key, value }) => `${key} ${value}`);

/** Counts in a store what reaches it, without a prefetch; forwards the count. */
function counting(store: string): () => Processor {
  return () => {
    let context: ProcessorContext;
    return {
      init: (each) => void (context = each),
      process(key, value, _old, timestamp) {
        const rowsOfKey = context.store(store) as KeyValueStore;
        const slot = rowsOfKey.find(key.buffer, key.start, key.end);
        const count = (slot < 0 ? 0 : (rowsOfKey.valueAt(slot) as number)) + 1;
        rowsOfKey.put(key.buffer, key.start, key.end, count, timestamp);
        context.forward(key, `${String(value)}/${count}`, undefined, timestamp);
      },
    };
  };
}

const records = (...keys: string[]): { key: string; value: string }[] =>
  keys.map((key) => ({ key, value: 'x' }));

test('changes that are flushed to operators with state on disk', async () => {
  const topology = (): Topology =>
    new Topology()
      .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
      .addProcessor({
        name: 'total',
        parents: ['read'],
        open: aggregateStream({
          store: 'totals',
          initial: () => 0,
          add: (n) => (n as number) + 1,
          sendOldValues: false,
          coalesce: true,
        }),
      })
      .addProcessor({ name: 'count', parents: ['total'], open: counting('changes') })
      .addSink({ name: 'write', topic: 'out', parents: ['count'], key: null, value: stringSerde })
      .addStore({ options: { ...rows.options, name: 'totals' }, processors: ['total'] })
      .addStore({ options: { ...rows.options, name: 'changes' }, processors: ['count'] });
  await run(topology(), records('a', 'b', 'a', 'c'));
  expect(await output()).toEqual(['b 1/1', 'a 2/1', 'c 1/1']);
  await run(topology(), records('b', 'c', 'b', 'd', 'a'));
  expect((await output()).slice(3)).toEqual(['c 2/2', 'b 3/2', 'd 1/1', 'a 3/2']);
});

test.each<PunctuationKind>(['wall-clock', 'stream-time'])(
  '%s punctuations that read state on disk',
  async (kind) => {
    const ticking = (): Processor => {
      let context: ProcessorContext;
      const key = new RecordKey(stringSerde);
      return {
        init(each) {
          context = each;
          for (const name of ['one', 'two'])
            context.schedule(100, kind, (time) => {
              key.setValue(name);
              context.forward(key, 'tick', undefined, time);
            });
        },
        process: () => undefined,
      };
    };
    const topology = (): Topology =>
      new Topology()
        .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
        .addProcessor({ name: 'tick', parents: ['read'], open: ticking })
        .addProcessor({ name: 'count', parents: ['tick'], open: counting('ticks') })
        .addSink({ name: 'write', topic: 'out', parents: ['count'], key: null, value: stringSerde })
        .addStore({ options: { ...rows.options, name: 'ticks' }, processors: ['count'] });
    for (let round = 1; round <= 3; round++)
      await run(
        topology(),
        [{ key: 'k', value: 'x', timestamp: kind === 'stream-time' ? round * 100 : 0 }],
        async (streams) => {
          if (kind === 'stream-time') return;
          clock.advance(100);
          await streams.punctuate();
        },
      );
    expect(await output()).toEqual([
      'one tick/1',
      'two tick/1',
      'one tick/2',
      'two tick/2',
      'one tick/3',
      'two tick/3',
    ]);
  },
);

test('a record that is kept as a dead letter, told of and made again is there once', async () => {
  await log.admin.createTopic({ name: 'dead', partitions: 1 });
  const failing = (): Processor => ({
    process() {
      throw new Error('it cannot be used');
    },
  });
  // What fails comes first: the state that is missed undoes it.
  const topology = (): Topology =>
    new Topology({ repeatable: true })
      .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
      .addProcessor({ name: 'fail', parents: ['read'], open: failing })
      .addProcessor({ name: 'count', parents: ['read'], open: counting('counts') })
      .addSink({ name: 'write', topic: 'out', parents: ['count'], key: null, value: stringSerde })
      .addStore({ options: { ...rows.options, name: 'counts' }, processors: ['count'] });
  let told = 0;
  let asked = 0;
  const options = {
    deadLetterTopic: 'dead',
    handlers: {
      processing: () => {
        asked++;
        return 'dead-letter' as const;
      },
    },
    keepSkipped: () => void told++,
  };
  await run(topology(), records('a', 'b'), undefined, options);
  await run(topology(), records('b', 'a', 'b'), undefined, options);
  expect(await output()).toEqual(['a x/1', 'b x/1', 'b x/2', 'a x/2', 'b x/3']);
  expect((await readAll(log, 'dead')).map(({ key }) => key)).toEqual(['a', 'b', 'b', 'a', 'b']);
  expect(told).toBe(5);
  expect(asked).toBeGreaterThan(5);
});
