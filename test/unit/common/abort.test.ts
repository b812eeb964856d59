import { expect, test } from 'vitest';
import { aborted, onAbort, subscriptionsOf, untilAborted } from '../../../src/common/abort.ts';
import { ManualClock, sleep } from '../../../src/common/clock.ts';

test('waits that end leave nothing behind on a signal that lives on', async () => {
  const { signal } = new AbortController();
  const clock = new ManualClock();
  for (let i = 0; i < 50; i++) {
    await untilAborted(signal, Promise.resolve());
    await expect(untilAborted(signal, Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
    onAbort(signal, () => undefined)();
    const slept = sleep(clock, 5, signal);
    clock.advance(5);
    await slept;
  }
  expect(subscriptionsOf(signal)).toBe(0);
});

test('fifty may wait at once: one listener of Node’s, and an abort ends all', async () => {
  const controller = new AbortController();
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', warned);
  try {
    const waits = Array.from({ length: 50 }, () => sleep(new ManualClock(), 1, controller.signal));
    expect(subscriptionsOf(controller.signal)).toBe(50);
    // Warnings are emitted in the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await Promise.all(waits);
    expect(subscriptionsOf(controller.signal)).toBe(0);
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', warned);
  }
});

test('a signal that has aborted calls at once; what was unsubscribed is not called', async () => {
  const controller = new AbortController();
  const called: string[] = [];
  const twice = (): void => void called.push('twice');
  onAbort(controller.signal, twice);
  onAbort(controller.signal, twice);
  onAbort(controller.signal, () => void called.push('unsubscribed'))();
  controller.abort();
  onAbort(controller.signal, () => void called.push('late'));
  expect(called).toEqual(['twice', 'twice', 'late']);
  await aborted(controller.signal);
  await untilAborted(controller.signal, new Promise(() => undefined));
});
