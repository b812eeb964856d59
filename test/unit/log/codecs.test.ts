import zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { expect, test } from 'vitest';
import { CODECS, COMPRESSIONS, openCompressor } from '../../../src/log/codecs.ts';
import { SeededRandom } from '../../harness/random.ts';

const NUMBERS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  '%s gives back what went in, of any size',
  async (name) => {
    const { codec, compress } = (await openCompressor(name))!;
    expect(codec).toBe(NUMBERS[name]);
    expect(CODECS[codec]!.name).toBe(name);
    const random = new SeededRandom(7);
    for (const size of [0, 1, 100, 32_767, 32_768, 32_769, 70_000, 1_100_000]) {
      const text = Buffer.from('a row of a table, '.repeat(size / 18 + 1).slice(0, size));
      const noise = Buffer.from(Array.from({ length: size }, () => random.integer(0, 255)));
      for (const bytes of [text, noise])
        expect(CODECS[codec]!.decompress(compress(bytes)).equals(bytes)).toBe(true);
      if (size > 1000) expect(compress(text).length).toBeLessThan(size / 10);
    }
  },
);

test('none is no codec', async () => {
  expect(COMPRESSIONS).toEqual(['none', ...Object.keys(NUMBERS)]);
  expect(await openCompressor('none')).toBeNull();
  expect(await openCompressor()).toBeNull();
});

test('snappy is framed as by Java, in blocks of at most 32 KB', async () => {
  const { compress } = (await openCompressor('snappy'))!;
  const packed = compress(Buffer.alloc(70_000, 'abc'));
  expect(packed.subarray(0, 16).toString('latin1')).toBe('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01');
  let blocks = 0;
  for (let at = 16; at < packed.length; at += 4 + packed.readInt32BE(at)) blocks++;
  expect(blocks).toBe(3);
});

test('the blocks of an lz4 frame do not depend on each other', async () => {
  const { compress } = (await openCompressor('lz4'))!;
  const packed = compress(Buffer.alloc(300_000, 'abc'));
  expect(packed.readUInt32LE(0)).toBe(0x184d_2204);
  // Version 1, independent blocks, no checksums, no size: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
  expect(packed[4]).toBe(0x60);
});

test('zstd of the package and of Node are the same format', async () => {
  const { compress } = (await openCompressor('zstd'))!;
  const bytes = Buffer.alloc(10_000, 'abc');
  const packed = compress(bytes);
  expect(Buffer.from(unzstd(packed)).equals(bytes)).toBe(true);
  const native = (zlib as unknown as { zstdDecompressSync?: (from: Buffer) => Buffer }).zstdDecompressSync;
  if (native !== undefined) expect(native(packed).equals(bytes)).toBe(true);
});
