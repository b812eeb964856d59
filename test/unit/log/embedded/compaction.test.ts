import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ManualClock, nextTurn, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { EmbeddedLogOptions } from '../../../../src/log/embedded/embedded-log.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import { recordsOfBatches } from '../../../harness/log-contract.ts';
import type { ReadRecord } from '../../../harness/log-contract.ts';
import type { Log } from '../../../../src/log/log.ts';

const T = { topic: 't', partition: 0 };
let root: string;
let directories = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-compaction-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function open(options: Partial<EmbeddedLogOptions>): Promise<Log> {
  return openEmbeddedLog({ clock: systemClock, logger: silentLogger, ...options });
}

async function readAll(log: Log, from: number): Promise<ReadRecord[]> {
  const end = (await log.admin.offsets('t'))[0]!.end;
  const reader = log.openReader({ bufferBytesMax: 1 });
  reader.assign({ ...T, offset: from });
  const found: ReadRecord[] = [];
  while (reader.position(T) < end) found.push(...recordsOfBatches(await reader.poll(0)));
  await reader.close();
  return found;
}

/** Everything that was begun in the background is done: a commit runs behind it, and compaction takes turns. */
async function settle(log: Log): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await log.admin.createTopic({ name: 'other', partitions: 1 });
    await nextTurn();
  }
}

function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

describe.each([
  ['in memory', false],
  ['in a directory', true],
])('%s', (_, durable) => {
  /** Null for a log in memory; a new directory otherwise. */
  const place = (): Partial<EmbeddedLogOptions> =>
    durable
      ? { directory: join(root, String(directories++)), segmentBytesMax: 4000, cacheBytesMax: 1000 }
      : {};

  test('compaction keeps the last record of each key, in place, from wherever one reads', async () => {
    const operation = fc.record({
      key: fc.option(fc.integer({ min: 0, max: 12 }), { nil: null, freq: 10 }),
      tombstone: fc.boolean(),
      flush: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 30, maxLength: 150 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        fc.constantFrom(200, 1 << 20),
        async (operations, compression, compactionMemoryBytesMax) => {
          const options = { ...place(), compactionBytesMin: 1500, compactionMemoryBytesMax };
          let log = await open(options);
          await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
          const writer = await log.openWriter({ compression });
          const written = operations.map(({ key, tombstone }, offset) => ({
            offset,
            key: key === null ? null : `key ${key}`,
            value: tombstone ? null : `value ${offset} ${'.'.repeat(offset % 90)}`,
          }));
          for (const [i, record] of written.entries()) {
            appendRecord(writer, { topic: 't', partition: 0 }, { ...record, timestamp: i });
            if (!operations[i]!.flush) continue;
            await writer.flush();
            if (i % 4 === 0) await nextTurn();
          }
          await writer.flush();
          await settle(log);
          if (durable) {
            const before = await readAll(log, 0);
            await log.close();
            log = await open(options);
            expect(await readAll(log, 0)).toEqual(before);
          }

          const offsets = (await log.admin.offsets('t'))[0]!;
          expect(offsets).toEqual({ start: 0, end: written.length });
          for (const from of [0, written.length >> 1]) {
            const found = await readAll(log, from);
            const plain = found.map(({ offset, key, value, timestamp }) => {
              expect(timestamp).toBe(offset);
              return { offset, key: key && String(key), value: value && String(value) };
            });
            // What is there is what was written, in order; and no key has lost its last record.
            expect(plain).toEqual(plain.map(({ offset }) => written[offset]));
            const there = new Set(plain.map(({ offset }) => offset));
            const last = new Map(written.map(({ key, offset }) => [key, offset]));
            for (const { key, offset } of written)
              if (offset >= from && (key === null || last.get(key) === offset))
                expect(there).toContain(offset);
          }
          await log.close();
        },
      ),
      { numRuns: durable ? 30 : 60 },
    );
  });

  test('records younger than min.compaction.lag.ms stay, however old the times they bear', async () => {
    const clock = new ManualClock(1_000_000);
    const log = await open({ ...place(), clock, compactionBytesMin: 20_000 });
    const configs = { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '10000' };
    await log.admin.createTopic({ name: 't', partitions: 1, configs });
    const writer = await log.openWriter();
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        appendRecord(writer, T, { key: `${i % 2}`, value: `${i}`.padEnd(100, '.'), timestamp: i });
        if (i % 5 === 4) await writer.flush();
      }
      await writer.flush();
      await settle(log);
    };
    await write(300);
    expect(await readAll(log, 0)).toHaveLength(300);
    clock.advance(10_001);
    await write(500);
    // Of the first 300 two are left, none for a later record of its key.
    const left = await readAll(log, 0);
    expect(left.filter(({ offset }) => offset < 300).map(({ offset }) => offset)).toEqual([298, 299]);
    expect(left).toHaveLength(502);
    await log.close();
  });

  test('a changelog that is written for ever stays as small as its keys', async () => {
    const options = { ...place(), segmentBytesMax: 300_000, compactionBytesMin: 100_000 };
    let log = await open(options);
    await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
    const writer = await log.openWriter();
    for (let i = 0; i < 50_000; i++) {
      appendRecord(
        writer,
        { topic: 't', partition: 0 },
        { key: `${i % 100}`, value: `${i}`.padEnd(80, '.') },
      );
      if (i % 50 !== 49) continue;
      await writer.flush();
      await nextTurn();
    }
    await settle(log);
    if (options.directory !== undefined) {
      expect(bytesIn(options.directory)).toBeLessThan(1_500_000);
      await log.close();
      log = await open(options);
    }
    const found = await readAll(log, 0);
    // 100,000 bytes are 1,000 records or so; 5,000,000 were written.
    expect(found.length).toBeLessThan(2500);
    const last = new Map(found.map(({ key, value }) => [String(key), Number.parseInt(String(value), 10)]));
    expect([...last.values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => 49_900 + i),
    );
    await log.close();
  });

  test('tombstones go a day after they were compacted first, and what they deleted does not come back', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const options = { ...place(), clock, compactionBytesMin: 20_000 };
    let log = await open(options);
    // The first file keeps a record of another topic, so it keeps what was deleted, too.
    await log.admin.createTopic({ name: 'pin', partitions: 1 });
    await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
    const writer = await log.openWriter();
    const write = async (key: string, value: string | null): Promise<void> => {
      appendRecord(writer, T, { key, value, timestamp: 1000 });
      await writer.flush();
    };
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 60; i++) await write('filler', 'x'.repeat(1000));
      await settle(log);
    };
    appendRecord(writer, { topic: 'pin', partition: 0 }, { value: 'p'.repeat(3000) });
    await write('gone', 'here');
    await write('gone', null);
    const keys = async (): Promise<Set<string>> =>
      new Set((await readAll(log, 0)).map(({ key }) => String(key)));
    await fill();
    expect(
      (await readAll(log, 0)).filter(({ key }) => String(key) === 'gone').map(({ value }) => value),
    ).toEqual([null]);
    clock.advance(23 * 3_600_000);
    await fill();
    expect(await keys()).toEqual(new Set(['gone', 'filler']));
    clock.advance(3 * 3_600_000);
    await fill();
    expect(await keys()).toEqual(new Set(['filler']));
    if (durable) {
      await writer.close();
      await log.close();
      log = await open(options);
      expect(await keys()).toEqual(new Set(['filler']));
    }
    expect((await log.admin.offsets('t'))[0]!.start).toBe(0);
    await log.close();
  });
});
