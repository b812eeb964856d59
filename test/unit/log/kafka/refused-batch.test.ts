import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { KafkaCluster } from '../../../../src/log/kafka/kafka-cluster.ts';
import { takeApart } from '../../../../src/log/kafka/refused-batch.ts';
import { LateRefusal, type LogWriter } from '../../../../src/log/log.ts';
import { SlabAppender } from '../../../../src/log/slab-appender.ts';
import type { SealedBatch } from '../../../../src/log/slab-appender.ts';
import { appendRecord } from '../../../harness/append-record.ts';

const MESSAGE_TOO_LARGE = 10;
const UNAUTHORIZED = 29;
const INVALID_TIMESTAMP = 32;
const INVALID_RECORD = 87;
const AT = { topic: 't', partition: 0 };

let clock: ManualClock;
let cluster: KafkaCluster;
/** What DescribeConfigs is answered with, and how often it was asked. */
let answer: { code: number; configs: Record<string, string> };
let asked: number;

beforeEach(() => {
  clock = new ManualClock(1_000_000);
  cluster = new KafkaCluster(() => Promise.reject(new Error('no broker')), 1, clock, silentLogger);
  asked = 0;
  cluster.sendToAny = <T>() => {
    asked++;
    return Promise.resolve({ message: null, ...answer } as T);
  };
  return () => cluster.close();
});

function batchOf(...values: string[]): SealedBatch {
  const appender = new SlabAppender(AT);
  const writer = { appender: () => appender } as unknown as LogWriter;
  for (const value of values) appendRecord(writer, AT, { value, timestamp: 1_000_000 });
  return appender.take()[0]!;
}

const apart = async (batch: SealedBatch, code: number): Promise<string> => {
  try {
    const parts = await takeApart(cluster, batch, AT, code, null);
    return parts.map(({ recordCount }) => recordCount).join(' ');
  } catch (error) {
    return `${error instanceof LateRefusal ? 'late ' : ''}${(error as LateRefusal).kind}`;
  }
};

test('the topic is asked once, and not again for what it has said', async () => {
  answer = { code: 0, configs: { 'max.message.bytes': '600' } };
  const batch = batchOf('a'.repeat(400), 'b'.repeat(400), 'c'.repeat(100));
  expect(await apart(batch, MESSAGE_TOO_LARGE)).toBe('1 2');
  expect(await apart(batch, MESSAGE_TOO_LARGE)).toBe('1 2');
  expect(await apart(batchOf('a', 'b'.repeat(700)), MESSAGE_TOO_LARGE)).toBe('late record-too-large');
  expect(asked).toBe(1);
});

test('a topic of which nothing may be asked is told by what it refuses', async () => {
  answer = { code: UNAUTHORIZED, configs: {} };
  const batch = batchOf('a'.repeat(300), 'b'.repeat(300), 'c'.repeat(300), 'd'.repeat(300));
  expect(await apart(batch, MESSAGE_TOO_LARGE)).toBe('1 1 1 1');
  expect(cluster.limits.of('t', 0)).toMatchObject({ recordBytesMax: Infinity });
  const single = batchOf('x'.repeat(500));
  expect(await apart(single, MESSAGE_TOO_LARGE)).toBe('late record-too-large');
  expect(cluster.limits.of('t', 0)).toMatchObject({ recordBytesMax: single.bytes.length - 1 });
});

test('what the settings do not explain is no fault of a record', async () => {
  answer = { code: 0, configs: { 'max.message.bytes': '600', 'cleanup.policy': 'delete' } };
  expect(await apart(batchOf('a', 'b'), INVALID_RECORD)).toBe('corrupt');
  expect(await apart(batchOf('a', 'b'), INVALID_TIMESTAMP)).toBe('corrupt');
  expect(await apart(batchOf('a'), MESSAGE_TOO_LARGE)).toBe('late record-too-large');
});

test('a key that is missing and a time that is far away are told by the settings, new and old', async () => {
  answer = { code: 0, configs: { 'cleanup.policy': 'compact,delete' } };
  expect(await apart(batchOf('a'), INVALID_RECORD)).toBe('late record-refused');
  for (const name of ['message.timestamp.before.max.ms', 'message.timestamp.difference.max.ms']) {
    answer = {
      code: 0,
      configs: { [name]: '1000', 'message.timestamp.after.max.ms': '9223372036854775807' },
    };
    await cluster.limits.learn(cluster, 't');
    expect(cluster.limits.of('t', 5000)).toMatchObject({ timestampMin: 4000, timestampMax: Infinity });
  }
  clock.advance(5_000);
  expect(await apart(batchOf('a'), INVALID_TIMESTAMP)).toBe('late record-refused');
});

test('a topic that takes more now is believed a minute later', async () => {
  answer = { code: 0, configs: { 'max.message.bytes': '600' } };
  await cluster.limits.learn(cluster, 't');
  cluster.limits.refused('t', 500, 1);
  expect(cluster.limits.of('t', 0)).toMatchObject({ recordBytesMax: 499 });
  answer = { code: 0, configs: { 'max.message.bytes': '5000' } };
  clock.advance(59_999);
  cluster.limits.refresh(cluster, 't');
  expect(asked).toBe(1);
  clock.advance(1);
  cluster.limits.refresh(cluster, 't');
  cluster.limits.refresh(cluster, 't');
  await cluster.limits.learn(cluster, 't');
  expect(asked).toBe(2);
  expect(cluster.limits.of('t', 0)).toMatchObject({ recordBytesMax: 5000, batchBytesMax: 5000 });
});
