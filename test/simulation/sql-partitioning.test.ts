import { expect, test } from 'vitest';
import { checkSeed } from './sql/check-laws.ts';

/** A few hundred of the queries that `node scripts/fuzz-sql.js` goes through; a failure names its seed. */
test('generated queries keep the laws of partitioning, of the optimizer and of streaming', async () => {
  const failures: string[] = [];
  let checked = 0;
  let refused = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const result = await checkSeed(seed);
    failures.push(...result.failures);
    checked += result.checked;
    refused += result.refused;
  }
  expect(failures).toEqual([]);
  expect(checked).toBeGreaterThan(190);
  expect(refused).toBeLessThan(15);
}, 180_000);
