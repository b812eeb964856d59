import { expect, test } from 'vitest';
import { killRounds } from '../harness/kill-rounds.ts';

test('200 kills under inserts, replaced queries, compaction and a repartition lose nothing and double nothing', async () => {
  for (let seed = 2; seed <= 5; seed++) {
    const { rows, acknowledged } = await killRounds({ seed, kills: 50, answersMax: seed * 30 });
    expect(acknowledged).toBeGreaterThan(1000);
    expect(rows).toBeGreaterThanOrEqual(acknowledged);
  }
}, 900_000);
