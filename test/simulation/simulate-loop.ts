import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, nextTurn, systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../src/log/log.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { RecordFailure } from '../../src/streams/task/error-handlers.ts';
import { SteppedStreams } from '../../src/streams/application/stepped-streams.ts';
import type { SeededRandom } from '../harness/reference/seeded-random.ts';
import type { Topology } from '../../src/streams/topology/topology.ts';
import { Crash } from './crash.ts';
import type { Forgotten } from '../harness/reference/replay-case.ts';
import { type Commits, FaultyProcess } from './faults.ts';
import { traceRecords } from './traced-topology.ts';

const APPLICATION = 'sim';
/** Lives of an instance that may end in a crash, and that have errors. */
const MORTAL_LIVES = 6;
/** Actions after the last input until nothing but turns and time is left: a restart must not help what hangs. */
const CALM_AFTER = 30;
const STILL_AFTER = 300;
const ACTIONS_MAX = 2000;
/** Real time after which a call is taken to hang. */
const STUCK_MS = 60_000;

export interface LoopOptions {
  readonly faults: boolean;
  readonly onDisk: boolean;
  /** 2 share the tasks, and change who has which. */
  readonly instances: 1 | 2;
  /** Only one instance where they are not atomic. */
  readonly commits: Commits;
  /** Whether records wait, each for a while, behind their sources. */
  readonly asynchronous: boolean;
  /** Whether the log is on disk, and is closed and opened again when nobody uses it. */
  readonly logOnDisk: boolean;
}

/**
 * What is simulated: a topology, and its topics on a log, whose inputs are written bit by bit. `Step` is something that
 * happened, above all a record that was processed.
 */
export interface SimulatedTopics<Step> {
  readonly allProduced: boolean;
  /** `note` takes what happened beside the records. */
  topology(note: (step: Step) => void): Topology;
  /** A record of the log as the case knows it. */
  stepOf(topic: string, partition: number, offset: number): Step;
  produce(count: number): Promise<void>;
  /**
   * What differs between the outputs and those that should come of `steps`; null when nothing does. `forgotten`: those
   * whose output was sent although they were not committed, and which come again.
   */
  compare(steps: readonly Step[], forgotten: readonly Forgotten[]): Promise<string | null>;
  /** What differs between the stores of the application and what should be in them; null when nothing does. */
  compareState?(instances: readonly SteppedStreams[], steps: readonly Step[]): Promise<string | null>;
  /** The log was closed and opened again. */
  useLog(log: Log): void;
}

export interface LoopResult {
  readonly difference: string | null;
  readonly crashes: readonly string[];
  readonly errors: number;
  readonly restarts: number;
  readonly steps: number;
  /** How often the state was compared: once, or not at all. */
  readonly states: number;
}

/**
 * Runs a case in the loop in which applications run (`turn`: fetch, back-pressure, the idle rule, commits by
 * interval and by request, purge, and what follows an error), on a clock that moves as the seed says. Any call of the
 * log and of the state may fail, or be the last of its process. In the end the outputs must be those that the reference
 * gives for the records in the order in which they were committed: nothing lost, nothing twice.
 */
export async function simulateLoop<Step>(
  createTopics: (log: Log, applicationId: string) => Promise<SimulatedTopics<Step>>,
  random: SeededRandom,
  options: LoopOptions,
): Promise<LoopResult> {
  const directory =
    options.onDisk || options.logOnDisk ? await mkdtemp(join(tmpdir(), 'millrace-loop-')) : null;
  const clock = new ManualClock(0);
  const openLog = (): Promise<Log> =>
    openEmbeddedLog({
      clock,
      logger: silentLogger,
      ...(options.logOnDisk && { directory: join(directory!, 'log') }),
    });
  const log = await openLog();
  const topics = await createTopics(log, APPLICATION);
  const stateDirectory = options.onDisk ? join(directory!, 'state') : null;
  const simulation = new LoopSimulation(topics, log, openLog, clock, random, options, stateDirectory);
  try {
    return await simulation.run();
  } finally {
    await simulation.release();
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  }
}

/** One instance of the application, over the lives of its processes. */
interface Instance<Step> {
  readonly number: number;
  readonly directory: string | null;
  process: FaultyProcess;
  streams: SteppedStreams;
  lives: number;
  /** What it processed and has not written, in order. */
  pending: Map<string, Step>;
}

class LoopSimulation<Step> {
  readonly #topics: SimulatedTopics<Step>;
  #log: Log;
  readonly #openLog: () => Promise<Log>;
  readonly #clock: ManualClock;
  readonly #random: SeededRandom;
  readonly #options: LoopOptions;
  readonly #directory: string | null;
  readonly #instances: Instance<Step>[] = [];
  /** What was written, in order. */
  readonly #trace: Step[] = [];
  readonly #forgotten: Forgotten[] = [];
  /** How much of the trace is in the state that the next life finds. */
  #kept = 0;
  readonly #crashes: string[] = [];
  /** By task: the number of the instance that runs it. */
  #owners = new Map<string, number>();
  #errors = 0;
  #restarts = 0;
  #notes = 0;
  #states = 0;
  #failure: RecordFailure | null = null;
  #timeStands = false;

  constructor(
    topics: SimulatedTopics<Step>,
    log: Log,
    openLog: () => Promise<Log>,
    clock: ManualClock,
    random: SeededRandom,
    options: LoopOptions,
    directory: string | null,
  ) {
    this.#topics = topics;
    this.#log = log;
    this.#openLog = openLog;
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.#directory = directory;
  }

  async run(): Promise<LoopResult> {
    const sharesDisk = this.#random.chance(0.5);
    for (let number = 0; number < this.#options.instances; number++) {
      const own =
        sharesDisk || this.#directory === null ? this.#directory : join(this.#directory, `${number}`);
      const instance = { number, directory: own, lives: 0, pending: new Map() } as unknown as Instance<Step>;
      this.#instances.push(instance);
      await this.#start(instance);
    }
    for (let actions = 0; !(await this.#isDone()); actions += this.#topics.allProduced ? 1 : 0) {
      if (actions > ACTIONS_MAX) return this.#result('it does not come to an end');
      // What time itself brings is now and then given time to be processed.
      this.#timeStands = actions > STILL_AFTER && Math.floor(actions / 100) % 2 === 0;
      await this.#act(this.#actionOf(this.#random.next(), actions));
      if (this.#failure !== null) throw this.#failure;
      await this.#recover();
    }
    const state = await this.#compareState();
    if (state !== null) return this.#result(state);
    for (const each of this.#instances) await this.#settle(each.streams.close(), each);
    return this.#result(
      (await this.#uncommitted()) ?? (await this.#topics.compare(this.#trace, this.#forgotten)),
    );
  }

  #actionOf(random: number, actions: number): number {
    if (actions < CALM_AFTER) return random;
    return this.#timeStands ? 0.45 + random * 0.48 : 0.2 + random * 0.7;
  }

  /** Unless what is left of the faults comes in between. */
  async #compareState(): Promise<string | null> {
    const topics = this.#topics;
    if (topics.compareState === undefined) return null;
    let difference: string | null = null;
    const compare = async (): Promise<void> => {
      for (const { streams } of this.#instances) await streams.commit();
      const streams = this.#instances.map((each) => each.streams);
      difference = (await topics.compareState?.(streams, this.#trace)) ?? null;
      this.#states++;
    };
    await this.#settle(compare().catch(ignoreFaults), this.#instances[0]!);
    return difference;
  }

  /** All input is processed: the next start must not find any of it. */
  async #uncommitted(): Promise<string | null> {
    for (const { topic, partition, offset } of await this.#log.admin.committed(APPLICATION)) {
      const { end } = (await this.#log.admin.offsets(topic))[partition]!;
      if (offset !== end) return `${topic}-${partition} is committed up to ${offset} of ${end}`;
    }
    return null;
  }

  #result(difference: string | null): LoopResult {
    const [crashes, restarts, steps] = [this.#crashes, this.#restarts, this.#trace.length];
    const errors = this.#instances.reduce((sum, { process }) => sum + process.errors, this.#errors);
    return { difference, crashes, errors, restarts, steps, states: this.#states };
  }

  async release(): Promise<void> {
    for (const { process } of this.#instances) await process.release();
    await this.#log.close();
  }

  async #act(action: number): Promise<void> {
    const random = this.#random;
    const instance = random.pick(this.#instances);
    const { streams } = instance;
    if (action < 0.2) await this.#topics.produce(random.int(1, 12));
    else if (action < 0.45) this.#clock.advance(random.pick([0, 1, 1, 10, 10, 100, 100, 1000, 31_000]));
    else if (action < 0.8) await this.#settle(streams.turn(0), instance);
    else if (action < 0.9) await Promise.all(this.#instances.map((each) => this.#turn(each)));
    else if (action < 0.93) await this.#settle(streams.commit().catch(ignoreFaults), instance);
    else if (action < 0.95) await this.#settle(streams.persist().catch(ignoreFaults), instance);
    else if (action < 0.97) await this.#rest(instance);
    else if (action < 0.985) await this.#rebalance();
  }

  #turn(instance: Instance<Step>): Promise<void> {
    return this.#settle(instance.streams.turn(0), instance);
  }

  async #rest(instance: Instance<Step>): Promise<void> {
    instance.streams.pause();
    await this.#turn(instance);
    instance.streams.resume();
  }

  /** Everybody stops, as they should, and the tasks are given out anew. */
  async #rebalance(): Promise<void> {
    for (const instance of this.#instances) {
      await this.#settle(instance.streams.close(), instance);
      instance.process.crashedAt ??= 'closed';
    }
    this.#owners = new Map();
  }

  /** Waits for something that may need the clock to move. The loop of a dead process is ended: it would try for ever. */
  async #settle(promise: Promise<unknown>, instance: Instance<Step>): Promise<void> {
    let settled = false;
    let ended = false;
    const outcome = promise.finally(() => (settled = true));
    outcome.catch(() => undefined);
    const deadline = systemClock.monotonic() + STUCK_MS;
    for (let waited = 0; !settled; waited++) {
      if (waited > 50 && !ended && instance.process.crashedAt !== null) {
        ended = true;
        void instance.streams.close();
      }
      if (waited > (this.#timeStands ? 500 : 30)) this.#clock.advance(10);
      // Disks take the machine's own time.
      if (waited > 100) await new Promise((resolve) => setTimeout(resolve, 1));
      else await nextTurn();
      if (systemClock.monotonic() > deadline) throw new Error('a call does not come back');
    }
    await outcome;
  }

  /** Starts what crashed, or could not be started, again. */
  async #recover(): Promise<void> {
    const dead = this.#instances.filter(({ process }) => process.crashedAt !== null);
    for (const { process } of dead) {
      if (process.crashedAt !== 'closed') this.#crashes.push(process.crashedAt!);
      await process.release();
    }
    if (dead.length === this.#instances.length && this.#options.logOnDisk && this.#random.chance(0.5)) {
      await this.#log.close();
      this.#log = await this.#openLog();
      this.#topics.useLog(this.#log);
    }
    for (const instance of dead) {
      await this.#loseState(instance);
      await this.#start(instance);
    }
  }

  async #start(instance: Instance<Step>): Promise<void> {
    const random = this.#random;
    const { faults, commits, instances } = this.#options;
    for (;;) {
      if (instance.process !== undefined) this.#errors += instance.process.errors;
      this.#restarts++;
      instance.lives++;
      instance.pending = new Map();
      const mortal = faults && instance.lives <= MORTAL_LIVES;
      const state = openStateBackend({ residentBytes: random.pick([0, 1 << 20]) });
      const process = new FaultyProcess(this.#log, state, {
        random,
        callsUntilCrash: mortal && random.chance(0.8) ? random.int(1, random.pick([50, 200, 800])) : Infinity,
        errorRate: mortal ? random.pick([0, 0.002, 0.01, 0.05]) : 0,
        holdBackRate: random.pick([0, 0, 0.3]),
        commits,
        onOpened: () => this.#opened(instance),
        onWrite: () => this.#write(instance),
      });
      instance.process = process;
      const note = (step: Step): void => void instance.pending.set(`beside ${this.#notes++}`, step);
      const onRecord = (topic: string, partition: number, offset: number): void => {
        const name = `${topic}-${partition}-${offset}`;
        instance.pending.delete(name);
        instance.pending.set(name, this.#topics.stepOf(topic, partition, offset));
      };
      const wait = async (): Promise<void> => {
        for (let left = random.int(0, 3); left > 0; left--) await nextTurn();
      };
      const waits = this.#options.asynchronous ? wait : null;
      const topology = traceRecords(this.#topics.topology(note), onRecord, waits);
      instance.streams = new SteppedStreams(topology, {
        applicationId: APPLICATION,
        log: process.log,
        state: process.state,
        stateDirectory: instance.directory,
        clock: this.#clock,
        logger: silentLogger,
        commitIntervalMs: random.pick([0, 10, 100, 1000, 50_000]),
        persistIntervalMs: random.pick([0, 100, 2000]),
        unpersistedBytesMax: random.pick([0, 1000, 1 << 20]),
        stateBytesMax: random.pick([1, 500, 5000, 1 << 20]),
        bufferBytesMax: random.pick([1, 500, 5000, 1 << 20]),
        maxIdleMs: random.pick([-1, 0, 0, 50]),
        restartMinMs: 10,
        onUncaughtError: (error) => {
          // Of the case, not of the log or the state: trying again would not help.
          if (error instanceof RecordFailure) this.#failure = error;
          return error instanceof Crash || error instanceof RecordFailure ? 'stop' : 'replace';
        },
        ...(instances > 1 && {
          ownsTask: (sub: number, partition: number) =>
            this.#ownerOf(`${sub}_${partition}`) === instance.number,
        }),
      });
      let started = false;
      await this.#settle(
        instance.streams.open().then(() => (started = true), ignoreFaults),
        instance,
      );
      if (started) return;
      if (process.crashedAt !== null) this.#crashes.push(process.crashedAt);
      await process.release();
      await this.#loseState(instance);
    }
  }

  #ownerOf(task: string): number {
    let owner = this.#owners.get(task);
    if (owner === undefined)
      this.#owners.set(task, (owner = this.#random.int(0, this.#options.instances - 1)));
    return owner;
  }

  /** Its tasks begin where they last committed. */
  #opened(instance: Instance<Step>): void {
    instance.pending.clear();
    if (this.#kept < this.#trace.length) this.#forgotten.push([this.#kept, this.#trace.length]);
    this.#kept = this.#trace.length;
  }

  #write(instance: Instance<Step>): (withState: boolean) => void {
    const steps = [...instance.pending.values()];
    instance.pending.clear();
    return (withState) => {
      this.#trace.push(...steps);
      if (withState) this.#kept = this.#trace.length;
    };
  }

  async #loseState({ directory }: Instance<Step>): Promise<void> {
    if (directory === null || this.#instances.length > 1 || !this.#random.chance(0.25)) return;
    const application = join(directory, APPLICATION);
    const all = this.#random.chance(0.5);
    for (const task of await readdir(application).catch(() => []))
      if (all || this.#random.chance(0.5))
        await rm(join(application, task), { recursive: true, force: true });
  }

  async #isDone(): Promise<boolean> {
    if (!this.#topics.allProduced || !this.#random.chance(0.2)) return false;
    for (const { streams, process } of this.#instances) {
      if (process.crashedAt !== null || streams.state !== 'running') return false;
      // Faults may also hit whoever asks.
      if (!(await streams.caughtUp().catch(() => false))) return false;
    }
    return true;
  }
}

function ignoreFaults(error: unknown): void {
  const name = (error as Error).name;
  if (name !== 'Crash' && name !== 'LogError') throw error;
}
