import { expect, test } from 'vitest';
import { runOracleCase } from '../../harness/oracle-cases.ts';
import { randomCase } from '../../harness/random-case.ts';
import { runInChunks, simulate } from '../../harness/simulation.ts';

const FIRST = 1;

test(
  'random topologies give the same results when the process dies at random commits',
  { timeout: 60_000 },
  async () => {
    let crashes = 0;
    for (let seed = FIRST; seed < FIRST + 120; seed++) {
      const each = randomCase(seed);
      const expected = await runOracleCase(each);
      const result = await simulate(each, seed, { onDisk: false, crashRate: 0.05 });
      crashes += result.crashes;
      expect(result.outputs, `seed ${seed}: ${JSON.stringify(each.ops)}`).toEqual(expected);
    }
    expect(crashes).toBeGreaterThan(100);
  },
);

test(
  'random topologies give the same results with state on disk and crashes',
  { timeout: 120_000 },
  async () => {
    let persists = 0;
    for (let seed = FIRST; seed < FIRST + 60; seed++) {
      const each = randomCase(seed);
      const expected = await runOracleCase(each);
      const result = await simulate(each, seed, { onDisk: true, crashRate: 0.03 });
      persists += result.persists;
      expect(result.outputs, `seed ${seed}: ${JSON.stringify(each.ops)}`).toEqual(expected);
    }
    expect(persists).toBeGreaterThan(100);
  },
);

test(
  'chunks of records over state on disk give the same results as one record at a time',
  { timeout: 120_000 },
  async () => {
    let run = 0;
    for (let seed = FIRST; run < 40; seed++) {
      const random = randomCase(seed);
      // One topic: the order of records is that of their offsets, however many are there at once.
      const each = {
        ...random,
        inputs: random.inputs.filter((input) => 'topic' in input && input.topic === 't0'),
      };
      const result = await runInChunks(each);
      if (result === null) continue;
      run++;
      expect(result, `seed ${seed}: ${JSON.stringify(each.ops)}`).toEqual(await runOracleCase(each));
    }
  },
);
