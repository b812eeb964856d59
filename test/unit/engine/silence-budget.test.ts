import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/common/clock.ts';
import { SilenceBudget } from '../../../src/engine/user-functions/silence-budget.ts';

test('a function may be silent twice at once, and a twentieth of the time from then on', () => {
  const clock = new ManualClock();
  const budget = new SilenceBudget(clock, { burstMs: 800, msPerSecond: 50 });
  budget.spend('F', 400);
  expect(budget.restMs('F')).toBe(0);
  budget.spend('F', 400);
  expect(budget.restMs('F')).toBe(20);
  clock.advance(20);
  expect(budget.restMs('F')).toBe(0);
  budget.spend('F', 400);
  expect(budget.restMs('F')).toBe(8000);
  expect(budget.restMs('G')).toBe(0);
  let silentMs = 0;
  for (let second = 0; second < 1000; second++, clock.advance(1000))
    if (budget.restMs('F') === 0) {
      budget.spend('F', 400);
      silentMs += 400;
    }
  expect(silentMs / 1_000_000).toBeCloseTo(0.05, 2);
});

test('time gives back what was spent, and no more than that', () => {
  const clock = new ManualClock();
  const budget = new SilenceBudget(clock, { burstMs: 800, msPerSecond: 50 });
  budget.spend('F', 800);
  clock.advance(1_000_000);
  budget.spend('F', 800);
  expect(budget.restMs('F')).toBeGreaterThan(0);
  budget.forget('F');
  expect(budget.restMs('F')).toBe(0);
});
