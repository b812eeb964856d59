import { expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { copyBlocks, copyRange, sizeOfBlocks } from '../../../src/common/copy-range.ts';
import { viewOf } from '../../../src/common/view-of.ts';

const SOURCE = Uint8Array.from({ length: 400 }, (_, i) => (i * 37 + 11) & 0xff);
const UNTOUCHED = 0xee;

test('a range of any size is copied to its last byte and nothing beside it is touched', () => {
  for (let size = 0; size <= 200; size++) {
    for (const start of [0, 3, SOURCE.length - size]) {
      const target = new Uint8Array(size + 2).fill(UNTOUCHED);
      copyRange(SOURCE, viewOf(SOURCE), start, start + size, target, viewOf(target), 1);
      expect([...target]).toEqual([UNTOUCHED, ...SOURCE.subarray(start, start + size), UNTOUCHED]);
    }
  }
});

test('copying by blocks needs the room that is told', () => {
  for (let size = 0; size <= 70; size++) {
    const target = new Uint8Array(sizeOfBlocks(size));
    copyBlocks(viewOf(SOURCE), 5, size, viewOf(target), 0);
    expect([...target.subarray(0, size)]).toEqual([...SOURCE.subarray(5, 5 + size)]);
  }
});

test('the view of a writer is that of its buffer when it has grown', () => {
  const writer = new ByteWriter(4);
  writer.writeBytes(SOURCE);
  expect(writer.view.buffer).toBe(writer.buffer.buffer);
  expect(writer.view.byteLength).toBe(writer.buffer.length);
});
