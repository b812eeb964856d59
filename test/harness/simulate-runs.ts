import { isDeepStrictEqual } from 'node:util';
import { runOracleCase } from './oracle-cases.ts';
import { randomCase } from './random-case.ts';
import { simulate } from './simulation.ts';

/**
 * `simulate-runs.ts [FIRST [COUNT]]`: random topologies with crashes at random commits, every third with state on disk
 * that leaves memory, against undisturbed runs. Prints the seeds that differ; exits 1 when there are any.
 */
const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 10_000);
let failed = 0;
let crashes = 0;
for (let seed = first; seed < first + count; seed++) {
  const each = randomCase(seed);
  const onDisk = seed % 3 === 0;
  let problem: string | null = null;
  try {
    const expected = await runOracleCase(each);
    const result = await simulate(each, seed, { onDisk, crashRate: 0.05 });
    crashes += result.crashes;
    if (!isDeepStrictEqual(result.outputs, expected)) problem = 'other results';
  } catch (error) {
    problem = String(error);
  }
  if (problem === null) continue;
  failed++;
  console.log(`seed ${seed}${onDisk ? ' (on disk)' : ''}: ${problem}: ${JSON.stringify(each.ops)}`);
}
console.log(
  `seeds ${first} to ${first + count - 1}, ${crashes} crashes: ${count - failed} passed, ${failed} failed`,
);
process.exitCode = failed > 0 ? 1 : 0;
