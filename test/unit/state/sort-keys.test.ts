import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { KeyTable } from '../../../src/state/key-table.ts';
import { WriteBatch } from '../../../src/state/write-batch.ts';
import { SlotList } from '../../../src/state/slot-list.ts';
import { slotsByKey } from '../../../src/state/slots-by-key.ts';
import { sortedKeys } from '../../../src/state/sort-keys.ts';

function sorted(keys: readonly Uint8Array[]): readonly number[] {
  const writer = new ByteWriter(16);
  const starts = new SlotList();
  const ends = new SlotList();
  for (const key of keys) {
    starts.push(writer.length);
    writer.writeBytes(key, 0, key.length);
    ends.push(writer.length);
  }
  return [...sortedKeys(writer.buffer, starts, ends)];
}

function expected(keys: readonly Uint8Array[]): readonly number[] {
  return keys.map((_, i) => i).toSorted((a, b) => Buffer.compare(keys[a]!, keys[b]!) || a - b);
}

// Few different bytes and many equal ones: keys that begin alike, that are the beginning of others, that are the same.
const byte = fc.constantFrom(0, 1, 97, 255);
const key = fc
  .tuple(fc.constantFrom('', 'customer-', 'customer-1000'), fc.uint8Array({ maxLength: 9 }), fc.array(byte))
  .map(([text, any, few]) => Buffer.concat([Buffer.from(text), Buffer.from(few), any]));

test('keys are sorted by their bytes, equal ones in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200, size: 'max' }), fc.boolean(), (some, twice) => {
      const keys = twice ? [...some, ...some] : some;
      expect(sorted(keys)).toEqual(expected(keys));
    }),
  );
});

test('many keys that begin alike are sorted', () => {
  const keys = Array.from({ length: 20_000 }, (_, i) =>
    Buffer.from(`a common beginning ${(i * 7919) % 10_007}`),
  );
  expect(sorted(keys)).toEqual(expected(keys));
});

test('the slots of a table that keys came to and left are given by key', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { selector: (each) => each.toString('latin1'), maxLength: 100, size: 'max' }),
      (keys) => {
        const table = new KeyTable();
        const slots = keys.map((each) => {
          table.find(each, 0, each.length);
          return table.insert(each, 0, each.length);
        });
        const kept = keys.flatMap((each, i) => (i % 3 === 0 ? [] : [{ each, slot: slots[i]! }]));
        slots.forEach((slot, i) => {
          if (i % 3 === 0) table.remove(slot);
        });
        expect([...slotsByKey(table)]).toEqual(
          kept.toSorted((a, b) => Buffer.compare(a.each, b.each)).map(({ slot }) => slot),
        );
      },
    ),
  );
});

test('a batch gives its writes by key, and the later of two writes of a key later', () => {
  const batch = new WriteBatch();
  for (const [text, value] of [
    ['b', 'first'],
    ['a', 'only'],
    ['b', null],
    ['b', 'last'],
  ] as const) {
    const writer = batch.beginKey(1);
    writer.writeText(text);
    if (value === null) {
      batch.endDelete();
      continue;
    }
    batch.beginValue();
    writer.writeText(value);
    batch.endPut();
  }
  const writes = batch
    .finish()
    .map(({ key: bytes, value }) => [String(bytes.subarray(2)), value?.toString()]);
  expect(writes).toEqual([
    ['a', 'only'],
    ['b', 'first'],
    ['b', undefined],
    ['b', 'last'],
  ]);
});
