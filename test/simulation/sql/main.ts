/**
 * `SEED COUNT [FAILURES [THREADS]]`: checks COUNT generated queries from SEED on, in two threads, and prints those that break a
 * law, after FAILURES of which it stops. A seed stands for its queries alone, whichever thread takes it.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { checkSeed, QUERIES_PER_SEED, type SeedResult } from './check-laws.ts';

if (isMainThread) await runAll();
else await runSome(workerData as readonly number[]);

async function runSome([first, end, threads]: readonly number[]): Promise<void> {
  // Errors of data are many, and nobody asks where they were made.
  Error.stackTraceLimit = 3;
  for (let seed = first!; seed < end!; seed += threads!) parentPort!.postMessage(await checkSeed(seed));
}

async function runAll(): Promise<void> {
  const first = Number(process.argv[2] ?? 1);
  const count = Number(process.argv[3] ?? 1000);
  const threads = Number(process.argv[5] ?? 2);
  const failuresMax = Number(process.argv[4] ?? 20);
  const end = first + Math.ceil(count / QUERIES_PER_SEED);
  let [seeds, checked, refused, failed] = [0, 0, 0, 0];
  const report = (): void =>
    console.log(JSON.stringify({ first, seeds, perSeed: QUERIES_PER_SEED, checked, refused, failed }));
  await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: [first + i, end, threads] });
      worker.on('message', (result: SeedResult) => {
        seeds++;
        checked += result.checked;
        refused += result.refused;
        failed += result.failures.length;
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
