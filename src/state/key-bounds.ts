/** A range's upper bound is excluded: the least bytes above a key are the key and a zero. */
export function above(key: Buffer): Buffer;
export function above(key: Buffer | null): Buffer | null;
export function above(key: Buffer | null): Buffer | null {
  return key === null ? null : Buffer.concat([key, Buffer.of(0)]);
}

/** The least bytes above everything that begins with `prefix`; null when there are none. */
export function afterPrefix(prefix: Buffer): Buffer | null {
  const bytes = Buffer.from(prefix);
  for (let end = bytes.length; end > 0; end--) {
    if (bytes[end - 1] === 0xff) continue;
    bytes[end - 1]!++;
    return bytes.subarray(0, end);
  }
  return null;
}
