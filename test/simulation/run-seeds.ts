import { generateCase } from '../harness/reference/generate-case.ts';
import { simulateCase } from './simulate-case.ts';

export interface SeedsResult {
  /** A text for each seed that failed: the seed, what differs, and the case. */
  readonly failures: string[];
  readonly crashes: number;
  readonly restarts: number;
  readonly steps: number;
}

/** What is simulated for a seed, as text when it fails. */
export async function runSeeds(first: number, count: number): Promise<SeedsResult> {
  const failures: string[] = [];
  let [crashes, restarts, steps] = [0, 0, 0];
  for (let seed = first; seed < first + count; seed++) {
    // Optimization merges internal topics, and the reference must know which is which.
    const given = { ...generateCase(seed, { partitionsMax: 3, keysMax: 9 }), optimize: false };
    const options = { crashes: seed % 5 !== 0, onDisk: seed % 4 === 0 };
    const failed = (reason: string): void => {
      failures.push(`seed ${seed} (${JSON.stringify(options)}): ${reason}\n  ${JSON.stringify(given)}`);
    };
    try {
      const result = await simulateCase(given, seed, options);
      crashes += result.crashes.length;
      restarts += result.restarts - 1;
      steps += result.steps;
      if (result.difference !== null)
        failed(`${result.difference}; crashes: ${result.crashes.join(', ') || 'none'}`);
    } catch (error) {
      failed((error as Error).stack ?? String(error));
    }
  }
  return { failures, crashes, restarts, steps };
}
