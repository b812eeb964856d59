/** `SEED COUNT [FAILURES]`: checks COUNT generated queries from SEED on, and prints those that break a law. */
import { checkSeed, QUERIES_PER_SEED } from './check-laws.ts';

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1000);
const failuresMax = Number(process.argv[4] ?? 20);
let [checked, refused, failed, seed] = [0, 0, 0, first];
for (; checked + refused < count && failed < failuresMax; seed++) {
  const result = await checkSeed(seed);
  checked += result.checked;
  refused += result.refused;
  failed += result.failures.length;
  for (const failure of result.failures) console.log(failure);
  if (seed % 100 === 0)
    console.error(`seed ${seed}: ${checked} checked, ${refused} refused, ${failed} failed`);
}
console.log(
  JSON.stringify({ first, seeds: seed - first, perSeed: QUERIES_PER_SEED, checked, refused, failed }),
);
process.exit(failed === 0 ? 0 : 1);
