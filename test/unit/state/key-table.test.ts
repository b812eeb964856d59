import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyTable } from '../../../src/state/key-table.ts';

const key = fc.uint8Array({ maxLength: 6, max: 3 });

test('a key table agrees with a map, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 400 }), (steps) => {
      const table = new KeyTable();
      const model = new Map<string, number>();
      for (const [add, bytes] of steps) {
        const name = Buffer.from(bytes).toString('hex');
        const slot = table.find(bytes, 0, bytes.length);
        expect(slot).toBe(model.get(name) ?? -1);
        if (add && slot < 0) model.set(name, table.insert(bytes, 0, bytes.length));
        if (!add && slot >= 0) {
          table.remove(slot);
          model.delete(name);
        }
      }
      expect(table.count).toBe(model.size);
      for (const [name, slot] of model) {
        expect(table.slabOf(slot).subarray(table.startOf(slot), table.endOf(slot)).toString('hex')).toBe(
          name,
        );
        expect(table.has(slot)).toBe(true);
      }
    }),
  );
});

test('keys outlive the compaction of their slabs, and keys larger than a slab fit', () => {
  const table = new KeyTable();
  const slots: number[] = [];
  const bytes = Buffer.alloc(1000);
  for (let i = 0; i < 10_000; i++) {
    bytes.writeInt32BE(i, 500);
    slots.push(table.insert(bytes, 0, 1000));
  }
  const huge = Buffer.alloc(3 << 20, 7);
  const hugeSlot = table.insert(huge, 0, huge.length);
  for (let i = 0; i < 10_000; i++) if (i % 10 !== 0) table.remove(slots[i]!);
  for (let i = 0; i < 10_000; i++) {
    bytes.writeInt32BE(i, 500);
    expect(table.find(bytes, 0, 1000)).toBe(i % 10 === 0 ? slots[i] : -1);
  }
  expect(table.find(huge, 0, huge.length)).toBe(hugeSlot);
});
