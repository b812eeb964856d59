import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LastOffsets } from '../../../../src/log/embedded/last-offsets.ts';

test('a record is replaced when a later one has its key, however the table grew and was used before', () => {
  const keys = fc.oneof(
    fc.integer({ min: 0, max: 400 }).map(String),
    fc.integer({ min: 0, max: 20 }).map((n) => `${'long '.repeat(30)}${n}`),
    fc.constant(''),
  );
  const table = new LastOffsets(1 << 20);
  const others = ['none', `${'long '.repeat(30)}none`];
  fc.assert(
    fc.property(
      fc.array(keys, { maxLength: 600 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.constantFrom(1, 3, 70_000),
      fc.constantFrom(0, 100, 5000),
      (sequence, base, step, expected) => {
        const offsetOf = (i: number): number => base + i * step;
        const added = sequence.filter((_, i) => i * step < 2 ** 25);
        table.clear(base, expected);
        for (const [i, key] of sequence.entries()) {
          const bytes = Buffer.from(`.${key}.`);
          expect(table.reaches(offsetOf(i))).toBe(i < added.length);
          if (i < added.length) table.add(bytes, 1, bytes.length - 1, offsetOf(i));
        }
        expect(table.count).toBe(new Set(added).size);
        for (const key of [...added, ...others]) {
          const bytes = Buffer.from(key);
          expect(table.replaces(bytes, 0, bytes.length, base - 1)).toBe(added.includes(key));
        }
        for (const [i, key] of added.entries()) {
          const bytes = Buffer.from(key);
          expect(table.replaces(bytes, 0, bytes.length, offsetOf(i))).toBe(added.lastIndexOf(key) > i);
        }
      },
    ),
  );
});

test('a key of 32 bytes that is the digest of a long one is another key', () => {
  const table = new LastOffsets(1 << 20);
  table.clear(1, 2);
  const long = Buffer.alloc(100, 'x');
  // printf 'x%.0s' {1..100} | sha256sum
  const digest = Buffer.from('09ecb6ebc8bcefc733f6f2ec44f791abeed6a99edf0cc31519637898aebd52d8', 'hex');
  table.add(long, 0, 100, 5);
  expect(table.replaces(long, 0, 100, 0)).toBe(true);
  expect(table.replaces(digest, 0, 32, 0)).toBe(false);
  table.add(digest, 0, 32, 6);
  expect(table.replaces(long, 0, 100, 5)).toBe(false);
});

test.each([1, 10_000, 1 << 20, 2 << 20])(
  'a table for %i bytes is full before it takes more',
  (sizeBytesMax) => {
    const table = new LastOffsets(sizeBytesMax);
    for (const size of [4, 60, 2000])
      for (let round = 0; round < 2; round++) {
        table.clear(1, sizeBytesMax);
        const key = Buffer.alloc(size);
        let count = 0;
        for (; !table.isFull; count++) {
          key.writeInt32BE(count, 0);
          table.add(key, 0, size, 1 + count);
        }
        expect(count).toBeGreaterThan(0);
        expect(table.count).toBe(count);
        // A slab at the least; above a megabyte, more than a third is used.
        expect(table.sizeBytes).toBeLessThanOrEqual(sizeBytesMax + (1 << 18) + 20_000);
        if (sizeBytesMax >= 1 << 20)
          expect(count * (Math.min(size, 33) + 13)).toBeGreaterThan(sizeBytesMax / 3);
        // What is added all the same is there.
        const end = count + 100;
        for (; count < end; count++) {
          key.writeInt32BE(count, 0);
          table.add(key, 0, size, 1 + count);
        }
        for (let i = 0; i < count; i++) {
          key.writeInt32BE(i, 0);
          if (!table.replaces(key, 0, size, 0)) expect.fail(`the key ${i} is lost`);
        }
      }
  },
);
