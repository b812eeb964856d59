import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { type Log, LogError, type LogErrorKind, type LogWriter } from '../../../../src/log/log.ts';
import type { StreamsOptions } from '../../../../src/streams/instance/streams-options.ts';
import type { SteppedStreams } from '../../../../src/streams/application/stepped-streams.ts';
import type {
  PersistedNumber,
  Processor,
  ProcessorContext,
} from '../../../../src/streams/topology/processor.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';
import { addCount } from '../../../harness/add-count.ts';
import { produce, readAll } from '../../../harness/log-records.ts';
import { closeStreams, createStreams } from '../../../harness/open-streams.ts';
import { until, untilAsync } from '../../../harness/until.ts';

let log: Log;
/** What the next commits fail with. */
let failures: LogErrorKind[];
/** Writers that are open. */
let writers: number;
/** Whether the log says so of flushes. */
let hidden: boolean;
let streams: SteppedStreams;

beforeEach(async () => {
  failures = [];
  writers = 0;
  hidden = false;
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  for (const name of ['in', 'out']) await log.admin.createTopic({ name, partitions: 1 });
});

afterEach(async () => {
  await closeStreams();
  await log.close();
});

/** Numbers its records, across restarts. */
function numbering(): Processor {
  let context: ProcessorContext;
  let count: PersistedNumber;
  return {
    init(given) {
      context = given;
      count = given.persisted('count', 0);
    },
    process: (key, _value, _old, timestamp) => context.forward(key, String(++count.value), null, timestamp),
  };
}

const topology = (): Topology =>
  addCount(
    new Topology()
      .addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde })
      .addProcessor({ name: 'number', parents: ['read'], open: numbering })
      .addSink({ name: 'write', topic: 'out', parents: ['number'], key: null, value: stringSerde }),
  );

const disturbed = (): Log => ({
  admin: log.admin,
  openReader: (options) => log.openReader(options),
  close: () => log.close(),
  async openWriter(options) {
    const writer = await log.openWriter(options);
    writers++;
    const wrapped: LogWriter = {
      appender: (at) => writer.appender(at),
      get pendingBytes() {
        return writer.pendingBytes;
      },
      get unsentBytes() {
        return writer.unsentBytes;
      },
      atomicCommit: writer.atomicCommit,
      flushStaysHidden: hidden,
      lingerMs: 5,
      readable: () => writer.readable(),
      flush: () => writer.flush(),
      async commit(offsets) {
        const kind = failures.shift();
        if (kind !== undefined) throw new LogError(kind, `the commit is ${kind}`);
        await writer.commit(offsets);
      },
      endOffset: (at) => writer.endOffset(at),
      isPending: (at) => writer.isPending(at),
      async close() {
        writers--;
        await writer.close();
      },
    };
    return wrapped;
  },
});

async function start(options: Partial<StreamsOptions> = {}, what = topology()): Promise<void> {
  streams = createStreams(what, { log: disturbed(), commitIntervalMs: 1, ...options });
  await streams.start();
}

const put = (value: string): Promise<void> => produce(log, 'in', [{ key: 'a', value }]);
const counts = async (): Promise<(string | null)[]> => (await readAll(log, 'out')).map(({ value }) => value);

test('what is released holds nothing and processes nothing, and goes on where it last committed', async () => {
  await start();
  await put('x');
  await untilAsync(async () => (await counts()).length === 1);
  await streams.release();
  expect(streams.state).toBe('waiting');
  expect({ writers, tasks: streams.tasks.length, stores: streams.stores('counts') }).toEqual({
    writers: 0,
    tasks: 0,
    stores: [],
  });
  await put('y');
  // Asked for twice, paused and resumed: it waits.
  await streams.release();
  streams.pause();
  streams.resume();
  expect(streams.state).toBe('waiting');
  await streams.commit();
  expect(await counts()).toEqual(['1']);
  streams.acquire();
  await untilAsync(async () => (await counts()).length === 2);
  expect(await counts()).toEqual(['1', '2']);
  expect(streams.state).toBe('running');
});

/** Without output nothing is committed before its time. */
const silent = (): Topology =>
  addCount(new Topology().addSource({ name: 'read', topics: ['in'], key: stringSerde, value: stringSerde }));
const committed = async (): Promise<number> => (await log.admin.committed('app'))[0]!.offset;

test('what was processed and not committed is not committed by a release', async () => {
  await start({ commitIntervalMs: 1_000_000 }, silent());
  await put('x');
  await until(() => streams.processedRecords === 1);
  await streams.release();
  expect(await committed()).toBe(0);
  streams.acquire();
  await until(() => streams.processedRecords === 1);
});

test('a pause commits what was done before it', async () => {
  await start({ commitIntervalMs: 1_000_000 }, silent());
  await put('x');
  await until(() => streams.processedRecords === 1);
  expect(await committed()).toBe(0);
  streams.pause();
  await untilAsync(async () => (await committed()) === 1);
});

test('it is closed while it waits, and cleaned up only then', async () => {
  await start();
  await streams.release();
  await expect(streams.cleanUp()).rejects.toThrow('the application app runs');
  await streams.close();
  expect(streams.state).toBe('stopped');
  await streams.cleanUp();
});

test('a transaction that was undone is done again at once, whatever the policy is', async () => {
  await start({ onUncaughtError: 'stop', restartMinMs: 1_000_000_000 });
  failures = ['transaction-aborted'];
  await put('x');
  await untilAsync(async () => (await counts()).length === 1);
  expect(streams.state).toBe('running');
});

test('one in whose place another has come stops, also where errors are to replace it', async () => {
  await start({ onUncaughtError: 'replace', restartMinMs: 0 });
  failures = ['fenced'];
  await put('x');
  await until(() => streams.state === 'error');
  expect(streams.error).toMatchObject({ kind: 'fenced' });
});

test('or it waits and asks, and goes on when it is told to', async () => {
  const asked: unknown[] = [];
  await start({ onFenced: (error) => asked.push(error) });
  failures = ['fenced'];
  await put('x');
  await until(() => asked.length === 1);
  expect(streams.state).toBe('waiting');
  await until(() => writers === 0);
  streams.acquire();
  await untilAsync(async () => (await counts()).length === 1);
  expect(asked).toHaveLength(1);
});

test('what was read is settled when it is committed, or told to be undone', async () => {
  hidden = true;
  await start({ commitIntervalMs: 1_000_000 }, silent());
  // Nothing is waiting, and nothing is waited for.
  await streams.settled();
  await put('x');
  await until(() => streams.processedRecords === 1);
  expect(await committed()).toBe(0);
  await streams.settled();
  expect(await committed()).toBe(1);
  await put('y');
  await until(() => streams.processedRecords === 2);
  failures = ['transaction-aborted'];
  await expect(streams.settled()).rejects.toMatchObject({ kind: 'transaction-aborted' });
  await until(() => streams.processedRecords === 1);
  const reading = streams.settled();
  reading.catch(() => undefined);
  await streams.release();
  await expect(reading).rejects.toMatchObject({ kind: 'transaction-aborted' });
  await expect(streams.settled()).rejects.toMatchObject({ kind: 'transaction-aborted' });
});
