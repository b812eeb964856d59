import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replacementOf } from '../../../../src/log/embedded/compacted-batch.ts';
import { compact, findCleanEnd } from '../../../../src/log/embedded/compaction.ts';
import { EmbeddedWriter } from '../../../../src/log/embedded/embedded-writer.ts';
import { LastOffsets } from '../../../../src/log/embedded/last-offsets.ts';
import { LogState } from '../../../../src/log/embedded/log-state.ts';
import type { PartitionLog } from '../../../../src/log/embedded/partition-log.ts';
import { loadBatch } from '../../../../src/log/embedded/stored-batch.ts';
import { decodeBatches } from '../../../../src/log/record-batch-codec.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import { recordsOfBatches } from '../../../harness/log-contract.ts';

const T = { topic: 't', partition: 0 };
const CREATE = {
  op: 'create',
  id: 1,
  name: 't',
  partitions: 1,
  configs: { 'cleanup.policy': 'compact' },
} as const;
const RETENTION_MS = 1000;

interface Written {
  readonly key: string | null;
  readonly value: string | null;
}

/** A partition in memory, what was written to it, and what every step of compaction must leave. */
class Partition {
  state = new LogState(Infinity);
  readonly written: Written[] = [];
  nowMs = 1_700_000_000_000;

  constructor() {
    this.state.apply({ operations: [CREATE], batches: [] }, null, 0);
  }

  get log(): PartitionLog {
    return this.state.partition(T);
  }

  async write(records: readonly Written[]): Promise<void> {
    const commit = async (
      build: Parameters<ConstructorParameters<typeof EmbeddedWriter>[1]>[0],
    ): Promise<void> => this.state.apply(build(), null, 0);
    const writer = new EmbeddedWriter(this.state, commit, {}, null);
    for (const record of records) appendRecord(writer, T, { ...record, timestamp: this.written.length });
    await writer.flush();
    this.written.push(...records);
  }

  /** As a process that is killed and started again finds it. */
  async reopen(): Promise<void> {
    const { log } = this;
    const next = new LogState(Infinity);
    next.apply({ operations: [CREATE], batches: [] }, null, 0);
    for (let i = 0; i < log.batchCount; i++) {
      const { baseOffset: base, lastOffset: last, maxTimestamp: max, sizeBytes: size, bytes } = log.at(i)!;
      const operation = { op: 'append', id: 1, partition: 0, base, last, max, size } as const;
      next.apply({ operations: [operation], batches: [bytes!] }, null, 0);
    }
    this.state = next;
    await this.#find();
  }

  async #find(): Promise<void> {
    this.log.cleanTo(await findCleanEnd(this.log, () => false));
  }

  /** `killAfter`: how many times something is put in place before the process dies. */
  async compact(table: LastOffsets, killAfter = Infinity): Promise<boolean> {
    if (this.log.cleanEnd < 0) await this.#find();
    let replaced = 0;
    try {
      return await compact(this.log, table, {
        nowMs: this.nowMs,
        deleteRetentionMs: RETENTION_MS,
        minLagMs: 0,
        isStopped: () => false,
        replace: async (batches) => {
          if (replaced++ === killAfter) throw new Error('killed');
          this.state.apply(replacementOf(this.log, batches), null, 0);
        },
        batchBytes: 300,
        replaceBytes: 600,
      });
    } catch (error) {
      if (String(error) !== 'Error: killed') throw error;
      await this.reopen();
      return true;
    }
  }

  /** Offset, key and value of what is there. */
  read(): (Written & { readonly offset: number })[] {
    const { log } = this;
    const found: (Written & { readonly offset: number })[] = [];
    let next = log.start;
    for (let i = 0; i < log.batchCount; i++) {
      const stored = log.at(i)!;
      expect(stored.baseOffset).toBe(next);
      next = stored.lastOffset + 1;
      const bytes = loadBatch(log, stored);
      const { batches } = decodeBatches('t', 0, bytes, 0, bytes.length, stored.baseOffset);
      for (const { offset, key, value } of recordsOfBatches(batches))
        found.push({ offset, key: key && String(key), value: value && String(value) });
    }
    expect(next).toBe(this.written.length);
    return found;
  }

  check(): void {
    const found = this.read();
    expect(found).toEqual(found.map(({ offset }) => ({ offset, ...this.written[offset]! })));
    const offsets = new Set(found.map(({ offset }) => offset));
    for (const [offset, { key }] of this.written.entries())
      if (key === null) expect(offsets).toContain(offset);
    // A store that reads it from the start has what one has that has read everything.
    expect(tableOf(found)).toEqual(tableOf(this.written));
    const clean = found.filter(({ offset, key }) => key !== null && offset < this.log.cleanEnd);
    expect(new Set(clean.map(({ key }) => key)).size).toBe(clean.length);
  }
}

function tableOf(records: readonly Written[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { key, value } of records) {
    if (key === null) continue;
    if (value === null) found.delete(key);
    else found.set(key, value);
  }
  return found;
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      records: fc.array(
        fc.record({
          key: fc.option(
            fc.oneof(
              fc.integer({ min: 0, max: 60 }).map((n) => `key ${n}`),
              fc.integer({ min: 0, max: 5 }).map((n) => `${'long '.repeat(20)}${n}`),
            ),
            { freq: 12 },
          ),
          value: fc.option(fc.string({ maxLength: 60 }), { freq: 5 }),
        }),
        { minLength: 1, maxLength: 40 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      killAfter: fc.constantFrom(Infinity, Infinity, 0, 1, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(300, 1100) }) },
);

test('whatever is written, compacted, killed and opened again, a store finds the last value of each key', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(1, 700, 3000, 1 << 20),
      async (steps, memoryBytesMax) => {
        const partition = new Partition();
        const table = new LastOffsets(memoryBytesMax);
        for (const taken of steps) {
          if (taken.kind === 'write') await partition.write(taken.records);
          else if (taken.kind === 'reopen') await partition.reopen();
          else if (taken.kind === 'wait') partition.nowMs += taken.ms;
          else await partition.compact(table, taken.killAfter);
          partition.check();
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('far more keys than there is memory for are compacted in several rounds, to the last of each key', async () => {
  const partition = new Partition();
  const KEYS = 50_000;
  for (let i = 0; i < 3 * KEYS;) {
    const records: Written[] = [];
    for (let n = 0; n < 500; n++, i++) records.push({ key: `key ${(i * 7919) % KEYS}`, value: `value ${i}` });
    await partition.write(records);
  }
  const table = new LastOffsets(100_000);
  const sizes = new Set<number>();
  let rounds = 0;
  for (; await partition.compact(table); rounds++) {
    sizes.add(table.sizeBytes);
    expect(table.count).toBeLessThan(KEYS / 4);
  }
  expect(rounds).toBeGreaterThan(10);
  // The slabs come in quarters of a megabyte.
  expect(Math.max(...sizes)).toBeLessThan(100_000 + (1 << 18));
  partition.check();
  // What is left over is not worth another round.
  expect(partition.read().length).toBeLessThan(KEYS * 1.25);
});

test('a tombstone stays in force when a repair brings back what it had deleted', async () => {
  const partition = new Partition();
  const table = new LastOffsets(1 << 20);
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await partition.write([{ key: 'filler', value: '.'.repeat(400) }]);
  };
  await partition.write([
    { key: 'gone', value: 'here' },
    { key: null, value: '.'.repeat(400) },
  ]);
  const { baseOffset: base, lastOffset: last, sizeBytes: size, bytes } = partition.log.at(0)!;
  const original = Buffer.from(bytes!);
  await partition.write([{ key: 'gone', value: null }]);
  await fill();
  expect(await partition.compact(table)).toBe(true);
  expect(partition.read().filter(({ key }) => key === 'gone')).toEqual([
    { offset: 2, key: 'gone', value: null },
  ]);

  // Where the compacted batch was damaged and the file with the one before it is still there.
  const operation = { op: 'append', id: 1, partition: 0, base, last, max: 1, size } as const;
  partition.state.apply({ operations: [operation], batches: [original] }, null, 0);
  await partition.reopen();
  expect(partition.log.cleanEnd).toBe(0);
  partition.nowMs += 2 * RETENTION_MS;
  await fill();
  expect(await partition.compact(table)).toBe(true);
  expect(partition.read().filter(({ key }) => key === 'gone')).toEqual([]);
});
