import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Punctuations } from '../../../../src/streams/task/punctuations.ts';

test('wall-clock schedules fire one interval after they were made, and keep their phase over a gap', () => {
  const fired: number[] = [];
  const punctuations = new Punctuations('wall-clock');
  punctuations.schedule(100, 50, (time) => fired.push(time));
  for (const now of [50, 149, 150, 249, 250, 777, 849, 850]) punctuations.fire(now);
  // The gap from 350 to 750 is one firing; the next is due at 850 as if nothing had been missed.
  expect(fired).toEqual([150, 250, 777, 850]);
});

test('stream-time schedules are aligned to zero and fire with the first record', () => {
  const fired: number[] = [];
  const punctuations = new Punctuations('stream-time');
  punctuations.schedule(100, 12345, (time) => fired.push(time));
  for (const now of [30, 99, 100, 110, 450, 499, 500]) punctuations.fire(now);
  expect(fired).toEqual([30, 100, 450, 500]);
});

test('a schedule that is cancelled in a callback, its own or another’s, does not fire again', () => {
  const fired: string[] = [];
  const punctuations = new Punctuations('wall-clock');
  const cancelFirst = punctuations.schedule(100, 0, () => {
    fired.push('first');
    cancelFirst();
    cancelSecond();
  });
  const cancelSecond = punctuations.schedule(100, 0, () => fired.push('second'));
  punctuations.schedule(200, 0, () => fired.push('third'));
  punctuations.fire(100);
  punctuations.fire(200);
  expect(fired).toEqual(['first', 'third']);
  expect(punctuations.dueMs).toBe(400);
});

test('a schedule that is made in a callback waits for its own interval', () => {
  const fired: string[] = [];
  const punctuations = new Punctuations('wall-clock');
  const cancel = punctuations.schedule(100, 0, (time) => {
    cancel();
    punctuations.schedule(10, time, () => fired.push(`inner`));
  });
  punctuations.fire(100);
  expect(fired).toEqual([]);
  punctuations.fire(110);
  expect(fired).toEqual(['inner']);
});

test('whatever the times are: never twice within an interval, never later than the first chance', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 0, max: 1000 }),
      fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 40 }),
      (intervalMs, startMs, steps) => {
        const fired: number[] = [];
        const punctuations = new Punctuations('wall-clock');
        punctuations.schedule(intervalMs, startMs, (time) => fired.push(time));
        const slots = new Set<number>();
        const expected: number[] = [];
        let now = startMs;
        for (const step of steps) {
          now += step;
          punctuations.fire(now);
          const slot = Math.floor((now - startMs) / intervalMs);
          if (slot > 0 && !slots.has(slot)) expected.push(now);
          slots.add(slot);
        }
        expect(fired).toEqual(expected);
      },
    ),
  );
});
