/**
 * Zigzag varints (Protocol Buffers' sint32 and sint64), as records use them. 64-bit values are JavaScript
 * numbers: exact while they are safe integers.
 */

/** Bytes that a signed 32-bit value takes. */
export function sizeOfVarint(value: number): number {
  const z = ((value << 1) ^ (value >> 31)) >>> 0;
  if (z < 0x80) return 1;
  if (z < 0x4000) return 2;
  if (z < 0x20_0000) return 3;
  return z < 0x1000_0000 ? 4 : 5;
}

/** Writes a signed 32-bit value; returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let z = ((value << 1) ^ (value >> 31)) >>> 0;
  while (z >= 0x80) {
    bytes[at++] = (z & 0x7f) | 0x80;
    z >>>= 7;
  }
  bytes[at++] = z;
  return at;
}

function fits32(value: number): boolean {
  return (value | 0) === value;
}

/** Bytes that a safe integer takes as a 64-bit varint. */
export function sizeOfVarlong(value: number): number {
  if (fits32(value)) return sizeOfVarint(value);
  let z = value >= 0 ? value * 2 : value * -2 - 1;
  let size = 1;
  for (; z >= 0x80; size++) z = Math.floor(z / 0x80);
  return size;
}

/** Writes a safe integer as a 64-bit varint; returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (fits32(value)) return writeVarint(bytes, at, value);
  // Doubling may leave the safe integers but stays exact; the odd zigzag of a negative value may not, so its
  // lowest bit is put in by hand.
  const negative = value < 0;
  const magnitude = negative ? -value - 1 : value;
  let low = (magnitude % 0x40) * 2 + (negative ? 1 : 0);
  let rest = Math.floor(magnitude / 0x40);
  while (rest > 0) {
    bytes[at++] = low | 0x80;
    low = rest % 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = low;
  return at;
}
