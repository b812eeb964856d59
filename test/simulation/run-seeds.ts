import { generateCase } from '../harness/reference/generate-case.ts';
import type { Input, OracleCase } from '../harness/reference/oracle-case.ts';
import { SeededRandom } from '../harness/reference/seeded-random.ts';
import { CaseTopics } from './case-topics.ts';
import { simulateCase } from './simulate-case.ts';
import { type LoopOptions, simulateLoop } from './simulate-loop.ts';

export interface SeedsResult {
  /** A text for each seed that failed: the seed, what differs, and the case. */
  readonly failures: string[];
  readonly crashes: number;
  readonly errors: number;
  readonly restarts: number;
  readonly steps: number;
}

/** What is simulated for a seed, as text when it fails. */
export type Mode = 'steps' | 'loop';

/**
 * Each seed twice: driven record by record in any order that tasks may have (`steps`), and in the loop in which
 * applications run (`loop`).
 */
export async function runSeeds(
  first: number,
  count: number,
  modes: readonly Mode[] = ['steps', 'loop'],
): Promise<SeedsResult> {
  const failures: string[] = [];
  const total = { crashes: 0, errors: 0, restarts: 0, steps: 0 };
  for (let seed = first; seed < first + count; seed++) {
    // Optimization merges internal topics, and the reference must know which is which.
    const drawn = { ...generateCase(seed, { partitionsMax: 3, keysMax: 9 }), optimize: false };
    const given = { ...drawn, inputs: drawn.inputs.map(withKeyOrValue) };
    for (const mode of modes) {
      const options =
        mode === 'loop' ? loopOptions(given, seed) : { crashes: seed % 5 !== 0, onDisk: seed % 4 === 0 };
      const failed = (reason: string): void => {
        failures.push(
          `seed ${seed}, ${mode} (${JSON.stringify(options)}): ${reason}\n  ${JSON.stringify(given)}`,
        );
      };
      try {
        const result =
          'instances' in options
            ? await simulateLoop(
                (log, applicationId) => CaseTopics.create(given, log, applicationId),
                new SeededRandom(seed),
                options,
              )
            : { errors: 0, ...(await simulateCase(given, seed, options)) };
        total.crashes += result.crashes.length;
        total.errors += result.errors;
        total.restarts += result.restarts - 1;
        total.steps += result.steps;
        if (result.difference !== null)
          failed(`${result.difference}; crashes: ${result.crashes.join(', ') || 'none'}`);
      } catch (error) {
        failed((error as Error).stack ?? String(error));
      }
    }
  }
  return { failures, ...total };
}

/**
 * Whether a repartition topic gets records that cannot be grouped, having neither key nor value, depends on the joins
 * further below. They change no result, but the reference would count other offsets.
 */
function withKeyOrValue(input: Input): Input {
  return input.key === null && input.value === null ? { ...input, key: 'k0' } : input;
}

/**
 * Whether operators look at stream time, which is committed with the offsets: where these are committed apart from
 * everything else, it may go back to before what the state has seen, and the reference has one time for both.
 */
function hasTime({ ops }: OracleCase): boolean {
  return ops.some(({ window, before }) => window !== undefined || before !== undefined);
}

function loopOptions(given: OracleCase, seed: number): LoopOptions {
  // Instances read global tables each in their own time, which the reference, of one mind, cannot follow.
  const hasGlobals = given.ops.some(({ op }) => op === 'globalTable');
  const commits = seed % 7 !== 0 ? 'atomic' : hasTime(given) ? 'early' : 'two-step';
  const instances = commits === 'atomic' && !hasGlobals && seed % 3 === 0 ? 2 : 1;
  return {
    faults: seed % 5 !== 0,
    onDisk: seed % 4 === 0,
    instances,
    commits,
    asynchronous: seed % 6 === 1,
    logOnDisk: false,
  };
}
