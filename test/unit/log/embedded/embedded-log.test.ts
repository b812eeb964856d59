import { describe, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import {
  describeLogContract,
  kindOfRejection,
  readRecords,
  recordsOfBatches,
} from '../../../harness/log-contract.ts';

describeLogContract('in memory', async () => {
  const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  return { log, close: () => log.close() };
});

describe('the embedded log', () => {
  test('commits to many partitions at once: a reader sees all of a commit or nothing', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    await log.admin.createTopic({ name: 't', partitions: 8 });
    const writer = await log.openWriter({ group: 'g' });
    const reader = log.openReader();
    for (let partition = 0; partition < 8; partition++) reader.assign({ topic: 't', partition, offset: 0 });
    for (let round = 0; round < 50; round++) {
      const polled = reader.poll(10_000);
      for (let partition = 0; partition < 8; partition++)
        appendRecord(writer, { topic: 't', partition }, { value: `${round}` });
      await writer.commit([{ topic: 't', partition: 0, offset: round, metadata: '' }]);
      const found = recordsOfBatches(await polled);
      expect(found.map(({ value }) => String(value))).toEqual(Array(8).fill(`${round}`));
    }
    await log.close();
  });

  test('a commit of which one part is impossible stores nothing', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    await log.admin.createTopic({ name: 't', partitions: 1 });
    const writer = await log.openWriter({ group: 'g' });
    appendRecord(writer, { topic: 't', partition: 0 }, { value: 'a' });
    appendRecord(writer, { topic: 't', partition: 1 }, { value: 'b' });
    const kind = await kindOfRejection(
      writer.commit([{ topic: 't', partition: 0, offset: 1, metadata: '' }]),
    );
    expect(kind).toBe('unknown-topic');
    expect(await log.admin.offsets('t')).toEqual([{ start: 0, end: 0 }]);
    expect(await log.admin.committed('g')).toEqual([]);
    expect(writer.pendingBytes).toBe(0);
    await log.close();
  });

  test('hands the stored bytes over without a copy', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    await log.admin.createTopic({ name: 't', partitions: 1 });
    const writer = await log.openWriter();
    appendRecord(writer, { topic: 't', partition: 0 }, { value: 'a' });
    await writer.flush();
    const readers = [log.openReader(), log.openReader()];
    const buffers = [];
    for (const reader of readers) {
      reader.assign({ topic: 't', partition: 0, offset: 0 });
      buffers.push((await reader.poll(0))[0]!.buffer);
    }
    expect(buffers[0]!.buffer).toBe(buffers[1]!.buffer);
    expect(buffers[0]!.byteOffset).toBe(buffers[1]!.byteOffset);
    await log.close();
  });

  test('serves every partition in turn when not all fit', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    await log.admin.createTopic({ name: 't', partitions: 3 });
    const writer = await log.openWriter();
    const reader = log.openReader({ bufferBytesMax: 1 });
    for (let partition = 0; partition < 3; partition++) {
      reader.assign({ topic: 't', partition, offset: 0 });
      for (let i = 0; i < 4; i++) {
        appendRecord(writer, { topic: 't', partition }, { value: 'x' });
        await writer.flush();
      }
    }
    for (let round = 1; round <= 4; round++) {
      for (let i = 0; i < 3; i++) expect(await reader.poll(0)).toHaveLength(1);
      expect([0, 1, 2].map((partition) => reader.position({ topic: 't', partition }))).toEqual(
        Array(3).fill(round),
      );
    }
    await log.close();
  });

  test('retention.bytes bounds a partition, and the default bounds one without', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger, retentionBytes: 300_000 });
    await log.admin.createTopic({ name: 'own', partitions: 1, configs: { 'retention.bytes': '100000' } });
    await log.admin.createTopic({ name: 'default', partitions: 1 });
    await log.admin.createTopic({ name: 'endless', partitions: 1, configs: { 'retention.bytes': '-1' } });
    const starts: number[] = [];
    for (const topic of ['own', 'default', 'endless']) {
      const writer = await log.openWriter();
      for (let i = 0; i < 100; i++) {
        appendRecord(writer, { topic, partition: 0 }, { value: Buffer.alloc(10_000) });
        await writer.flush();
      }
      const [offsets] = await log.admin.offsets(topic);
      expect(offsets!.end).toBe(100);
      starts.push(offsets!.start);
      const reader = log.openReader();
      reader.assign({ topic, partition: 0, offset: offsets!.start });
      await readRecords(reader, 100 - offsets!.start);
    }
    // At least the bytes asked for are kept, and at most a batch more.
    expect(starts).toEqual([90, 70, 0]);
    await log.close();
  });

  test('retention.ms drops what is too old, also while nothing is written', async () => {
    const clock = new ManualClock(1_000_000);
    const log = await openEmbeddedLog({ clock, logger: silentLogger, retentionCheckMs: 1000 });
    await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'retention.ms': '60000' } });
    const writer = await log.openWriter();
    const write = async (timestamp: number): Promise<void> => {
      appendRecord(writer, { topic: 't', partition: 0 }, { timestamp });
      await writer.flush();
    };
    // An old event that arrives now is as young as its arrival.
    await write(0);
    clock.advance(30_000);
    await write(1_000_000);
    await write(1_100_000);
    expect(await log.admin.offsets('t')).toEqual([{ start: 0, end: 3 }]);
    clock.advance(40_000);
    expect(await log.admin.offsets('t')).toEqual([{ start: 1, end: 3 }]);
    clock.advance(30_000);
    expect(await log.admin.offsets('t')).toEqual([{ start: 2, end: 3 }]);
    clock.advance(70_000);
    expect(await log.admin.offsets('t')).toEqual([{ start: 3, end: 3 }]);
    await log.close();
  });

  test('a setting that cannot be read is refused', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    const topic = { name: 't', partitions: 1, configs: { 'retention.ms': 'soon' } };
    expect(await kindOfRejection(log.admin.createTopic(topic))).toBe('invalid-topic');
    expect(await log.admin.listTopics()).toEqual([]);
    await log.close();
  });

  test('a reader of a topic that is deleted is told so while it waits', async () => {
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
    await log.admin.createTopic({ name: 't', partitions: 1 });
    const reader = log.openReader();
    reader.assign({ topic: 't', partition: 0, offset: 0 });
    await reader.poll(0);
    const waiting = kindOfRejection(reader.poll(600_000));
    await log.admin.deleteTopic('t');
    expect(await waiting).toBe('unknown-topic');
    await log.close();
  });

  test('a poll waits as long as the clock says', async () => {
    const clock = new ManualClock();
    const log = await openEmbeddedLog({ clock, logger: silentLogger });
    await log.admin.createTopic({ name: 't', partitions: 1 });
    const reader = log.openReader();
    reader.assign({ topic: 't', partition: 0, offset: 0 });
    let done = false;
    const waiting = reader.poll(100).then((batches) => {
      done = true;
      return batches;
    });
    await reader.poll(0).catch(() => {});
    await log.openReader().poll(0);
    clock.advance(99);
    await log.openReader().poll(0);
    expect(done).toBe(false);
    clock.advance(1);
    expect(await waiting).toEqual([]);
    await log.close();
  });
});
