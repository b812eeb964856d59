import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogError } from '../../src/log/log.ts';
import type { Log, LogReader, NewTopic } from '../../src/log/log.ts';
import { readHeaders } from '../../src/log/record-batch-codec.ts';
import type { Header, RecordBatch } from '../../src/log/record-batch.ts';
import { appendRecord } from './append-record.ts';
import type { TestRecord } from './append-record.ts';

/** A record as it was read. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
}

/** Long enough for a broker on a busy machine. Nobody waits for it unless something is broken. */
const PATIENCE_POLLS = 60;

/** The records of batches, those before `first` left out, as copies. */
export function recordsOfBatches(batches: readonly RecordBatch[]): ReadRecord[] {
  const found: ReadRecord[] = [];
  for (const batch of batches) {
    const part = (start: number, end: number): Buffer | null =>
      start < 0 ? null : Buffer.from(batch.buffer.subarray(start, end));
    for (let i = batch.first; i < batch.count; i++)
      found.push({
        topic: batch.topic,
        partition: batch.partition,
        offset: batch.offsets[i]!,
        timestamp: batch.timestamps[i]!,
        key: part(batch.keyStart[i]!, batch.keyEnd[i]!),
        value: part(batch.valueStart[i]!, batch.valueEnd[i]!),
        headers: readHeaders(batch, i).map(({ key, value }) => ({
          key,
          value: value === null ? null : Buffer.from(value),
        })),
      });
  }
  return found;
}

/** Polls until `count` records have come. Fails when they do not. */
export async function readRecords(reader: LogReader, count: number): Promise<ReadRecord[]> {
  const found: ReadRecord[] = [];
  for (let polls = 0; found.length < count; polls++) {
    if (polls > PATIENCE_POLLS + count) throw new Error(`only ${found.length} of ${count} records came`);
    found.push(...recordsOfBatches(await reader.poll(500)));
  }
  return found;
}

export async function kindOfRejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof LogError ? error.kind : `not a LogError: ${String(error)}`;
  }
  return 'it did not reject';
}

/** Polls until the reader rejects; the kind of the error. */
async function kindOfPoll(reader: LogReader): Promise<string> {
  for (let polls = 0; polls < PATIENCE_POLLS; polls++) {
    const kind = await kindOfRejection(reader.poll(500));
    if (kind !== 'it did not reject') return kind;
  }
  return 'it did not reject';
}

let topicsMade = 0;

/**
 * What every body of `Log` must do, tried through the interface alone. `openLog` opens one that may hold other
 * topics and groups already: tests use names of their own.
 */
export function describeLogContract(
  name: string,
  openLog: () => Promise<{ readonly log: Log; close(): Promise<void> }>,
): void {
  describe(`${name}: contract of the log`, () => {
    let opened: { readonly log: Log; close(): Promise<void> };
    let log: Log;

    beforeEach(async () => {
      opened = await openLog();
      log = opened.log;
    });
    afterEach(async () => {
      await opened.close();
    });

    const freshName = (): string => `contract-${process.pid}-${topicsMade++}`;
    const freshTopic = async (partitions = 1, configs?: NewTopic['configs']): Promise<string> => {
      const topic = freshName();
      const created = await log.admin.createTopic({ name: topic, partitions, ...(configs && { configs }) });
      expect(created).toBe(true);
      return topic;
    };
    const write = async (topic: string, records: readonly TestRecord[], partition = 0): Promise<void> => {
      const writer = await log.openWriter();
      for (const record of records) appendRecord(writer, { topic, partition }, record);
      await writer.flush();
      await writer.close();
    };
    const readFrom = (topic: string, offset = 0, partition = 0): LogReader => {
      const reader = log.openReader();
      reader.assign({ topic, partition, offset });
      return reader;
    };
    const texts = (count: number, from = 0): TestRecord[] =>
      Array.from({ length: count }, (_, i) => ({ key: `k${from + i}`, value: `v${from + i}` }));
    const valuesOf = (records: readonly ReadRecord[]): string[] => records.map(({ value }) => String(value));

    describe('records', () => {
      test('come back as they went in: nulls, empty parts, headers in order with duplicates and nulls', async () => {
        const topic = await freshTopic();
        const written: TestRecord[] = [
          { key: 'a', value: '1', timestamp: 1 },
          { key: null, value: 'no key', timestamp: 1_700_000_000_123 },
          { key: 'tombstone', value: null, timestamp: 5 },
          { key: '', value: '', timestamp: 0 },
          { key: null, value: null, timestamp: 2_000_000_000_000 },
          { key: Buffer.alloc(4), value: Buffer.from([0xff, 0xfe, 0]), timestamp: 3 },
          {
            key: 'h',
            value: 'h',
            timestamp: 4,
            headers: [
              { key: 'z', value: Buffer.from('1') },
              { key: '2', value: null },
              { key: 'z', value: Buffer.alloc(0) },
              { key: '1', value: Buffer.from('ünï') },
              { key: 'ключ', value: Buffer.from([0]) },
              { key: '', value: null },
            ],
          },
        ];
        await write(topic, written);
        const found = await readRecords(readFrom(topic), written.length);
        expect(found).toEqual(
          written.map(({ key, value, timestamp, headers }, offset) => ({
            topic,
            partition: 0,
            offset,
            timestamp,
            key: typeof key === 'string' ? Buffer.from(key) : (key ?? null),
            value: typeof value === 'string' ? Buffer.from(value) : (value ?? null),
            headers: headers ?? [],
          })),
        );
      });

      test('200,000 of them arrive once each and in order', async () => {
        const topic = await freshTopic();
        const writer = await log.openWriter();
        const appender = writer.appender({ topic, partition: 0 });
        const bytes = Buffer.alloc(100, 'x');
        for (let i = 0; i < 200_000; i++) {
          bytes.writeUInt32BE(i, 0);
          appender.append(i, bytes, 0, 4, bytes, 0, 100, null);
        }
        expect(appender.pendingRecords).toBe(200_000);
        expect(writer.pendingBytes).toBeGreaterThan(20_000_000);
        expect(writer.isPending({ topic, partition: 0 })).toBe(true);
        await writer.flush();
        expect(writer.pendingBytes).toBe(0);
        expect(writer.isPending({ topic, partition: 0 })).toBe(false);
        expect(writer.endOffset({ topic, partition: 0 })).toBe(200_000);
        const reader = readFrom(topic);
        let next = 0;
        while (next < 200_000) {
          for (const batch of await reader.poll(500)) {
            for (let i = batch.first; i < batch.count; i++, next++) {
              if (batch.offsets[i] !== next || batch.timestamps[i] !== next)
                expect([batch.offsets[i], batch.timestamps[i]]).toEqual([next, next]);
              if (batch.buffer.readUInt32BE(batch.valueStart[i]!) !== next)
                expect(batch.buffer.readUInt32BE(batch.valueStart[i]!)).toBe(next);
            }
          }
        }
        expect(next).toBe(200_000);
        expect(reader.position({ topic, partition: 0 })).toBe(200_000);
      });

      test('go to the partition they were appended to', async () => {
        const topic = await freshTopic(12);
        const writer = await log.openWriter();
        for (let i = 0; i < 120; i++) appendRecord(writer, { topic, partition: i % 12 }, { value: `${i}` });
        await writer.flush();
        const reader = log.openReader();
        for (let partition = 0; partition < 12; partition++) reader.assign({ topic, partition, offset: 0 });
        const found = await readRecords(reader, 120);
        for (let partition = 0; partition < 12; partition++) {
          const expected = Array.from({ length: 10 }, (_, n) => `${n * 12 + partition}`);
          expect(valuesOf(found.filter((record) => record.partition === partition))).toEqual(expected);
        }
        expect((await log.admin.offsets(topic)).map(({ end }) => end)).toEqual(Array(12).fill(10));
      });

      test('are gzipped when asked, and read the same', async () => {
        const topic = await freshTopic();
        const writer = await log.openWriter({ compression: 'gzip' });
        for (const record of texts(1000)) appendRecord(writer, { topic, partition: 0 }, record);
        await writer.flush();
        let sizeBytes = 0;
        const found: ReadRecord[] = [];
        const reader = readFrom(topic, 10);
        while (found.length < 990)
          for (const batch of await reader.poll(500)) {
            sizeBytes += batch.sizeBytes;
            found.push(...recordsOfBatches([batch]));
          }
        expect(valuesOf(found)).toEqual(valuesOf(found).map((_, i) => `v${i + 10}`));
        expect(sizeBytes).toBeLessThan(10_000);
      });

      test('that are too large are refused and leave the rest alone', async () => {
        const topic = await freshTopic();
        const writer = await log.openWriter();
        const at = { topic, partition: 0 };
        appendRecord(writer, at, { value: 'a' });
        const kind = await kindOfRejection(
          (async () => appendRecord(writer, at, { value: Buffer.alloc(3_000_000) }))(),
        );
        expect(kind).toBe('record-too-large');
        appendRecord(writer, at, { value: 'b' });
        await writer.flush();
        expect(valuesOf(await readRecords(readFrom(topic), 2))).toEqual(['a', 'b']);
      });
    });

    describe('writers', () => {
      test('have one appender for a partition', async () => {
        const topic = await freshTopic();
        const writer = await log.openWriter();
        expect(writer.appender({ topic, partition: 0 })).toBe(writer.appender({ topic, partition: 0 }));
      });

      test('know where they are: nothing, gathered, acknowledged', async () => {
        const topic = await freshTopic();
        const at = { topic, partition: 0 };
        const writer = await log.openWriter();
        await writer.flush();
        expect([writer.pendingBytes, writer.endOffset(at)]).toEqual([0, -1]);
        for (const record of texts(3)) appendRecord(writer, at, record);
        expect(writer.pendingBytes).toBeGreaterThan(0);
        expect(writer.appender(at).pendingRecords).toBe(3);
        expect(writer.endOffset(at)).toBe(-1);
        const flushed = writer.flush();
        expect(writer.appender(at).pendingRecords).toBe(0);
        await flushed;
        expect([writer.pendingBytes, writer.endOffset(at)]).toEqual([0, 3]);
      });

      test('keep what is appended during a flush for the next one', async () => {
        const topic = await freshTopic();
        const at = { topic, partition: 0 };
        const writer = await log.openWriter();
        const flushes = [];
        for (let i = 0; i < 20; i++) {
          appendRecord(writer, at, { value: `${i}` });
          flushes.push(writer.flush());
        }
        appendRecord(writer, at, { value: 'last' });
        await Promise.all(flushes);
        expect(writer.appender(at).pendingRecords).toBe(1);
        await writer.flush();
        expect(valuesOf(await readRecords(readFrom(topic), 21))).toEqual([
          ...Array.from({ length: 20 }, (_, i) => `${i}`),
          'last',
        ]);
      });

      test('forget what was rolled back', async () => {
        const topic = await freshTopic();
        const at = { topic, partition: 0 };
        const writer = await log.openWriter();
        const appender = writer.appender(at);
        appendRecord(writer, at, { value: 'a' });
        const mark = appender.mark();
        appender.rollback(mark);
        for (let i = 0; i < 3000; i++) appendRecord(writer, at, { value: Buffer.alloc(1000) });
        appender.rollback(mark);
        expect(appender.pendingRecords).toBe(1);
        appendRecord(writer, at, { value: 'b' });
        await writer.flush();
        expect(writer.endOffset(at)).toBe(2);
        expect(valuesOf(await readRecords(readFrom(topic), 2))).toEqual(['a', 'b']);
      });

      test('commit output and offsets', async () => {
        const topic = await freshTopic(2);
        const group = freshName();
        const writer = await log.openWriter({ group });
        appendRecord(writer, { topic, partition: 0 }, { value: 'out' });
        await writer.commit([{ topic, partition: 1, offset: 17, metadata: 'fünf' }]);
        expect(await log.admin.committed(group)).toEqual([
          { topic, partition: 1, offset: 17, metadata: 'fünf' },
        ]);
        expect(valuesOf(await readRecords(readFrom(topic), 1))).toEqual(['out']);
        await writer.commit([
          { topic, partition: 0, offset: 3, metadata: '' },
          { topic, partition: 1, offset: 18, metadata: '' },
        ]);
        expect(await log.admin.committed(group, [])).toEqual([]);
        const named = await log.admin.committed(group, [
          { topic, partition: 1 },
          { topic, partition: 99 },
        ]);
        expect(named.map(({ partition }) => partition)).toEqual([1]);
        const committed = [...(await log.admin.committed(group))].sort((a, b) => a.partition - b.partition);
        expect(committed.map(({ offset }) => offset)).toEqual([3, 18]);
        await writer.close();
      });

      test('reject when the topic does not exist', async () => {
        const writer = await log.openWriter();
        const kind = await kindOfRejection(
          (async () => {
            appendRecord(writer, { topic: freshName(), partition: 0 }, { value: 'a' });
            await writer.flush();
          })(),
        );
        expect(kind).toBe('unknown-topic');
      });

      test('reject when they are closed', async () => {
        const topic = await freshTopic();
        const writer = await log.openWriter();
        appendRecord(writer, { topic, partition: 0 }, { value: 'a' });
        await writer.close();
        expect(await kindOfRejection(writer.flush())).toBe('closed');
      });
    });

    describe('readers', () => {
      test('begin where they are told, in the middle of a batch too', async () => {
        const topic = await freshTopic();
        await write(topic, texts(10));
        await write(topic, texts(10, 10));
        for (const offset of [0, 1, 9, 10, 13, 19]) {
          const found = await readRecords(readFrom(topic, offset), 20 - offset);
          expect(found.map((record) => record.offset)).toEqual(
            Array.from({ length: 20 - offset }, (_, i) => offset + i),
          );
        }
      });

      test('jump when they are assigned again, and know position and end', async () => {
        const topic = await freshTopic();
        const at = { topic, partition: 0 };
        await write(topic, texts(10));
        const reader = readFrom(topic);
        expect(reader.position(at)).toBe(0);
        await readRecords(reader, 10);
        expect([reader.position(at), reader.endOffset(at)]).toEqual([10, 10]);
        reader.assign({ ...at, offset: 4 });
        expect(reader.position(at)).toBe(4);
        expect(valuesOf(await readRecords(reader, 6))).toEqual(['v4', 'v5', 'v6', 'v7', 'v8', 'v9']);
        reader.assign({ ...at, offset: 10 });
        await write(topic, texts(1, 10));
        expect(valuesOf(await readRecords(reader, 1))).toEqual(['v10']);
        expect([reader.position(at), reader.endOffset(at)]).toEqual([11, 11]);
      });

      test('wait for records and wake when they come', async () => {
        const topic = await freshTopic();
        const reader = readFrom(topic);
        expect(await reader.poll(0)).toEqual([]);
        expect(await reader.poll(20)).toEqual([]);
        const reading = readRecords(reader, 2);
        await write(topic, texts(1));
        await write(topic, texts(1, 1));
        expect(valuesOf(await reading)).toEqual(['v0', 'v1']);
      });

      test('do not return a paused partition until it is resumed', async () => {
        const topic = await freshTopic(2);
        await write(topic, texts(5), 0);
        await write(topic, texts(5, 5), 1);
        const reader = log.openReader();
        reader.assign({ topic, partition: 0, offset: 0 });
        reader.assign({ topic, partition: 1, offset: 2 });
        reader.pause({ topic, partition: 0 });
        expect(valuesOf(await readRecords(reader, 3))).toEqual(['v7', 'v8', 'v9']);
        expect(await reader.poll(50)).toEqual([]);
        expect(reader.position({ topic, partition: 0 })).toBe(0);
        reader.resume({ topic, partition: 0 });
        expect(valuesOf(await readRecords(reader, 5))).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
      });

      test('that wait for nothing wake when a partition is assigned, or resumed', async () => {
        const topic = await freshTopic();
        await write(topic, texts(2));
        const reader = log.openReader();
        const waiting = reader.poll(600_000);
        await log.openReader().poll(0);
        reader.assign({ topic, partition: 0, offset: 1 });
        expect(valuesOf(recordsOfBatches(await waiting))).toEqual(['v1']);
        reader.pause({ topic, partition: 0 });
        await write(topic, texts(1, 2));
        const resumed = reader.poll(600_000);
        await log.openReader().poll(0);
        reader.resume({ topic, partition: 0 });
        expect(valuesOf(recordsOfBatches(await resumed))).toEqual(['v2']);
      });

      test('do not return a partition that was taken away', async () => {
        const topic = await freshTopic(2);
        const reader = log.openReader();
        reader.assign({ topic, partition: 0, offset: 0 });
        reader.assign({ topic, partition: 1, offset: 0 });
        await write(topic, texts(2), 0);
        await readRecords(reader, 2);
        reader.unassign({ topic, partition: 0 });
        await write(topic, texts(2, 2), 0);
        await write(topic, texts(2, 4), 1);
        expect(valuesOf(await readRecords(reader, 2))).toEqual(['v4', 'v5']);
        expect(await reader.poll(50)).toEqual([]);
      });

      test('do not know of each other', async () => {
        const topic = await freshTopic();
        await write(topic, texts(100));
        const one = readFrom(topic);
        const other = readFrom(topic, 50);
        const [all, half] = await Promise.all([readRecords(one, 100), readRecords(other, 50)]);
        expect(all.slice(50)).toEqual(half);
      });

      test('read more than their buffer holds, partition after partition', async () => {
        const topic = await freshTopic(3);
        const writer = await log.openWriter();
        for (let i = 0; i < 900; i++)
          appendRecord(writer, { topic, partition: i % 3 }, { value: Buffer.alloc(10_000, i % 251) });
        await writer.flush();
        const reader = log.openReader({ bufferBytesMax: 1_000_000 });
        for (let partition = 0; partition < 3; partition++) reader.assign({ topic, partition, offset: 0 });
        const found = await readRecords(reader, 900);
        for (let partition = 0; partition < 3; partition++)
          expect(found.filter((r) => r.partition === partition).map((r) => r.offset)).toEqual(
            Array.from({ length: 300 }, (_, i) => i),
          );
      });

      test('reject an offset outside the partition', async () => {
        const topic = await freshTopic();
        await write(topic, texts(3));
        expect(await kindOfPoll(readFrom(topic, 4))).toBe('offset-out-of-range');
        await log.admin.deleteRecords({ topic, partition: 0, offset: 2 });
        expect(await kindOfPoll(readFrom(topic, 1))).toBe('offset-out-of-range');
      });

      test('reject a topic that does not exist', async () => {
        expect(await kindOfPoll(readFrom(freshName()))).toBe('unknown-topic');
      });

      test('that are closed while they wait resolve empty, and reject from then on', async () => {
        const topic = await freshTopic();
        const reader = readFrom(topic);
        const waiting = reader.poll(600_000);
        await log.openReader().poll(0);
        await reader.close();
        expect(await waiting).toEqual([]);
        expect(await kindOfRejection(reader.poll(0))).toBe('closed');
        await reader.close();
      });
    });

    describe('admin', () => {
      test('creates, describes, lists and deletes topics', async () => {
        const topic = await freshTopic(3, { 'cleanup.policy': 'compact' });
        expect(await log.admin.createTopic({ name: topic, partitions: 5 })).toBe(false);
        expect(await log.admin.describeTopic(topic)).toMatchObject({ name: topic, partitions: 3 });
        expect((await log.admin.topicConfigs(topic))['cleanup.policy']).toBe('compact');
        const other = await freshTopic();
        const names = await log.admin.listTopics();
        expect(names).toEqual([...names].sort());
        expect(names).toEqual(expect.arrayContaining([topic, other]));
        expect(await log.admin.deleteTopic(topic)).toBe(true);
        expect(await log.admin.deleteTopic(topic)).toBe(false);
        expect(await log.admin.describeTopic(topic)).toBeUndefined();
        expect(await log.admin.listTopics()).not.toContain(topic);
      });

      test('refuses names that Kafka would refuse', async () => {
        for (const name of ['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250)])
          expect(await kindOfRejection(log.admin.createTopic({ name, partitions: 1 }))).toBe('invalid-topic');
        expect(await kindOfRejection(log.admin.createTopic({ name: freshName(), partitions: 0 }))).toBe(
          'invalid-topic',
        );
      });

      test('says that a topic is unknown', async () => {
        const topic = freshName();
        expect(await log.admin.describeTopic(topic)).toBeUndefined();
        expect(await kindOfRejection(log.admin.offsets(topic))).toBe('unknown-topic');
        expect(await kindOfRejection(log.admin.topicConfigs(topic))).toBe('unknown-topic');
        expect(await kindOfRejection(log.admin.offsetsForTime(topic, 0))).toBe('unknown-topic');
        expect(await kindOfRejection(log.admin.deleteRecords({ topic, partition: 0, offset: 0 }))).toBe(
          'unknown-topic',
        );
      });

      test('a topic created again under its name is empty', async () => {
        const topic = await freshTopic();
        await write(topic, texts(3));
        await log.admin.deleteTopic(topic);
        expect(await log.admin.createTopic({ name: topic, partitions: 2 })).toBe(true);
        expect(await log.admin.offsets(topic)).toEqual([
          { start: 0, end: 0 },
          { start: 0, end: 0 },
        ]);
        await write(topic, texts(1, 7));
        expect(valuesOf(await readRecords(readFrom(topic), 1))).toEqual(['v7']);
      });

      test('finds offsets by time', async () => {
        const topic = await freshTopic(2);
        const stamped = (...times: number[]): TestRecord[] =>
          times.map((timestamp) => ({ value: 'x', timestamp }));
        await write(topic, stamped(100, 200, 150, 300));
        await write(topic, stamped(250, 400));
        const found = async (time: number): Promise<readonly number[]> =>
          log.admin.offsetsForTime(topic, time);
        expect(await found(0)).toEqual([0, 0]);
        expect(await found(101)).toEqual([1, 0]);
        expect(await found(201)).toEqual([3, 0]);
        expect(await found(301)).toEqual([5, 0]);
        expect(await found(400)).toEqual([5, 0]);
        expect(await found(401)).toEqual([6, 0]);
      });

      test('sets and removes committed offsets', async () => {
        const topic = await freshTopic(3);
        const group = freshName();
        expect(await log.admin.committed(group)).toEqual([]);
        await log.admin.alterCommitted(group, [
          { topic, partition: 0, offset: 5 },
          { topic, partition: 2, offset: 7 },
        ]);
        const offsets = async (): Promise<unknown> =>
          [...(await log.admin.committed(group))]
            .map(({ partition, offset }) => [partition, offset])
            .sort((a, b) => a[0]! - b[0]!);
        expect(await offsets()).toEqual([
          [0, 5],
          [2, 7],
        ]);
        await log.admin.alterCommitted(group, [
          { topic, partition: 0, offset: null },
          { topic, partition: 2, offset: 1 },
        ]);
        expect(await offsets()).toEqual([[2, 1]]);
      });

      test('deletes records below an offset', async () => {
        const topic = await freshTopic(2);
        await write(topic, texts(10), 1);
        const at = { topic, partition: 1 };
        await log.admin.deleteRecords({ ...at, offset: 4 });
        expect(await log.admin.offsets(topic)).toEqual([
          { start: 0, end: 0 },
          { start: 4, end: 10 },
        ]);
        await log.admin.deleteRecords({ ...at, offset: 2 });
        expect((await log.admin.offsets(topic))[1]).toEqual({ start: 4, end: 10 });
        expect(valuesOf(await readRecords(readFrom(topic, 4, 1), 6))).toEqual([
          'v4',
          'v5',
          'v6',
          'v7',
          'v8',
          'v9',
        ]);
        expect(await kindOfRejection(log.admin.deleteRecords({ ...at, offset: 11 }))).toBe(
          'offset-out-of-range',
        );
        await log.admin.deleteRecords({ ...at, offset: 10 });
        expect((await log.admin.offsets(topic))[1]).toEqual({ start: 10, end: 10 });
        await write(topic, texts(1, 10), 1);
        expect(valuesOf(await readRecords(readFrom(topic, 10, 1), 1))).toEqual(['v10']);
      });
    });

    test('a closed log ends its waiting readers and rejects', async () => {
      const topic = await freshTopic();
      const reader = readFrom(topic);
      const waiting = reader.poll(600_000);
      await log.close();
      expect(await waiting).toEqual([]);
      expect(await kindOfRejection(log.admin.listTopics())).toBe('closed');
    });
  });
}
