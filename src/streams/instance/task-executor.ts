import { join } from 'node:path';
import { must } from '../../common/assert.ts';
import {
  type Log,
  LogError,
  type LogReader,
  type LogWriter,
  type TopicPartition,
  type WriterOptions,
} from '../../log/log.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import type { StateStore } from '../../state/store.ts';
import type { SubTopology, Topology } from '../topology/topology.ts';
import { Committer } from './committer.ts';
import { GlobalStores } from './global-stores.ts';
import { InputBuffers } from './input-buffers.ts';
import { InputHorizons } from './input-horizons.ts';
import type { InputQueue, Horizon } from '../task/input-queue.ts';
import { prepareTopics, sourcesOf, taskCount, type TopicPlan, topicsRead } from './internal-topics.ts';
import { MergedTasks, mixesPartitions } from './merged-tasks.ts';
import { offsetResetOf, openInput } from './open-task.ts';
import { openTasks } from './open-tasks.ts';
import { checkPartitionCounts, committedCounts } from './partition-counts.ts';
import { RepartitionPurge } from './repartition-purge.ts';
import type { Restoration, RestorationProgress } from './restoration.ts';
import type { SkippedRecord } from '../task/skipped-record.ts';
import { cleanTasks } from './state-directory.ts';
import { StatePersistence } from './state-persistence.ts';
import type { StreamsOptions } from './streams-options.ts';
import type { TaskTurn } from '../task/task-turn.ts';
import type { Task } from '../task/task.ts';
import { type FoundTopics, TopicDiscovery } from './topic-discovery.ts';
import type { CommittedOffsets, TaskHost } from './task-host.ts';

/** Longest synchronous stretch, so that sockets and timers get their turn. */
const CHUNK_MS = 10;
const CHUNK_RECORDS_MAX = 4000;
/** How long a turn may wait for input when nothing else is due. */
const IDLE_WAIT_MS = 1000;
/** How long while calls of asynchronous processors are on their way, or tasks wait for each other's output. */
const CALL_WAIT_MS = 2;
const BUFFER_BYTES_MAX = 32 * 1024 * 1024;
const COMMIT_INTERVAL_MS = 100;
/** By how much a commit may come early where a turn has processed all that came: a turn of its own would follow soon. */
const COMMIT_EARLY_MS = 10;
/** How long after a commit another one may follow because somebody waits for it. */
const ASKED_COMMIT_MS = 20;
const TRANSACTION_TIMEOUT_MS = 10_000;
const TRANSACTION_TIMEOUT_MAX_MS = 900_000;
const TOPIC_REFRESH_MS = 60_000;
const STATE_CLEANUP_DELAY_MS = 10 * 60_000;
/**
 * How old a committed offset may get before it is committed again as it is. A group without members keeps each for
 * `offsets.retention.minutes` (7 days) since it was committed (KIP-211), and an input may have no records for longer.
 */
const OFFSET_AGE_MAX_MS = 6 * 3_600_000;

/**
 * The tasks of an instance from when they are opened until they are closed or abandoned, with their reader and writer:
 * fetches, lets each task process a chunk, sends, commits, persists. Calls must not overlap; the caller sees to it.
 */
export class TaskExecutor implements TaskHost {
  readonly options: StreamsOptions;
  /** Both are replaced when sources by pattern have found more topics, or topics have got partitions. */
  topology: Topology;
  plan: TopicPlan;
  /** By topic: how many partitions it had when it was first read; those from there on have come since. */
  readonly #firstCounts = new Map<string, number>();
  readonly reader: LogReader;
  readonly writer: LogWriter;
  readonly #deadLetterPartitions: number;
  readonly #onSkip: (skipped: SkippedRecord) => void;
  readonly #discovery: TopicDiscovery;
  readonly #inputs: InputBuffers;
  readonly #committer: Committer;
  readonly #persistence: StatePersistence;
  readonly #purge: RepartitionPurge;
  readonly #unlock: (() => void) | undefined;
  readonly #tasks: Task[] = [];
  /** Those that are processed together, readers of repartition topics before their writers. */
  #lanes: readonly Lane[] = [];
  readonly #horizons: InputHorizons;
  /** Something was processed in the last turn. */
  #busy = true;
  #globals: GlobalStores | null = null;
  #paused = false;
  #lastCommitMs: number;
  #lastCleanupMs: number;
  #lastRefreshMs: number;
  #commits = 0;
  readonly #stopped = new AbortController();
  #restoration: Restoration | null = null;
  /** Those who wait for the next commit. */
  #awaited: Awaiting[] = [];
  /** The failure that left something half done, which only opening the tasks again undoes. */
  #failure: { readonly error: unknown } | null = null;

  private constructor(
    topology: Topology,
    options: StreamsOptions,
    onSkip: (skipped: SkippedRecord) => void,
    opened: {
      readonly discovery: TopicDiscovery;
      readonly plan: TopicPlan;
      readonly writer: LogWriter;
      readonly deadLetterPartitions: number;
      readonly unlock: (() => void) | undefined;
    },
  ) {
    const { log, clock, transient = false, bufferBytesMax = BUFFER_BYTES_MAX } = options;
    const { plan, writer } = opened;
    this.options = options;
    this.plan = plan;
    this.writer = writer;
    this.topology = topology;
    this.#discovery = opened.discovery;
    this.#onSkip = onSkip;
    this.#deadLetterPartitions = opened.deadLetterPartitions;
    this.#unlock = opened.unlock;
    this.reader = log.openReader({ bufferBytesMax });
    this.#inputs = new InputBuffers(this.reader, bufferBytesMax);
    const partitionsOf = (topic: string): number | undefined => this.plan.partitions.get(topic);
    this.#committer = new Committer(clock, writer, plan.changelogName, !transient, partitionsOf);
    this.#persistence = new StatePersistence(options, this.#committer);
    const own = new Set(topology.repartitionTopics.map(({ name }) => plan.topicName(name)));
    this.#horizons = new InputHorizons(topology, {
      tasks: this.#tasks,
      topicName: plan.topicName,
      unfetchedFrom: (input) => this.#unfetchedFrom(input),
    });
    this.#purge = new RepartitionPurge(log.admin, own, clock.now());
    this.#lastCommitMs = this.#lastCleanupMs = this.#lastRefreshMs = clock.now();
  }

  /**
   * Locks the state, prepares topics, and opens the log: `openTasks` comes next. What was opened before something
   * failed is closed again.
   */
  static async open(
    topology: Topology,
    options: StreamsOptions,
    onSkip: (skipped: SkippedRecord) => void,
  ): Promise<TaskExecutor> {
    const { log, applicationId, clock } = options;
    const unlock = await lockApplication(topology, options);
    try {
      const discovery = new TopicDiscovery(topology, log.admin, applicationId, {
        intervalMs: options.topicRefreshMs ?? TOPIC_REFRESH_MS,
        now: clock.now(),
      });
      const resolved = await discovery.resolve(clock.now());
      const plan = await prepareTopics(resolved, options);
      const deadLetterPartitions = await countPartitions(log, options.deadLetterTopic);
      // Whoever ran the tasks before is ended here, before anything that it may still commit is read.
      const writer = await log.openWriter({ ...options.producer, ...writerOptions(options) });
      const opened = { discovery, plan, writer, deadLetterPartitions, unlock };
      return new TaskExecutor(resolved, options, onSkip, opened);
    } catch (error) {
      unlock?.();
      throw error;
    }
  }

  /**
   * Global stores first, read to their end; then every task of this instance, where it last committed. Throws `LogError`
   * `partition-count` when it cannot go on from there because topics have other partitions.
   */
  async openTasks(): Promise<void> {
    const { globalStores } = this.topology;
    const subTopologies = this.topology.subTopologies();
    const committed = await this.#committed();
    const before = committedCounts(committed.values());
    checkPartitionCounts(this.topology, before, this.plan.partitions);
    for (const [topic, count] of this.plan.partitions)
      this.#firstCounts.set(topic, before.get(topic) ?? count);
    if (globalStores.length > 0) {
      this.#globals = await GlobalStores.open(globalStores, subTopologies.length, this, this.#inputs);
      await this.#globals.readToEnd((task) => this.#chunk(task.turn));
    }
    await this.#openTasksOf(subTopologies, committed);
    // Commits where inputs begin of which nothing was committed yet. It does not count as progress.
    if (this.#tasks.some((task) => task.commitNeeded)) await this.#committer.commit(this.#tasks);
    this.#lastCommitMs = this.options.clock.now();
  }

  /** Those that are this instance's and not open yet. */
  async #openTasksOf(subTopologies: readonly SubTopology[], committed: CommittedOffsets): Promise<void> {
    const wanted = subTopologies.flatMap((sub) => {
      const partitions = Array.from({ length: taskCount(sub, this.plan.partitions) }, (_, i) => i);
      return partitions
        .filter((partition) => this.options.ownsTask?.(sub.index, partition) !== false)
        .filter((partition) => !this.#tasks.some((task) => isTask(task, sub, partition)))
        .map((partition) => ({ sub, partition }));
    });
    const tasks = await openTasks(this, wanted, committed, {
      signal: this.#stopped.signal,
      opened: ({ task, changelogPositions }) => {
        task.paused = this.#paused;
        this.#tasks.push(task);
        this.#committer.addTask(task, changelogPositions);
      },
      restores: (restoration) => (this.#restoration = restoration),
    });
    for (const task of tasks) for (const input of task.inputs) this.#inputs.add(input);
    this.#lanes = this.#lanesOf();
  }

  /** How far the state is that is being restored; null while none is. */
  get restoration(): RestorationProgress | null {
    return this.#restoration?.progress ?? null;
  }

  #lanesOf(): readonly Lane[] {
    const { clock } = this.options;
    return this.topology
      .subTopologies()
      .toReversed()
      .flatMap((sub): Lane[] => {
        const tasks = this.#tasks.filter((task) => task.subTopology.index === sub.index);
        const merges = tasks.length > 1 && mixesPartitions(sub, this.topology);
        if (!merges || tasks.some((task) => task.turn.isAsynchronous))
          return tasks.map((task) => ({ tasks: [task], turn: task.turn }));
        const merged = new MergedTasks(tasks, clock, (input) => this.#unfetchedFrom(input));
        return [{ tasks, turn: merged }];
      });
  }

  /**
   * The earliest time of a record that may be in an input's partition, or on its way to it, and was not fetched: nobody
   * knows it, so it is -Infinity where there may be any, and else Infinity.
   */
  #unfetchedFrom(input: TopicPartition): number {
    const isBehind =
      (this.options.maxIdleMs ?? 0) >= 0 &&
      (this.lagOf(input.topic, input.partition) !== 0 || this.#isComing(input));
    return isBehind ? -Infinity : Infinity;
  }

  /** Whether this instance has written records to an input that it has not fetched yet. */
  #isComing(input: TopicPartition): boolean {
    return this.writer.isPending(input) || this.writer.endOffset(input) > this.reader.position(input);
  }

  /**
   * Whether records are held back for others that this instance wrote and that come only when they are committed. A
   * join behind a repartition would else go on by one step of its inputs' times in each commit interval.
   */
  #waitsForItself(): boolean {
    if (!this.writer.flushStaysHidden || !this.#tasks.some((task) => task.commitNeeded)) return false;
    const inputs = this.#tasks.flatMap((task) => task.inputs);
    return (
      inputs.some((input) => !input.isEmpty) && inputs.some((input) => input.isEmpty && this.#isComing(input))
    );
  }

  horizonOf(subTopology: number, input: TopicPartition): Horizon | null {
    return this.#horizons.of(subTopology, input);
  }

  async #committed(): Promise<CommittedOffsets> {
    const { log, applicationId, transient = false } = this.options;
    const { partitions: counts, topicName } = this.plan;
    const inputs = [...counts].flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic: topicName(topic), partition })),
    );
    const offsets = transient ? [] : await log.admin.committed(applicationId, inputs);
    return new Map(offsets.map((each) => [`${each.topic}-${each.partition}`, each]));
  }

  isNew(topic: string, partition: number): boolean {
    return partition >= (this.#firstCounts.get(topic) ?? 0);
  }

  /** Reads topics and partitions that have appeared, and writes to those that topics have got. Throws as `openTasks`. */
  async #adopt({ topology, topics }: FoundTopics): Promise<void> {
    const { applicationId, logger } = this.options;
    const before = this.plan;
    for (const [topic, { id }] of topics) {
      const known = before.topicIds.get(topic);
      if (id !== undefined && known !== undefined && id !== known) await this.#throwRecreated(topic);
    }
    const partitions = new Map([...topics].map(([topic, found]) => [topic, found.partitions]));
    const changed = topicsRead(topology).filter(
      (topic) => partitions.has(topic) && partitions.get(topic) !== before.partitions.get(topic),
    );
    if (changed.length > 0) {
      checkPartitionCounts(topology, before.partitions, partitions);
      const plan = await prepareTopics(topology, this.options);
      checkPartitionCounts(topology, before.partitions, plan.partitions);
      this.plan = plan;
      this.topology = topology;
      await this.#openInputs();
      const counts = Object.fromEntries(changed.map((topic) => [topic, plan.partitions.get(topic)]));
      logger.info({ applicationId, partitions: counts }, 'new partitions are read');
    }
    const sinks = new Map(this.plan.sinkPartitions);
    for (const topic of sinks.keys()) sinks.set(topic, partitions.get(topic) ?? sinks.get(topic)!);
    this.plan = { ...this.plan, sinkPartitions: sinks };
    if ([...sinks].some(([topic, count]) => before.sinkPartitions.get(topic) !== count))
      for (const task of this.#tasks) task.sinkPartitionsChanged();
  }

  /** What was committed of the old topic since it was deleted goes, as the log lets go what was committed before. */
  async #throwRecreated(topic: string): Promise<never> {
    const { log, applicationId } = this.options;
    const old = [...(await this.#committed()).values()].filter((each) => each.topic === topic);
    const gone = old.map(({ partition }) => ({ topic, partition, offset: null }));
    if (gone.length > 0) await log.admin.alterCommitted(applicationId, gone);
    throw new LogError(
      'topic-recreated',
      `topic ${topic} was deleted and made anew while it was read: it is read as one of which nothing was committed`,
    );
  }

  /** The inputs that tasks lack, and the tasks that are lacking. */
  async #openInputs(): Promise<void> {
    const committed = await this.#committed();
    await this.#globals?.openInputs();
    for (const sub of this.topology.subTopologies()) {
      for (const task of this.#tasks) {
        if (task.subTopology.index !== sub.index) continue;
        task.subTopology = sub;
        for (const topic of sourcesOf(sub)) {
          const name = this.plan.topicName(topic);
          const isThere = task.inputs.some((input) => input.topic === name);
          if (!isThere && task.partition < must(this.plan.partitions.get(topic)))
            this.#inputs.add(await openInput(this, task, topic, committed, null, offsetResetOf(sub, topic)));
        }
      }
    }
    await this.#openTasksOf(this.topology.subTopologies(), committed);
  }

  /** While this is set no task begins another record; global stores are followed all the same. */
  set paused(paused: boolean) {
    this.#paused = paused;
    for (const task of this.#tasks) task.paused = paused;
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** The tasks and, first, the reader of global stores. */
  get allTasks(): readonly Task[] {
    return this.#globals === null ? this.#tasks : [this.#globals.task, ...this.#tasks];
  }

  get globalStores(): ReadonlyMap<string, StateStore> {
    return this.#globals?.task.stores ?? new Map();
  }

  partitionsOf(topic: string): number {
    if (topic === this.options.deadLetterTopic) return this.#deadLetterPartitions;
    const count = this.plan.sinkPartitions.get(topic);
    if (count === undefined) throw new LogError('unknown-topic', `topic ${topic} does not exist`);
    return count;
  }

  lagOf(topic: string, partition: number): number {
    return this.#inputs.lagOf(topic, partition);
  }

  onSkip(skipped: SkippedRecord): void {
    this.options.keepSkipped?.(skipped, this.writer);
    this.#onSkip(skipped);
  }

  /** Batches that came in; waits up to `maxWaitMs` for them when there is nothing to process. */
  poll(maxWaitMs: number): Promise<readonly RecordBatch[]> {
    // Here, because a chunk may have emptied what was full: an input that stays paused would be waited for in vain.
    this.#inputs.throttle();
    const buffered = this.allTasks.some(
      (task) => !task.turn.isBlocked && task.inputs.some((input) => !input.isEmpty),
    );
    // A task that waits for records on their way must leave them time to come.
    return this.reader.poll(buffered ? Math.min(maxWaitMs, this.#busy ? 0 : CALL_WAIT_MS) : maxWaitMs);
  }

  /** How long `poll` may wait: until something else is due. */
  waitMs(now: number): number {
    let wait = this.#tasks.some((task) => task.turn.awaits) ? CALL_WAIT_MS : IDLE_WAIT_MS;
    if (this.#tasks.some((task) => task.commitNeeded))
      wait = Math.min(wait, this.#lastCommitMs + this.#commitIntervalMs - now);
    wait = Math.min(wait, this.#committer.dueInMs);
    if (this.#awaited.length > 0) wait = Math.min(wait, this.#lastCommitMs + ASKED_COMMIT_MS - now);
    for (const task of this.#tasks) wait = Math.min(wait, task.turn.nextPunctuationMs - now);
    wait = Math.min(wait, this.#discovery.dueMs - now);
    return Math.max(0, wait);
  }

  /** Queues what `poll` gave for a later turn. Returns false: nothing was processed. */
  keep(batches: readonly RecordBatch[]): false {
    this.#inputs.push(batches);
    this.#inputs.throttle();
    return false;
  }

  /** One turn, with what `poll` gave. Returns whether anything was processed or sent. */
  step(batches: readonly RecordBatch[]): Promise<boolean> {
    return this.#whole(() => this.#step(batches));
  }

  async #step(batches: readonly RecordBatch[]): Promise<boolean> {
    const { clock } = this.options;
    this.#committer.throwFlushError();
    this.#throwDamage();
    this.#inputs.push(batches);

    let processed = (await this.#globals?.follow((task) => this.#chunk(task.turn))) ?? 0;
    const now = clock.now();
    const found = await this.#discovery.found(now);
    if (found !== null) await this.#adopt(found);
    for (const task of this.#tasks) await task.turn.punctuate(now);
    for (const lane of this.#lanes) {
      const { tasks } = lane;
      if (tasks.every((task) => !task.turn.awaits && task.inputs.every((input) => input.isEmpty))) continue;
      this.#horizons.changed();
      processed += await this.#chunk(lane.turn, tasks.length);
    }
    this.#busy = processed > 0;
    const pending = this.writer.pendingBytes;
    const idle = processed === 0 && !this.#tasks.some((task) => task.turn.awaits);
    const commitsEarly = (await this.#committer.send(idle)) || (idle && this.#waitsForItself());
    const asked = this.#awaited.length > 0 && now - this.#lastCommitMs >= ASKED_COMMIT_MS;
    const requested = commitsEarly || asked || this.#tasks.some((task) => task.commitRequested);
    if (requested || this.#isCommitDue(now, this.#busy)) {
      await this.#commit();
      await this.#persistence.persistWhenDue(this.#tasks, now);
    }
    await this.#purge.purgeWhenDue(this.#tasks, now);
    await this.#cleanWhenDue(now);
    return processed > 0 || pending > 0;
  }

  /**
   * Instead of a turn, while it is paused: nothing is processed, and what was is committed. It would else be undone when its
   * transaction runs out of time.
   */
  rest(): Promise<void> {
    return this.#whole(async () => {
      if (this.#isCommitDue(this.options.clock.now()) || this.isUncommitted) await this.#commit();
    });
  }

  /** `early`: whether a turn that has processed something asks. */
  #isCommitDue(now: number, early = false): boolean {
    if (now - this.#lastRefreshMs >= OFFSET_AGE_MAX_MS) {
      this.#lastRefreshMs = now;
      for (const task of this.#tasks) task.commitNeeded = true;
    }
    if (!this.#tasks.some((task) => task.commitNeeded)) return false;
    const interval = this.#commitIntervalMs;
    const left = this.#lastCommitMs + interval - now;
    if (left <= 0) return true;
    if (!early || left > Math.min(COMMIT_EARLY_MS, interval / 10)) return false;
    return !this.#inputs.behind && this.#tasks.every((task) => task.inputs.every((input) => input.isEmpty));
  }

  /** A reader from outside may have found it: the task is opened again, which rebuilds it. */
  #throwDamage(): void {
    for (const { state } of this.#tasks) if (state.damage !== null) throw state.damage;
  }

  async #cleanWhenDue(now: number): Promise<void> {
    const { stateDirectory, applicationId, clock, logger, ownsTask } = this.options;
    const {
      transient = false,
      changelogs = true,
      stateCleanupDelayMs = STATE_CLEANUP_DELAY_MS,
    } = this.options;
    if (now - this.#lastCleanupMs < stateCleanupDelayMs) return;
    this.#lastCleanupMs = now;
    if (stateDirectory === null || transient || !changelogs || ownsTask !== undefined) return;
    const keep = new Set(this.#tasks.map((task) => task.id));
    await cleanTasks(stateDirectory, applicationId, { clock, logger, keep, idleMs: stateCleanupDelayMs });
  }

  /** Queues everything that the log has now. */
  async fetch(): Promise<void> {
    do this.#inputs.push(await this.reader.poll(0));
    while (this.#inputs.behind);
  }

  async processOne(task: Task, input: InputQueue): Promise<void> {
    await task.turn.processOne(input);
    if (task === this.#globals?.task) this.#globals.settle();
  }

  async punctuate(): Promise<void> {
    const now = this.options.clock.now();
    for (const task of this.#tasks) await task.turn.punctuate(now);
  }

  commit(): Promise<void> {
    return this.#whole(() => this.#commit());
  }

  async #commit(): Promise<void> {
    const awaited = this.#awaited;
    this.#awaited = [];
    try {
      if (await this.#committer.commit(this.#tasks)) this.#commits++;
    } catch (error) {
      for (const { reject } of awaited) reject(error);
      throw error;
    }
    for (const { resolve } of awaited) resolve();
    this.#lastCommitMs = this.options.clock.now();
  }

  /**
   * Resolves when all that stores show now is committed, where it may still be undone; a commit comes soon then. Rejects when
   * it has been undone.
   */
  settled(): Promise<void> {
    if (!this.writer.flushStaysHidden || !this.isUncommitted) return Promise.resolve();
    return new Promise((resolve, reject) => this.#awaited.push({ resolve, reject }));
  }

  /** Whether there is anything that is processed and not committed. */
  get isUncommitted(): boolean {
    return this.writer.pendingBytes > 0 || this.#tasks.some((task) => task.commitNeeded);
  }

  /** How many commits there were to which something was to be said. */
  get commits(): number {
    return this.#commits;
  }

  persist(): Promise<void> {
    return this.#whole(() => this.#persistence.persist(this.#tasks));
  }

  /**
   * Does something wholly, or never anything again: after a failed commit, say, output may be pending whose input is
   * not to be committed any more. What is asked later fails with the same error.
   */
  async #whole<T>(action: () => Promise<T>): Promise<T> {
    if (this.#failure !== null) throw this.#failure.error;
    try {
      return await action();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Whether everything below `ends`, by `topic-partition`, is processed and committed. */
  hasReached(ends: ReadonlyMap<string, number>): boolean {
    return this.#hasProcessed(ends) && !this.allTasks.some((task) => task.commitNeeded);
  }

  /** Commits at the next turn if all up to `ends` is processed, and does not wait for the commit interval. */
  askCommitAt(ends: ReadonlyMap<string, number>): void {
    if (this.#hasProcessed(ends)) for (const task of this.#tasks) task.commitRequested ||= task.commitNeeded;
  }

  #hasProcessed(ends: ReadonlyMap<string, number>): boolean {
    return this.allTasks.every((task) =>
      task.inputs.every(
        (input) => this.#inputs.position(input) >= (ends.get(`${input.topic}-${input.partition}`) ?? 0),
      ),
    );
  }

  /** Ends a `poll` that waits, and all later ones, and what `openTasks` restores: it rejects then. */
  stopReading(): Promise<void> {
    this.#stopped.abort();
    return this.reader.close();
  }

  /** Whether `stopReading` was called. */
  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /**
   * Closes the operators that were opened, then everything else, without a commit. What cannot be closed is logged,
   * and keeps nothing else open.
   */
  async close(): Promise<void> {
    await this.#committer.settle();
    const undone = new LogError('transaction-aborted', 'what was processed last was not committed');
    for (const { reject } of this.#awaited.splice(0)) reject(undone);
    const closing: (() => Promise<void> | void)[] = [
      ...this.allTasks.flatMap((task) => task.closers()),
      () => this.reader.close(),
      () => this.writer.close(),
      ...this.allTasks.map((task) => () => task.state.close()),
    ];
    if (this.#unlock !== undefined) closing.push(this.#unlock);
    for (const close of closing)
      try {
        await close();
      } catch (error) {
        const { applicationId, logger } = this.options;
        logger.error({ applicationId, error: String(error) }, 'something could not be closed');
      }
  }

  get #commitIntervalMs(): number {
    return this.options.commitIntervalMs ?? COMMIT_INTERVAL_MS;
  }

  #chunk(turn: Turn, tasks = 1): Promise<number> {
    return turn.processChunk(CHUNK_RECORDS_MAX * tasks, this.options.clock.monotonic() + CHUNK_MS * tasks);
  }
}

/** Brokers allow a quarter of an hour by default: that is asked for where it is enough. */
function defaultTransactionTimeoutMs(commitIntervalMs: number): number {
  const wanted = Math.max(TRANSACTION_TIMEOUT_MS, 3 * commitIntervalMs);
  return commitIntervalMs < TRANSACTION_TIMEOUT_MAX_MS
    ? Math.min(TRANSACTION_TIMEOUT_MAX_MS, wanted)
    : wanted;
}

function writerOptions(options: StreamsOptions): WriterOptions {
  const {
    applicationId,
    transient = false,
    processingGuarantee,
    member,
    commitIntervalMs = COMMIT_INTERVAL_MS,
  } = options;
  if (transient) return {};
  if (processingGuarantee !== 'exactly_once_v2')
    return { group: applicationId, ...(member === undefined ? {} : { member }) };
  const {
    transactionalId = applicationId,
    transactionTimeoutMs = defaultTransactionTimeoutMs(commitIntervalMs),
  } = options;
  return { group: applicationId, transactionalId, transactionTimeoutMs };
}

function isTask(task: Task, sub: SubTopology, partition: number): boolean {
  return task.subTopology.index === sub.index && task.partition === partition;
}

interface Awaiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Tasks whose order among each other matters, or one task. */
interface Lane {
  readonly tasks: readonly Task[];
  readonly turn: Turn;
}

/** Processes the records of a lane. */
type Turn = Pick<TaskTurn, 'processChunk'>;

/**
 * Says to others that the application's state is in use, before there is any: tasks create their folders, and lock them,
 * when they first write.
 */
async function lockApplication(
  topology: Topology,
  { stateDirectory, applicationId, state, ownsTask, transient }: StreamsOptions,
): Promise<(() => void) | undefined> {
  if (stateDirectory === null || transient === true || ownsTask !== undefined || topology.stores.length === 0)
    return undefined;
  return state.lockApplication?.(join(stateDirectory, applicationId));
}

async function countPartitions(log: Log, deadLetterTopic: string | undefined): Promise<number> {
  if (deadLetterTopic === undefined) return 0;
  const description = await log.admin.describeTopic(deadLetterTopic);
  if (description === undefined)
    throw new LogError('unknown-topic', `topic ${deadLetterTopic} does not exist`);
  return description.partitions;
}
