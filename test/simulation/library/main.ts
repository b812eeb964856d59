/**
 * `SEED COUNT [FEATURE]`: runs COUNT cases of the streams library from SEED on, or those among them that have a feature, and
 * prints those that differ from the model.
 */
import { runLibrarySeeds } from './run-library-seeds.ts';

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const { failures, totals, shares } = await runLibrarySeeds(first, count, process.argv[4]);
for (const failure of failures) console.log(failure);
console.log(JSON.stringify({ seeds: count, failed: failures.length, ...totals, shares }));
process.exit(failures.length === 0 ? 0 : 1);
