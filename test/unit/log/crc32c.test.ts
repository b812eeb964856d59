import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c, loadNative } from '../../../src/log/crc32c.ts';
import { crc32cByTables } from '../../../src/log/crc32c-tables.ts';

/** Bit by bit, as RFC 3720 has it. */
function slowly(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('the checksums of RFC 3720 (B.4)', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(Buffer.from('xx123456789yyyyyyyyy'), 2, 11)).toBe(0xe3069283);
});

test('any range, by tables and by the processor', () => {
  // Where it does not load, tables do all; it does where this is developed and released.
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch))
    expect(loadNative()).toBeTypeOf('function');
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 3000, size: 'max' }),
      fc.nat(40),
      fc.nat(40),
      (bytes, before, after) => {
        const start = Math.min(before, bytes.length);
        const end = Math.max(start, bytes.length - after);
        const right = slowly(bytes.subarray(start, end));
        expect(crc32cByTables(bytes, start, end)).toBe(right);
        expect(crc32c(bytes, start, end)).toBe(right);
      },
    ),
  );
});
