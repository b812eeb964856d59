import { SeededRandom } from '../../harness/reference/seeded-random.ts';
import { type LoopOptions, simulateLoop } from '../simulate-loop.ts';
import type { LibraryCase } from './case.ts';
import { generateLibraryCase } from './generate-library-case.ts';
import { LibraryTopics } from './library-topics.ts';

export interface LibraryResult {
  readonly failures: string[];
  /** How often things happened, over all seeds. */
  readonly totals: Record<'crashes' | 'errors' | 'restarts' | 'steps' | 'states' | 'rows', number>;
  /** In how many seeds a feature was. */
  readonly shares: Record<string, number>;
}

/** Runs seeds of the library's cases on the engine, `only` those with a feature, and holds what comes out to the model. */
export async function runLibrarySeeds(
  first: number,
  count: number,
  only: string | null = null,
): Promise<LibraryResult> {
  const failures: string[] = [];
  const totals = { crashes: 0, errors: 0, restarts: 0, steps: 0, states: 0, rows: 0 };
  const shares: Record<string, number> = {};
  for (let seed = first; seed < first + count; seed++) {
    const given = generateLibraryCase(seed);
    const options = optionsOf(given);
    const features = featuresOf(given, options);
    if (only !== null && !features.has(only)) continue;
    let topics: LibraryTopics | null = null;
    const failed = (why: string): void => {
      const again = `again: npm run simulate -- --library ${seed} 1`;
      failures.push(
        `seed ${seed} (${JSON.stringify(options)}): ${why}\n  ${again}\n  ${JSON.stringify(given)}`,
      );
    };
    try {
      const result = await simulateLoop(
        async (log, applicationId) => (topics = await LibraryTopics.create(given, log, applicationId)),
        new SeededRandom(seed),
        options,
      );
      totals.crashes += result.crashes.length;
      totals.errors += result.errors;
      totals.restarts += result.restarts - 1;
      totals.steps += result.steps;
      totals.states += result.states;
      if (result.difference !== null)
        failed(`${result.difference}; crashes: ${result.crashes.join(', ') || 'none'}`);
    } catch (error) {
      failed((error as Error).stack ?? String(error));
    }
    totals.rows += (topics as LibraryTopics | null)?.rows ?? 0;
    for (const feature of features) shares[feature] = (shares[feature] ?? 0) + 1;
  }
  return { failures, totals, shares };
}

function optionsOf({ seed, ops }: LibraryCase): LoopOptions {
  // Instances read global tables each in their own time, which the model, of one mind, cannot follow.
  const hasGlobals = ops.some(({ op }) => op === 'globalTable');
  return {
    faults: seed % 5 !== 0,
    onDisk: seed % 2 === 0,
    logOnDisk: seed % 3 === 0,
    instances: !hasGlobals && seed % 7 < 2 ? 2 : 1,
    commits: 'atomic',
    // Stream time moves on while a record waits, for those below who look at it.
    asynchronous:
      seed % 11 === 1 && !ops.some(({ kind, clock }) => kind === 'position' || clock === 'stream-time'),
  };
}

function featuresOf(given: LibraryCase, options: LoopOptions): Set<string> {
  const features = new Set<string>();
  const { ops, inputs, topics } = given;
  if (topics.some(({ partitions }) => partitions > 1)) features.add('several partitions');
  if (new Set(topics.map(({ partitions }) => partitions)).size > 1) features.add('unequal partitions');
  if (options.onDisk) features.add('state on disk');
  if (options.logOnDisk) features.add('log on disk');
  if (options.faults) features.add('crashes and errors');
  if (options.instances > 1) features.add('two instances');
  if (options.asynchronous) features.add('asynchronous');
  if (inputs.some(({ headers }) => headers.length > 0)) features.add('headers');
  if (inputs.some(({ key }) => key === null)) features.add('null keys');
  if (given.reuseTopics) features.add('topics as changelogs');
  for (const op of ops) {
    features.add(op.op);
    if (op.kind !== undefined) features.add(`processor ${op.kind}`);
    if (op.clock !== undefined) features.add(`punctuation by ${op.clock}`);
    if (op.window !== undefined)
      features.add(
        `${op.op === 'cogroup' ? 'cogrouped ' : ''}${op.window}${op.emit === 'close' ? ', at close' : ''}`,
      );
    if (op.history !== undefined) features.add('versioned');
    if (op.also !== undefined) features.add('stream of two topics');
    if (op.shares !== undefined) features.add('shared store');
    if (op.extracts === true) features.add('timestamp extractor');
    if (op.scatters === true) features.add('partitioner');
    if (op.op.endsWith('oinTable') && op.grace !== undefined) features.add('stream-table with grace');
    if (op.recordsMax !== undefined) features.add('suppressed records bound');
    if (op.bytesMax !== undefined) features.add('suppressed bytes bound');
  }
  return features;
}
