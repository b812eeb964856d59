import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyTable } from '../../../src/state/key-table.ts';

const key = fc.uint8Array({ maxLength: 6, max: 3 });
const step = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom('add', 'remove') },
  { weight: 1, arbitrary: fc.constant('clear') },
);

test('a key table agrees with a map, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, key), { maxLength: 400 }), (steps) => {
      const table = new KeyTable();
      const model = new Map<string, number>();
      for (const [step, bytes] of steps) {
        const name = Buffer.from(bytes).toString('hex');
        const slot = table.find(bytes, 0, bytes.length);
        expect(slot).toBe(model.get(name) ?? -1);
        if (step === 'add' && slot < 0) model.set(name, table.insert(bytes, 0, bytes.length));
        if (step === 'remove' && slot >= 0) {
          table.remove(slot);
          model.delete(name);
        }
        if (step === 'clear') {
          table.clear();
          model.clear();
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
  const add = (key: Buffer): number => {
    expect(table.find(key, 0, key.length)).toBe(-1);
    return table.insert(key, 0, key.length);
  };
  for (let i = 0; i < 10_000; i++) {
    bytes.writeInt32BE(i, 500);
    slots.push(add(bytes));
  }
  const huge = Buffer.alloc(3 << 20, 7);
  const hugeSlot = add(huge);
  for (let i = 0; i < 10_000; i++) if (i % 10 !== 0) table.remove(slots[i]!);
  for (let i = 0; i < 10_000; i++) {
    bytes.writeInt32BE(i, 500);
    expect(table.find(bytes, 0, 1000)).toBe(i % 10 === 0 ? slots[i] : -1);
  }
  expect(table.find(huge, 0, huge.length)).toBe(hugeSlot);
});
