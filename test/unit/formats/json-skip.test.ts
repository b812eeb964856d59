import { expect, test } from 'vitest';
import { viewOf } from '../../../src/common/view-of.ts';
import { plainEnd } from '../../../src/formats/json-skip.ts';
import { ANY_NUMBER, plainNumberEnd } from '../../../src/formats/plain-number.ts';

/** Bytes next to every border between what is ordinary and what is not, in a word of any neighbours. */
const BYTES = [
  0x00, 0x01, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x2f, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0x81, 0xa2,
  0xdc, 0xff,
];

function* words(): Generator<readonly [number, number, number]> {
  for (const a of BYTES) for (const b of BYTES) for (const c of BYTES) yield [a, b, c];
}

test('the first byte of a string that is not ordinary ASCII is found, wherever it stands', () => {
  const isSpecial = (byte: number): boolean => byte === 0x22 || byte === 0x5c || byte < 0x20 || byte >= 0x80;
  const wrong: string[] = [];
  for (const word of words()) {
    for (const before of [0, 3, 4, 6, 7, 8]) {
      const bytes = Uint8Array.from([...Array.from({ length: before }, () => 0x61), ...word, 0x22]);
      const found = plainEnd(viewOf(bytes), bytes, 0, bytes.length);
      if (found !== bytes.findIndex(isSpecial)) wrong.push(`${before} ${word.join()}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the first byte that is no digit is found, wherever it stands', () => {
  const wrong: string[] = [];
  for (const word of words()) {
    if (word.includes(0x2e)) continue;
    const bytes = Uint8Array.from([0x31, ...word, 0x20, 0x20]);
    const end = bytes.findIndex((byte) => byte < 0x30 || byte > 0x39);
    const found = plainNumberEnd(ANY_NUMBER, viewOf(bytes), bytes, 0, bytes.length);
    if (found !== end) wrong.push(word.join());
  }
  expect(wrong).toEqual([]);
});
