/**
 * Stands still until the first number of `shared` is another than `before`; false when it still is after `timeoutMs`. Being
 * woken is no sign of that: who changes the number notifies after it, and that may wake whoever has begun to wait for the
 * change after it.
 */
export function waitForChange(
  shared: Int32Array<SharedArrayBuffer>,
  before: number,
  timeoutMs: number,
): boolean {
  while (Atomics.load(shared, 0) === before)
    if (Atomics.wait(shared, 0, before, timeoutMs) === 'timed-out') return false;
  return true;
}
