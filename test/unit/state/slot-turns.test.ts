import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlotTurns } from '../../../src/state/slot-turns.ts';

test('slots come in the order of their last touch', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(), { maxLength: 1000, size: 'max' }), { minLength: 1, maxLength: 3 }),
      (rounds) => {
        const turns = new SlotTurns();
        for (const round of rounds) {
          let order: number[] = [];
          for (const at of round) {
            const slot = at % Math.min(order.length + 1, 100);
            turns.touch(slot);
            order = [...order.filter((other) => other !== slot), slot];
          }
          const found = Array.from({ length: turns.length }, (_, turn) => turns.at(turn));
          expect(found.filter((slot) => slot >= 0)).toEqual(order);
          expect(turns.length).toBeLessThanOrEqual(2 * order.length + 65);
          turns.clear();
        }
      },
    ),
    { numRuns: 50 },
  );
});
