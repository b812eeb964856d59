import { expect, test } from 'vitest';
import { killRounds } from '../harness/kill-rounds.ts';

/** Four times 50 kills. */
test.each([2, 3, 4, 5])(
  'kills under inserts, replaced queries, compaction and a repartition lose nothing and double nothing, seed %i',
  async (seed) => {
    const answersMax = seed * 30;
    const { rows, acknowledged } = await killRounds({ seed, kills: 50, answersMax, acknowledgedMin: 1000 });
    expect(rows).toBeGreaterThanOrEqual(acknowledged);
  },
);
