/**
 * `SEED COUNT [FAILURES [THREADS]]`: checks COUNT generated queries from SEED on, in two threads, and prints those that
 * break a law, after FAILURES of which it stops, and how many queries were of which category. A seed stands for its
 * queries alone, whichever thread takes it.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { checkSeed, QUERIES_PER_SEED } from './check-laws.ts';
import { CATEGORIES, type Category, checkWorld, QUERIES_PER_WORLD, type WorldResult } from './check-world.ts';

if (isMainThread) await runAll();
else await runSome(workerData as readonly number[]);

/** One seed in six is for expressions and one query at a time, the others are for worlds. */
function isOfLaws(seed: number): boolean {
  return seed % 6 === 0;
}

async function check(seed: number): Promise<WorldResult> {
  if (!isOfLaws(seed)) return checkWorld(seed);
  return { ...(await checkSeed(seed)), categories: new Map() };
}

/** Seeds from `first` on until `count` queries are generated. */
function seedsFrom(first: number, count: number): number[] {
  const seeds: number[] = [];
  for (let seed = first, left = count; left > 0; seed++) {
    seeds.push(seed);
    left -= isOfLaws(seed) ? QUERIES_PER_SEED : QUERIES_PER_WORLD;
  }
  return seeds;
}

async function runSome(seeds: readonly number[]): Promise<void> {
  // Errors of data are many, and nobody asks where they were made.
  Error.stackTraceLimit = 3;
  for (const seed of seeds)
    parentPort!.postMessage(
      await check(seed).catch((error: unknown): WorldResult => ({
        checked: 0,
        refused: 0,
        categories: new Map(),
        failures: [`seed ${seed} ends with ${error instanceof Error ? error.stack : String(error)}`],
      })),
    );
}

async function runAll(): Promise<void> {
  const first = Number(process.argv[2] ?? 1);
  const count = Number(process.argv[3] ?? 1000);
  const threads = Number(process.argv[5] ?? 2);
  const failuresMax = Number(process.argv[4] ?? 20);
  const all = seedsFrom(first, count);
  let [seeds, checked, refused, failed] = [0, 0, 0, 0];
  const categories = new Map<Category, number>();
  const report = (): void => {
    console.log(JSON.stringify({ first, last: all.at(-1), seeds, checked, refused, failed }));
    for (const category of CATEGORIES) {
      const share = (100 * (categories.get(category) ?? 0)) / Math.max(1, checked);
      console.log(`${share.toFixed(1).padStart(5)} % ${category}`);
    }
  };
  await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const own = all.filter((_seed, at) => at % threads === i);
      const worker = new Worker(new URL(import.meta.url), { workerData: own });
      worker.on('message', (result: WorldResult) => {
        seeds++;
        checked += result.checked;
        refused += result.refused;
        failed += result.failures.length;
        for (const [category, more] of result.categories)
          categories.set(category, (categories.get(category) ?? 0) + more);
        for (const failure of result.failures) console.log(failure);
        if (seeds % 250 === 0)
          console.error(`${seeds} seeds: ${checked} checked, ${refused} refused, ${failed} failed`);
        if (failed < failuresMax) return;
        report();
        process.exit(1);
      });
      await new Promise<void>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      });
    }),
  );
  report();
  process.exitCode = failed === 0 ? 0 : 1;
}
