import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../src/log/log.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import type { InputQueue } from '../../src/streams/task/input-queue.ts';
import { SteppedStreams } from '../../src/streams/application/stepped-streams.ts';
import type { Task } from '../../src/streams/task/task.ts';
import type { OracleCase } from '../harness/reference/oracle-case.ts';
import type { Step } from '../harness/reference/replay-case.ts';
import { SeededRandom } from '../harness/reference/seeded-random.ts';
import { CaseTopics } from './case-topics.ts';
import { Crash, CrashingProcess } from './crash.ts';

const APPLICATION = 'sim';

export interface SimulationOptions {
  /** Whether processes crash. */
  readonly crashes: boolean;
  /** Whether state lives in RocksDB; else in memory, restored from its changelogs at each start. */
  readonly onDisk: boolean;
}

export interface SimulationResult {
  /** What differs from the reference; null when nothing does. */
  readonly difference: string | null;
  readonly crashes: readonly string[];
  readonly restarts: number;
  readonly steps: number;
}

/**
 * Runs a case on the engine, with everything drawn from `seed`: how much input is there, which task processes which
 * input, when it is committed and persisted, what is evicted, when the process crashes and whether its state directory
 * is lost. What comes out must be what the reference gives for the same records in the order that was committed.
 */
export async function simulateCase(
  given: OracleCase,
  seed: number,
  options: SimulationOptions,
): Promise<SimulationResult> {
  const directory = options.onDisk ? await mkdtemp(join(tmpdir(), 'millrace-simulation-')) : null;
  const simulation = new Simulation(given, new SeededRandom(seed), options, directory);
  try {
    return await simulation.run();
  } finally {
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  }
}

class Simulation {
  readonly #case: OracleCase;
  readonly #random: SeededRandom;
  readonly #options: SimulationOptions;
  readonly #directory: string | null;
  readonly #clock = new ManualClock(0);
  readonly #crashes: string[] = [];
  #topics!: CaseTopics;
  #log!: Log;
  #restarts = 0;
  /** What was processed, as far as it is committed or still may be. */
  #trace: Step[] = [];
  #process!: CrashingProcess;
  #streams!: SteppedStreams;

  constructor(given: OracleCase, random: SeededRandom, options: SimulationOptions, directory: string | null) {
    this.#case = given;
    this.#random = random;
    this.#options = options;
    this.#directory = directory;
  }

  async run(): Promise<SimulationResult> {
    this.#log = await openEmbeddedLog({ clock: this.#clock, logger: silentLogger });
    try {
      this.#topics = await CaseTopics.create(this.#case, this.#log, APPLICATION);
      await this.#guarded(() => this.#start());
      while (!(await this.#guarded(() => this.#act()))) continue;
      await this.#streams.close();
      await this.#process.release();
      const difference = await this.#topics.compare(this.#trace);
      return { difference, crashes: this.#crashes, restarts: this.#restarts, steps: this.#trace.length };
    } finally {
      await this.#process.release();
      await this.#log.close();
    }
  }

  /** Runs an action; when the process crashes in it, starts another. */
  async #guarded(action: () => Promise<boolean | void>): Promise<boolean | void> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#crashes.push(error.message);
      await this.#recover();
      return false;
    }
  }

  async #recover(): Promise<void> {
    for (;;) {
      await this.#process.release();
      await this.#loseState();
      await this.#forgetUncommitted();
      try {
        return await this.#start();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        this.#crashes.push(error.message);
      }
    }
  }

  async #start(): Promise<void> {
    const random = this.#random;
    this.#restarts++;
    // The last of many lives is immortal: the case must come to an end.
    const mortal = this.#options.crashes && this.#restarts < 6 && random.chance(0.9);
    const state = openStateBackend({ residentBytes: random.pick([0, 1 << 20]) });
    this.#process = new CrashingProcess(this.#log, state, mortal ? random.int(1, 80) : Infinity);
    this.#streams = new SteppedStreams(this.#topics.topology(), {
      applicationId: APPLICATION,
      log: this.#process.log,
      state: this.#process.state,
      // Without one, and with less memory than it takes, state lies in a folder for this life only.
      stateDirectory: random.chance(0.25) ? null : this.#directory,
      clock: this.#clock,
      logger: silentLogger,
      stateBytesMax: random.pick([1, 500, 5000, 1 << 20]),
    });
    await this.#streams.open();
    // Global tables are read to their end at every start.
    this.#trace.push(...(await this.#topics.globalSteps()));
  }

  /** Returns whether all is done. */
  async #act(): Promise<boolean> {
    const random = this.#random;
    const streams = this.#streams;
    const action = random.next();
    if (action < 0.25) await this.#topics.produce(random.int(1, 12));
    else if (action < 0.4) await streams.fetch();
    else if (action < 0.75) await this.#processSome(random.int(1, 20));
    else if (action < 0.85) await streams.commit();
    else if (action < 0.93) await streams.persist();
    else if (action < 0.94) await this.#restart();
    if (!this.#topics.allProduced || action < 0.94) return false;
    return this.#isDone();
  }

  async #isDone(): Promise<boolean> {
    await this.#streams.commit();
    await this.#streams.fetch();
    return this.#waiting().length === 0;
  }

  /** The process is stopped as it should be, and started again. */
  async #restart(): Promise<void> {
    await this.#streams.close();
    if (this.#process.crashedAt !== null) throw new Crash(this.#process.crashedAt);
    await this.#recover();
  }

  #waiting(): { task: Task; input: InputQueue }[] {
    return this.#streams.allTasks.flatMap((task) =>
      task.inputs.filter((input) => !input.isEmpty).map((input) => ({ task, input })),
    );
  }

  async #processSome(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      const waiting = this.#waiting();
      if (waiting.length === 0) return;
      const { task, input } = this.#random.pick(waiting);
      const { topic, partition } = input;
      const offset = input.batch!.offsets[input.index]!;
      await this.#streams.processOne(task, input);
      this.#trace.push(this.#topics.stepOf(topic, partition, offset));
    }
  }

  /** What was processed after the last commit did not happen. Global tables are not part of commits. */
  async #forgetUncommitted(): Promise<void> {
    const committed = new Map<string, number>();
    const nameOf = ({ topic, partition }: Step): string =>
      `${typeof topic === 'string' ? topic : topic.internal}-${partition}`;
    for (const { topic, partition, offset } of await this.#log.admin.committed(APPLICATION))
      committed.set(nameOf(this.#topics.stepOf(topic, partition, offset)), offset);
    this.#trace = this.#trace.filter(
      (step) =>
        (typeof step.topic === 'string' && this.#topics.globalTopics.has(step.topic)) ||
        step.offset < (committed.get(nameOf(step)) ?? 0),
    );
  }

  async #loseState(): Promise<void> {
    const directory = this.#directory;
    if (directory === null || !this.#random.chance(0.25)) return;
    const application = join(directory, APPLICATION);
    const tasks = await readdir(application).catch(() => []);
    const all = this.#random.chance(0.5);
    for (const task of tasks)
      if (all || this.#random.chance(0.5))
        await rm(join(application, task), { recursive: true, force: true });
  }
}
