import { expect, test } from 'vitest';
import { ManualClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { KafkaCluster } from '../../../../src/log/kafka/kafka-cluster.ts';
import { KafkaReader } from '../../../../src/log/kafka/kafka-reader.ts';
import type { ProtocolRequest } from '../../../../src/log/kafka/kafkajs-parts.ts';
import type { Fetched, FetchedPartition } from '../../../../src/log/kafka/requests.ts';
import { SlabAppender } from '../../../../src/log/slab-appender.ts';
import type { LogWriter, ReaderOptions } from '../../../../src/log/log.ts';
import { appendRecord } from '../../../harness/append-record.ts';

interface Fetch {
  readonly maxWaitMs: number;
  readonly bytesMin: number;
  answer(...parts: readonly FetchedPartition[]): void;
}

/** A reader of a broker that answers fetches when it is told to. */
function openReader(
  options: ReaderOptions = {},
  clock = new ManualClock(0),
): { reader: KafkaReader; nextFetch: () => Promise<Fetch> } {
  const cluster = new KafkaCluster(() => Promise.reject(new Error('no broker')), 1, clock, silentLogger);
  const fetches: Fetch[] = [];
  const waiting: ((fetch: Fetch) => void)[] = [];
  cluster.refresh = () => Promise.resolve({ brokers: [], controllerId: 1, topics: [] });
  cluster.leaderOf = () => 1;
  cluster.send = <T>(_node: number, request: ProtocolRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      cluster.signal.addEventListener('abort', () => reject(new Error('closed')));
      const body = request.request.encode().buf;
      const fetch: Fetch = {
        // Behind the id of a replica, which clients do not have.
        maxWaitMs: body.readInt32BE(4),
        bytesMin: body.readInt32BE(8),
        answer: (...partitions) => resolve({ code: 0, partitions } satisfies Fetched as T),
      };
      const wanted = waiting.shift();
      if (wanted === undefined) fetches.push(fetch);
      else wanted(fetch);
    });
  const nextFetch = (): Promise<Fetch> => {
    const fetch = fetches.shift();
    return fetch === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(fetch);
  };
  return { reader: new KafkaReader(cluster, options, () => undefined), nextFetch };
}

function nothingOf(partition: number, offset = 0): FetchedPartition {
  return {
    topic: 't',
    partition,
    code: 0,
    highWatermark: offset,
    lastStableOffset: offset,
    aborted: [],
    buffer: Buffer.alloc(0),
    start: 0,
    end: 0,
  };
}

function recordOf(partition: number, value = 'v'): FetchedPartition {
  const at = { topic: 't', partition };
  const appender = new SlabAppender(at);
  appendRecord({ appender: () => appender } as unknown as LogWriter, at, { value, timestamp: 0 });
  const buffer = appender.take()[0]!.bytes;
  return { ...nothingOf(partition, 1), buffer, end: buffer.length };
}

test('a fetch waits longer where nothing comes, and never while a partition is left out of it', async () => {
  const { reader, nextFetch } = openReader();
  reader.assign({ topic: 't', partition: 0, offset: 0 });
  const answered = async (...parts: readonly FetchedPartition[]): Promise<number> => {
    const fetch = await nextFetch();
    fetch.answer(...parts);
    return fetch.maxWaitMs;
  };
  expect(await answered(nothingOf(0))).toBe(200);
  expect(await answered(nothingOf(0))).toBe(500);
  expect(await answered(recordOf(0))).toBe(500);
  expect(await answered(nothingOf(0))).toBe(10);
  const idle = await nextFetch();
  expect(idle.maxWaitMs).toBe(500);
  // Another one comes, and rests: it is to be in the next fetch as soon as it goes on.
  reader.assign({ topic: 't', partition: 1, offset: 0 });
  reader.pause({ topic: 't', partition: 1 });
  idle.answer(nothingOf(0));
  expect(await answered(nothingOf(0))).toBe(200);
  reader.resume({ topic: 't', partition: 1 });
  await answered(nothingOf(0));
  expect(await answered(nothingOf(0), nothingOf(1))).toBe(500);
  await reader.close();
});

test('what follows a few records is gathered, and not what comes after a silence or lies there already', async () => {
  const clock = new ManualClock(3);
  const { reader, nextFetch } = openReader({}, clock);
  reader.assign({ topic: 't', partition: 0, offset: 0 });
  const answered = async (part: FetchedPartition): Promise<object> => {
    const fetch = await nextFetch();
    fetch.answer(part);
    return { waits: fetch.maxWaitMs, for: fetch.bytesMin };
  };
  expect(await answered(recordOf(0))).toEqual({ waits: 200, for: 1 });
  // All readers of the process wait until the same times: 10, 20, 30, and for no less than half of it.
  expect(await answered(nothingOf(0, 1))).toEqual({ waits: 7, for: 65536 });
  expect(await answered(nothingOf(0, 1))).toEqual({ waits: 500, for: 1 });
  clock.advance(5);
  reader.assign({ topic: 't', partition: 0, offset: 0 });
  expect(await answered(recordOf(0))).toEqual({ waits: 500, for: 1 });
  reader.assign({ topic: 't', partition: 0, offset: 0 });
  expect(await answered({ ...recordOf(0), lastStableOffset: 7 })).toEqual({ waits: 12, for: 65536 });
  reader.assign({ topic: 't', partition: 0, offset: 0 });
  expect(await answered(recordOf(0, 'v'.repeat(65536)))).toEqual({ waits: 200, for: 1 });
  expect(await answered(nothingOf(0, 1))).toEqual({ waits: 200, for: 1 });
  await reader.close();
});

test('a reader that is told to gathers nothing', async () => {
  const { reader, nextFetch } = openReader({ gatherMs: 0 });
  reader.assign({ topic: 't', partition: 0, offset: 0 });
  (await nextFetch()).answer(recordOf(0));
  expect(await nextFetch()).toMatchObject({ maxWaitMs: 200, bytesMin: 1 });
  await reader.close();
});
