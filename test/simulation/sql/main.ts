/**
 * `SEED COUNT [FAILURES [THREADS]]`: checks COUNT generated queries from SEED on, in two threads, and prints those that
 * break a law, after FAILURES of which it stops, and how many queries were of which category. A seed stands for its
 * queries alone, whichever thread takes it.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { checkSeed } from './check-laws.ts';
import { CATEGORIES, type Category, checkWorld, type WorldResult } from './check-world.ts';

if (isMainThread) await runAll();
else runSome();

/** One seed in six is for expressions and one query at a time, the others are for worlds. */
async function check(seed: number): Promise<WorldResult> {
  if (seed % 6 !== 0) return checkWorld(seed);
  return { ...(await checkSeed(seed)), categories: new Map() };
}

/** Checks the seeds that it is sent. */
function runSome(): void {
  // Errors of data are many, and nobody asks where they were made.
  Error.stackTraceLimit = 3;
  const port = parentPort!;
  port.on('message', (seed: number) => {
    void check(seed)
      .catch((error: unknown): WorldResult => ({
        checked: 0,
        refused: 0,
        categories: new Map(),
        failures: [`seed ${seed} ends with ${error instanceof Error ? error.stack : String(error)}`],
      }))
      .then((result) => port.postMessage(result));
  });
}

async function runAll(): Promise<void> {
  const [first = 1, count = 1000, failuresMax = 20, threads = 2] = process.argv.slice(2).map(Number);
  let [seeds, checked, refused, failed, next] = [0, 0, 0, 0, first];
  const categories = new Map<Category, number>();
  const report = (): void => {
    console.log(JSON.stringify({ first, seeds, checked, refused, failed }));
    for (const category of CATEGORIES) {
      const share = (100 * (categories.get(category) ?? 0)) / Math.max(1, checked);
      console.log(`${share.toFixed(1).padStart(5)} % ${category}`);
    }
  };
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(new URL(import.meta.url));
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
        if (failed >= failuresMax) {
          report();
          process.exit(1);
        }
        if (checked < count) worker.postMessage(next++);
        else void worker.terminate();
      });
      worker.postMessage(next++);
      return new Promise<void>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      });
    }),
  );
  report();
  process.exitCode = failed === 0 ? 0 : 1;
}
