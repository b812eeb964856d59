import { describe, expect, test } from 'vitest';
import { runStoreContract } from '../../harness/store-contract.ts';

/** Seeds are fixed, so a failure is found again; set CONTRACT_SEED to walk another way. */
const first = Number(process.env['CONTRACT_SEED'] ?? 1);

describe.each(['overlay', 'database', 'waiting', 'mixed'] as const)('store contract, %s', (mode) => {
  test.each(Array.from({ length: 6 }, (_, i) => first + i))('seed %i', async (seed) => {
    const { misses } = await runStoreContract({ seed, steps: 1500, mode });
    if (mode === 'overlay' || mode === 'waiting') expect(misses).toBe(0);
    if (mode === 'database') expect(misses).toBeGreaterThan(10);
  });
});
