import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import type { KeyValueStore } from '../../../../src/state/store.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { KeyValueStoreView, WindowStoreView } from '../../../../src/streams/stores/state-store-view.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { UserContext, UserProcessorContext } from '../../../../src/streams/dsl/user-processor.ts';
import type { Processor, ProcessorContext } from '../../../../src/streams/topology/processor.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import { StoreQueries } from '../../../../src/streams/application/store-queries.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import type { ErrorVerdict, FailedRecord } from '../../../../src/streams/task/error-handlers.ts';
import { numberValues } from '../../../harness/number-values.ts';
import { closeStreams, openStreams } from '../../../harness/open-streams.ts';

/**
 * Programs that catch what they should not, and count what they see. With all their state on disk they must give what
 * they give in memory, and do once what they do.
 */

type Texts = KeyValueStoreView<string, string>;

let log: Log;
let clock: ManualClock;
let directory: string;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  clock = new ManualClock(0);
  directory = mkdtempSync(join(tmpdir(), 'millrace-on-disk-'));
  for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Opens the program anew with nothing in memory, gives it the records, and closes it again. */
async function run(
  build: (builder: StreamsBuilder) => void,
  records: Parameters<typeof produce>[2],
  after: (streams: SteppedStreams) => Promise<unknown> = async () => undefined,
  options: Partial<StreamsOptions> = {},
): Promise<void> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  build(builder);
  await runTopology(builder.build(), records, after, options);
}

async function runTopology(
  topology: Topology,
  records: Parameters<typeof produce>[2],
  after: (streams: SteppedStreams) => Promise<unknown> = async () => undefined,
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
  await streams.close();
}

const output = async (): Promise<string[]> =>
  (await readAll(log, 'out')).map(({ key, value }) => `${key} ${value}`);

const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`);
const records = (timestamp = 1): { key: string; value: string; timestamp: number }[] =>
  KEYS.map((key) => ({ key, value: 'x', timestamp }));
const all = (text: string): string[] => KEYS.map((key) => `${key} ${text}`);

/** What a program does that trusts no text: whatever goes wrong, it begins at 0. */
function countOf(text: () => string | null): number {
  try {
    return JSON.parse(text() ?? '0') as number;
  } catch {
    return 0;
  }
}

test('a processor that catches everything reads what is there', async () => {
  const counting = (builder: StreamsBuilder): void => {
    builder.addStateStore({ name: 'rows', kind: 'key-value' });
    builder
      .stream<string, string>('in')
      .process<string, string>(
        () => {
          let context: UserProcessorContext<string, string>;
          return {
            init: (each) => void (context = each),
            process({ key }) {
              const rows = context.getStateStore<Texts>('rows');
              const count = String(countOf(() => rows.get(key)) + 1);
              rows.put(key, count);
              context.forward({ key, value: count });
            },
          };
        },
        { stores: ['rows'] },
      )
      .to('out');
  };
  for (let round = 1; round <= 3; round++) await run(counting, records());
  expect(await output()).toEqual([...all('1'), ...all('2'), ...all('3')]);
});

test('so does a transformer of a table', async () => {
  const counting = (builder: StreamsBuilder): void => {
    builder.addStateStore({ name: 'rows', kind: 'key-value' });
    builder
      .table<string, string>('in')
      .transformValues<string>(
        () => {
          let context: UserContext;
          return {
            init: (each) => void (context = each),
            transform(_value, key) {
              const rows = context.getStateStore<Texts>('rows');
              const count = String(countOf(() => rows.get(key)) + 1);
              rows.put(key, count);
              return count;
            },
          };
        },
        { name: 'transformed' },
        { stores: ['rows'] },
      )
      .toStream()
      .to('out');
  };
  for (let round = 1; round <= 2; round++) await run(counting, records());
  expect(await output()).toEqual([...all('1'), ...all('2')]);
});

describe.each(['stream-time', 'wall-clock'] as const)('a %s punctuation', (kind) => {
  test('sees all rows, and those of a range', async () => {
    const seen: string[] = [];
    const listing = (builder: StreamsBuilder): void => {
      builder.addStateStore({ name: 'rows', kind: 'key-value' });
      builder.addStateStore({ name: 'windows', kind: 'window', windowSizeMs: 10 });
      builder.stream<string, string>('in').process<string, string>(
        () => {
          let rows: Texts;
          let windows: WindowStoreView<string, string>;
          return {
            init(context) {
              rows = context.getStateStore('rows');
              windows = context.getStateStore('windows');
              context.schedule(1000, kind, (timestamp) => {
                const count = (read: () => readonly unknown[]): number => {
                  try {
                    return read().length;
                  } catch {
                    return 0;
                  }
                };
                const counts = [
                  count(() => rows.all()),
                  count(() => rows.range('k1', 'k13')),
                  count(() => windows.fetchAll(0, 5)),
                  count(() => windows.fetch('k7', 0, 5)),
                ];
                seen.push(`${timestamp}: ${counts.join(' ')}`);
              });
            },
            process({ key, value, timestamp }) {
              rows.put(key, value);
              windows.put(key, value, timestamp);
            },
          };
        },
        { stores: ['rows', 'windows'] },
      );
    };
    await run(listing, records());
    seen.length = 0;
    const tick = async (streams: SteppedStreams): Promise<void> => {
      clock.advance(1000);
      await streams.punctuate();
    };
    await run(listing, [{ key: 'late', value: 'x', timestamp: 1000 }], tick);
    await run(listing, [{ key: 'later', value: 'x', timestamp: 2000 }], tick);
    const rows = (count: number): string => `${count} 5 20 1`;
    expect(seen).toEqual([`1000: ${rows(21)}`, `2000: ${rows(22)}`]);
  });
});

test('what a record does is done once', async () => {
  const done: string[] = [];
  const doing = (builder: StreamsBuilder): void => {
    builder.addStateStore({ name: 'rows', kind: 'key-value' });
    const input = builder.stream<string, string>('in').peek((key) => done.push(`peek ${key}`));
    input
      .process<string, string>(
        () => {
          let context: UserProcessorContext<string, string>;
          let calls = 0;
          return {
            init: (each) => void (context = each),
            process({ key }) {
              calls++;
              context.schedule(1000, 'wall-clock', () => done.push('tick'));
              context.forward({ key, value: `call ${calls}` });
              const rows = context.getStateStore<Texts>('rows');
              rows.put(key, `${rows.get(key) ?? ''}x`);
              done.push(`${key} ${rows.get(key)}`);
            },
          };
        },
        { stores: ['rows'] },
      )
      .peek((key) => done.push(`after ${key}`))
      .to('out');
    input.foreach((key) => done.push(`each ${key}`));
    // Reads that no prefetch foresees, behind functions that are called for what they do.
    input
      .selectKey((key) => `${key}'`)
      .peek((key) => done.push(`before ${key}`))
      .toTable({ name: 'latest' });
  };
  const two = [
    { key: 'a', value: '1' },
    { key: 'b', value: '1' },
  ];
  await run(doing, two);
  done.length = 0;
  await run(doing, two, async (streams) => {
    clock.advance(1000);
    await streams.punctuate();
    expect(done.filter((each) => each === 'tick')).toHaveLength(2);
  });
  const ofRecords = done.filter((each) => each !== 'tick');
  expect(ofRecords.toSorted()).toEqual(
    [
      'peek a',
      'after a',
      'a xx',
      'each a',
      "before a'",
      'peek b',
      'after b',
      'b xx',
      'each b',
      "before b'",
    ].toSorted(),
  );
  expect((await output()).slice(2)).toEqual(['a call 1', 'b call 2']);
});

test('a processor may read its store in init and in close', async () => {
  const seen: (string | null)[] = [];
  const reading = (builder: StreamsBuilder): void => {
    builder.addStateStore({ name: 'rows', kind: 'key-value' });
    builder.stream<string, string>('in').process<string, string>(
      () => {
        let rows: Texts;
        return {
          init(context) {
            rows = context.getStateStore('rows');
            seen.push(rows.get('k1'));
          },
          process: ({ key, value }) => rows.put(key, value),
          close: () => void seen.push(rows.get('k2')),
        };
      },
      { stores: ['rows'] },
    );
  };
  await run(reading, records());
  await run(reading, [{ key: 'k3', value: 'y' }]);
  expect(seen).toEqual([null, 'x', 'x', 'x']);
  // The last commit takes out of memory what close reads.
  seen.length = 0;
  rmSync(directory, { recursive: true });
  await run(reading, records(), async () => undefined, { stateBytesMax: 1 });
  expect(seen).toEqual(['x', 'x']);
});

test('state that leaves memory while the program runs', async () => {
  const counting = (builder: StreamsBuilder): void =>
    builder
      .stream<string, string>('in')
      .peek((key) => peeked.push(key))
      .groupBy((key) => key.slice(1))
      .count({ name: 'counts' })
      .toStream()
      .to('out', { valueSerde: Serdes.json<number>() });
  const peeked: string[] = [];
  const rounds = 4;
  const read: unknown[] = [];
  await run(
    counting,
    [],
    async (streams) => {
      for (let round = 0; round < rounds; round++) {
        await produce(log, 'in', records());
        while (!(await streams.caughtUp())) {
          await streams.step();
          await streams.commit();
        }
        await streams.persist();
        read.push(await new StoreQueries(streams).keyValueStore<string, number>('counts').get('7'));
      }
    },
    { stateBytesMax: 1 },
  );
  expect(read).toEqual([1, 2, 3, 4]);
  expect(peeked).toHaveLength(rounds * KEYS.length);
  expect((await output()).toSorted()).toEqual(
    KEYS.flatMap((key) => [1, 2, 3, 4].map((count) => `${key.slice(1)} ${count}`)).toSorted(),
  );
});

test('a miss that an operator of a repeatable topology catches gives no result', async () => {
  const counting = (): Processor => {
    let context: ProcessorContext;
    return {
      init: (each) => void (context = each),
      process(key, _value, _old, timestamp) {
        const rows = context.store('rows') as KeyValueStore;
        const count =
          countOf(() => {
            const slot = rows.find(key.buffer, key.start, key.end);
            return slot < 0 ? null : String(rows.valueAt(slot));
          }) + 1;
        rows.put(key.buffer, key.start, key.end, count, timestamp);
        context.forward(key, String(count), undefined, timestamp);
      },
    };
  };
  const topology = (): Topology =>
    new Topology({ repeatable: true })
      .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
      .addProcessor({ name: 'count', parents: ['read'], open: counting })
      .addSink({ name: 'write', topic: 'out', parents: ['count'], key: null, value: stringSerde })
      .addStore({
        options: { kind: 'key-value', name: 'rows', values: numberValues, changelog: true, persistent: true },
        processors: ['count'],
      });
  for (let round = 1; round <= 2; round++) await runTopology(topology(), records());
  expect(await output()).toEqual([...all('1'), ...all('2')]);
});

test('no handler is asked about an error that an operator makes of a miss', async () => {
  const asked: string[] = [];
  const counting = (): Processor => {
    let context: ProcessorContext;
    return {
      init: (each) => void (context = each),
      process(key, _value, _old, timestamp) {
        const rows = context.store('rows') as KeyValueStore;
        let slot: number;
        try {
          slot = rows.find(key.buffer, key.start, key.end);
        } catch {
          throw new Error('the row cannot be read');
        }
        rows.put(key.buffer, key.start, key.end, slot < 0 ? 1 : 2, timestamp);
      },
    };
  };
  const topology = (): Topology =>
    new Topology({ repeatable: true })
      .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
      .addProcessor({ name: 'count', parents: ['read'], open: counting })
      .addStore({
        options: { kind: 'key-value', name: 'rows', values: numberValues, changelog: true, persistent: true },
        processors: ['count'],
      });
  const processing = ({ detail }: FailedRecord): ErrorVerdict => {
    asked.push(detail);
    return 'continue';
  };
  for (let round = 1; round <= 2; round++)
    await runTopology(
      topology(),
      records(),
      async (streams) => {
        const rows = new StoreQueries(streams).keyValueStore<string, number>('rows', {
          keySerde: stringSerde,
        });
        expect(await rows.get('k7')).toBe(round);
      },
      { handlers: { processing } },
    );
  expect(asked).toEqual([]);
});
