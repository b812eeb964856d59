const BLOCK = 16;
/** For more bytes the platform's own copy is cheaper, though it needs a view of the source: an object. */
export const BLOCKWISE_MAX = 160;

/**
 * Copies `source[start, end)` to `target` at `at`, sixteen bytes a step through views of all of both. Unlike
 * `TypedArray.set` it makes no object for a range of the usual size. The two do not overlap.
 */
export function copyRange(
  source: Uint8Array,
  sourceView: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  targetView: DataView,
  at: number,
): void {
  if (end - start > BLOCKWISE_MAX) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (; start + BLOCK <= end; start += BLOCK, at += BLOCK) copyBlock(sourceView, start, targetView, at);
  for (; start + 4 <= end; start += 4, at += 4)
    targetView.setInt32(at, sourceView.getInt32(start, true), true);
  while (start < end) target[at++] = source[start++]!;
}

/** How far a copy of so many bytes by `copyBlocks` may read, and write. */
export function sizeOfBlocks(size: number): number {
  return (size + BLOCK - 1) & -BLOCK;
}

/** Copies at least `size` bytes: whole blocks, so up to fifteen more, which both sides must have room for. */
export function copyBlocks(
  source: DataView,
  start: number,
  size: number,
  target: DataView,
  at: number,
): void {
  for (let done = 0; done < size; done += BLOCK) copyBlock(source, start + done, target, at + done);
}

function copyBlock(source: DataView, start: number, target: DataView, at: number): void {
  target.setInt32(at, source.getInt32(start, true), true);
  target.setInt32(at + 4, source.getInt32(start + 4, true), true);
  target.setInt32(at + 8, source.getInt32(start + 8, true), true);
  target.setInt32(at + 12, source.getInt32(start + 12, true), true);
}
