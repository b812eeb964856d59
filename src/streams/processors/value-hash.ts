/** 128 bits of murmur3 (x86 variant) over `bytes[start, end)`: enough to tell two values apart for good. */
export function hashValue(bytes: Uint8Array, start: number, end: number): Buffer {
  const c = [0x239b961b, 0xab0e9789 | 0, 0x38b34ae5, 0xa1e38b93 | 0] as const;
  const add = [0x561ccd1b, 0x0bcaa747, 0x96cd1c35 | 0, 0x32ac3b17] as const;
  const rotations = [15, 16, 17, 18] as const;
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  const h = [0, 0, 0, 0];
  const mixIn = (i: number, word: number): number =>
    Math.imul(rotate(Math.imul(word, c[i]!), rotations[i]!), c[(i + 1) & 3]!);
  const length = end - start;
  const blocks = start + (length & ~15);
  let at = start;
  for (; at < blocks; at += 16)
    for (let i = 0; i < 4; i++) {
      const p = at + i * 4;
      const word = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
      h[i]! ^= mixIn(i, word);
      h[i] = (Math.imul(rotate(h[i]!, 19 - 2 * i) + h[(i + 1) & 3]!, 5) + add[i]!) | 0;
    }
  const tail = [0, 0, 0, 0];
  for (let i = 0; at < end; i++, at++) tail[i >> 2]! |= bytes[at]! << ((i & 3) * 8);
  for (let i = 0; i < 4; i++) h[i]! ^= mixIn(i, tail[i]!) ^ length;
  const spread = (): void => {
    h[0] = (h[0]! + h[1]! + h[2]! + h[3]!) | 0;
    for (let i = 1; i < 4; i++) h[i] = (h[i]! + h[0]!) | 0;
  };
  spread();
  for (let i = 0; i < 4; i++) {
    let x = h[i]!;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    h[i] = x ^ (x >>> 16);
  }
  spread();
  const hash = Buffer.allocUnsafe(16);
  for (let i = 0; i < 4; i++) hash.writeInt32BE(h[i]!, i * 4);
  return hash;
}
