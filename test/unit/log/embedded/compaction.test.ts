import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextTurn, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import { recordsOfBatches } from '../../../harness/log-contract.ts';
import type { ReadRecord } from '../../../harness/log-contract.ts';
import type { Log } from '../../../../src/log/log.ts';

async function readAll(log: Log, from: number): Promise<ReadRecord[]> {
  const end = (await log.admin.offsets('t'))[0]!.end;
  const reader = log.openReader({ bufferBytesMax: 1 });
  reader.assign({ topic: 't', partition: 0, offset: from });
  const found: ReadRecord[] = [];
  while (reader.position({ topic: 't', partition: 0 }) < end)
    found.push(...recordsOfBatches(await reader.poll(0)));
  await reader.close();
  return found;
}

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
      async (operations, compression) => {
        const log = await openEmbeddedLog({
          clock: systemClock,
          logger: silentLogger,
          compactionBytesMin: 1500,
        });
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
        for (let i = 0; i < 3; i++) await nextTurn();

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
            if (offset >= from && (key === null || last.get(key) === offset)) expect(there).toContain(offset);
        }
        await log.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('a changelog that is written for ever stays as small as its keys', async () => {
  const log = await openEmbeddedLog({
    clock: systemClock,
    logger: silentLogger,
    compactionBytesMin: 100_000,
  });
  await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
  const writer = await log.openWriter();
  for (let i = 0; i < 50_000; i++) {
    appendRecord(writer, { topic: 't', partition: 0 }, { key: `${i % 100}`, value: `${i}`.padEnd(80, '.') });
    if (i % 50 !== 49) continue;
    await writer.flush();
    await nextTurn();
  }
  const found = await readAll(log, 0);
  // 100,000 bytes are 1,000 records or so; 5,000,000 were written.
  expect(found.length).toBeLessThan(2500);
  const last = new Map(found.map(({ key, value }) => [String(key), Number.parseInt(String(value), 10)]));
  expect([...last.values()].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => 49_900 + i));
  await log.close();
});
