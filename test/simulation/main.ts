/** `SEED COUNT`: simulates COUNT seeds from SEED on, and prints those that differ from the reference, with their cases. */
import { runSeeds } from './run-seeds.ts';

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const { failures, crashes, restarts, steps } = await runSeeds(first, count);
for (const failure of failures) console.log(failure);
console.log(JSON.stringify({ seeds: count, failed: failures.length, crashes, restarts, steps }));
process.exit(failures.length === 0 ? 0 : 1);
