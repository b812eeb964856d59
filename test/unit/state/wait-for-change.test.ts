import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { waitForChange } from '../../../src/state/wait-for-change.ts';

/** Wakes who waits without a change, as the notification of an earlier one does; changes the number when it waits again. */
const LATE_NOTIFICATION = `
const control = new Int32Array(require('node:worker_threads').workerData);
while (Atomics.notify(control, 0) === 0);
const deadline = Date.now() + 5000;
while (Atomics.notify(control, 0) === 0 && Date.now() < deadline);
Atomics.add(control, 0, 1);
Atomics.notify(control, 0);
`;

test('who is woken by the notification of an earlier change waits on', async () => {
  const control = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(LATE_NOTIFICATION, { eval: true, workerData: control.buffer });
  expect(waitForChange(control, 0, 60_000)).toBe(true);
  expect(Atomics.load(control, 0)).toBe(1);
  await worker.terminate();
});

test('gives up when there is no change', () => {
  expect(waitForChange(new Int32Array(new SharedArrayBuffer(4)), 0, 1)).toBe(false);
});
