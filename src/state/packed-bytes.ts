/** Byte strings on their way between threads: their sizes (-1: null) and their bytes, one after the other. */
export interface PackedBytes {
  readonly sizes: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** In memory of its own, which can be handed over. */
export function packBytes(items: readonly (Uint8Array | null)[]): PackedBytes {
  const sizes = new Int32Array(items.length);
  let total = 0;
  items.forEach((item, i) => {
    sizes[i] = item === null ? -1 : item.length;
    total += item?.length ?? 0;
  });
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const item of items) {
    if (item === null) continue;
    bytes.set(item, at);
    at += item.length;
  }
  return { sizes, bytes };
}

export function unpackBytes({ sizes, bytes }: PackedBytes): (Buffer | null)[] {
  let at = 0;
  return Array.from(sizes, (size) => {
    if (size < 0) return null;
    const item = Buffer.from(bytes.buffer, bytes.byteOffset + at, size);
    at += size;
    return item;
  });
}
