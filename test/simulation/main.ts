/**
 * `SEED COUNT [steps|loop]`: simulates COUNT seeds from SEED on, and prints those that differ from the reference, with
 * their cases.
 */
import { type Mode, runSeeds } from './run-seeds.ts';

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const modes = process.argv[4] === undefined ? undefined : [process.argv[4] as Mode];
const { failures, ...totals } = await runSeeds(first, count, modes);
for (const failure of failures) console.log(failure);
console.log(JSON.stringify({ seeds: count, failed: failures.length, ...totals }));
process.exit(failures.length === 0 ? 0 : 1);
