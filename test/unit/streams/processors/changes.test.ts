import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChangedRows } from '../../../../src/streams/processors/held-keys.ts';
import { type Changes, openChanges } from '../../../../src/streams/processors/changes.ts';
import type { Processor } from '../../../../src/streams/topology/processor.ts';
import type { RecordKey } from '../../../../src/streams/topology/record-key.ts';
import { openProcessor, type OpenedProcessor } from '../../../harness/open-processor.ts';

function coalescing(rows?: Rows): () => Processor {
  return () => {
    let changes: Changes;
    return {
      init: (context) => void (changes = openChanges(context, { sendOldValues: true, coalesce: true }, rows)),
      process: (key, value, old, timestamp) => changes.add(key, value, old, timestamp, rows?.slotOf(key)),
      flush: () => changes.flush(),
    };
  };
}

/** A store that has a slot for each key and window. */
class Rows implements ChangedRows {
  readonly #rows: ({ key: Buffer; start: number; end: number } | undefined)[] = [];
  readonly #generations: number[] = [];

  slotOf(key: RecordKey): number {
    const bytes: Buffer = Buffer.from(key.buffer.subarray(key.start, key.end));
    const row = { key: bytes, start: key.windowStart, end: key.windowEnd };
    const same = (other: typeof row | undefined): boolean =>
      other !== undefined && other.key.equals(bytes) && other.start === row.start && other.end === row.end;
    const found = this.#rows.findIndex(same);
    if (found >= 0) return found;
    const free = this.#rows.findIndex((each) => each === undefined);
    const slot = free < 0 ? this.#rows.length : free;
    this.#rows[slot] = row;
    return slot;
  }

  free(slot: number): void {
    this.#rows[slot] = undefined;
    this.#generations[slot] = this.generationAt(slot) + 1;
  }

  readKey(slot: number, key: RecordKey): void {
    const row = this.#rows[slot]!;
    key.setBytes(row.key, 0, row.key.length);
    key.windowStart = row.start;
    key.windowEnd = row.end;
  }

  generationAt(slot: number): number {
    return this.#generations[slot] ?? 0;
  }
}

const shown = (opened: OpenedProcessor): unknown[] =>
  opened.taken().map(({ key, window, value, old, timestamp }) => [key, window, value, old, timestamp]);

const change = fc.record({
  key: fc.constantFrom('', 'a', 'ab', 'b'),
  window: fc.constantFrom([0, 10], [0, 20], [10, 20]),
  value: fc.option(fc.nat(9), { freq: 3 }),
  flush: fc.boolean(),
});

test('one change a key, window and flush: from before the first to after the last, in the order of the last', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 60 }), fc.boolean(), async (changes, byRows) => {
      const opened = await openProcessor(coalescing(byRows ? new Rows() : undefined));
      const rows = new Map<string, unknown>();
      let expected = new Map<string, unknown[]>();
      for (const [time, { key, window, value, flush }] of changes.entries()) {
        const name = `${key} ${window.join()}`;
        const old = rows.get(name) ?? null;
        const before = expected.get(name);
        expected.delete(name);
        expected.set(name, [key, window, value, before === undefined ? old : before[3], time]);
        rows.set(name, value);
        opened.process(key, value, old, time, window as [number, number]);
        expect(opened.taken()).toEqual([]);
        if (!flush) continue;
        opened.processor.flush!();
        expect(shown(opened)).toEqual(
          [...expected.values()].filter(([, , value, old]) => value !== null || old !== null),
        );
        expected = new Map();
      }
      opened.processor.flush!();
      expect(shown(opened)).toEqual(
        [...expected.values()].filter(([, , value, old]) => value !== null || old !== null),
      );
      opened.processor.flush!();
      expect(opened.taken()).toEqual([]);
    }),
  );
});

test('a flush that fails below is flushed again as a whole', async () => {
  const opened = await openProcessor(coalescing());
  for (const key of ['a', 'b', 'c']) opened.process(key, 1, null, 1);
  const failure = new Error('not loaded yet');
  let left = 1;
  opened.onForward = () => {
    if (left-- === 0) throw failure;
  };
  expect(() => opened.processor.flush!()).toThrow(failure);
  opened.taken();
  opened.processor.flush!();
  expect(opened.taken().map(({ key }) => key)).toEqual(['a', 'b', 'c']);
});

test('so many changes ask for a commit', async () => {
  const opened = await openProcessor(coalescing());
  for (let i = 0; i < 200_000; i++) opened.process(`${i}`, 1, null, 1);
  expect(opened.commitsRequested).toBe(0);
  opened.process('another', 1, null, 1);
  expect(opened.commitsRequested).toBe(1);
});

test('a row whose record was undone is not told of, and the row that has its slot now is', async () => {
  const rows = new Rows();
  const opened = await openProcessor(coalescing(rows));
  opened.process('before', 1, null, 1);
  opened.process('undone', 1, null, 2);
  rows.free(1);
  opened.process('after', 7, null, 3);
  opened.process('undone', 2, null, 4);
  opened.process('after', 8, 7, 5);
  opened.processor.flush!();
  expect(opened.taken().map(({ key, value, old }) => [key, value, old])).toEqual([
    ['before', 1, null],
    ['undone', 2, null],
    ['after', 8, null],
  ]);
});
