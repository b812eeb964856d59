import { assert, must } from '../../common/assert.ts';
import { messageOf } from '../../common/error.ts';
import { keepAlive, nextTurn, sleep, TIMER_MS_MAX } from '../../common/clock.ts';
import { LateRefusal, LogError } from '../../log/log.ts';
import { StateError } from '../../state/directory-lock.ts';
import type { StateStore } from '../../state/store.ts';
import type { Topology } from '../topology/topology.ts';
import { checkOptions } from '../instance/check-options.ts';
import type { InputQueue } from '../task/input-queue.ts';
import { changelogTopicOf, repartitionTopicOf, type TopicPlan } from '../instance/internal-topics.ts';
import type { SkippedRecord } from '../task/skipped-record.ts';
import { forgetApplication } from './forget-application.ts';
import { Listeners } from '../instance/listeners.ts';
import { shown } from '../topology/record-time.ts';
import type { RestorationProgress } from '../instance/restoration.ts';
import type { StreamsOptions, StreamsState, UncaughtErrorPolicy } from '../instance/streams-options.ts';
import type { Task } from '../task/task.ts';
import { TaskExecutor } from '../instance/task-executor.ts';

/** A store of one task, for reading from outside (interactive queries). */
export interface TaskStore {
  readonly task: Task;
  readonly partition: number;
  readonly store: StateStore;
}

/**
 * One application: a topology running on a log. It runs by itself after `start`; drivers (the test driver, simulations)
 * `open` it and take the steps themselves. `Streams` is what a library's user sees of it.
 *
 * A turn of its loop fetches, lets each task process a chunk, sends output, and commits when due. Commit order:
 * operators forward what they held back, changelogs are drained, then output, changelogs and input offsets go to
 * the log in one step, and only then state goes to disk. A crash at any point leaves state at or behind the log.
 */
export class SteppedStreams {
  readonly topology: Topology;
  readonly applicationId: string;
  readonly #options: StreamsOptions;
  readonly #listeners: Listeners;
  /** Null before the first start, and while the application is started again after an error. */
  #executor: TaskExecutor | null = null;
  #plan: TopicPlan | null = null;
  #state: StreamsState = 'created';
  /** Resolves when the latest opening of the tasks is over, however it went. */
  #opening: Promise<unknown> = Promise.resolve();
  /** Whether it runs by itself: it was started, and not only opened. */
  #loops = false;
  #loop: Promise<void> | null = null;
  #stop = false;
  #paused = false;
  /** Whether it is to hold no tasks. */
  #released = false;
  /** Aborted to wake a paused or waiting loop. */
  #resting = new AbortController();
  #error: unknown = null;
  /** Restarts since something was last committed. */
  #restarts = 0;
  #waitsToRestart = false;
  #turn: Promise<unknown> = Promise.resolve();
  #skippedRecords = 0;

  /** Throws `RangeError` when an option is out of its range. */
  constructor(topology: Topology, options: StreamsOptions) {
    checkOptions(options);
    this.topology = topology;
    this.applicationId = options.applicationId;
    this.#options = options;
    this.#listeners = new Listeners(options.logger, options.applicationId);
  }

  get state(): StreamsState {
    return this.#state;
  }

  /** The error that stopped it, in state `error`. */
  get error(): unknown {
    return this.#error;
  }

  get tasks(): readonly Task[] {
    return this.#executor?.tasks ?? [];
  }

  /** The tasks and, first, the reader of global stores. */
  get allTasks(): readonly Task[] {
    return this.#executor?.allTasks ?? [];
  }

  /** Which topics there are and how many partitions they have; null before the first start. */
  get plan(): TopicPlan | null {
    return this.#executor?.plan ?? this.#plan;
  }

  /** The topology with the topics that its patterns have found. */
  get resolved(): Topology | null {
    return this.#executor?.topology ?? null;
  }

  /** Whether it has failed, and waits until it is started again. */
  get waitsToRestart(): boolean {
    return this.#waitsToRestart;
  }

  /** How far the state is that is being restored; null while none is. */
  get restoration(): RestorationProgress | null {
    return this.#executor?.restoration ?? null;
  }

  /** Records that operators dropped since start. */
  get skippedRecords(): number {
    return this.#skippedRecords;
  }

  get processedRecords(): number {
    return this.tasks.reduce((sum, task) => sum + task.recordsProcessed, 0);
  }

  /**
   * Creates internal topics, restores state and starts the loop. Throws what makes a start impossible; with `retries` it
   * is dealt with as any error: `onUncaughtError` says whether it is tried again. A running application keeps the process alive until it is closed or fails.
   */
  async start(retries = false): Promise<void> {
    const letGo = keepAlive();
    this.#loops = true;
    let opened = Promise.resolve();
    try {
      await this.open();
    } catch (error) {
      if (!retries) {
        letGo();
        throw error;
      }
      this.#error = null;
      if (this.#stop || isUndone(error) || this.#policyFor(error) === 'replace') opened = this.#reopen(error);
      else this.#fail(error);
    }
    this.#loop = opened
      .then(() => this.#run())
      .catch((error: unknown) => this.#fail(error))
      .finally(letGo);
  }

  /** `start` without the loop: for drivers that call `step` themselves. */
  async open(): Promise<void> {
    assert(this.#state === 'created', 'an application is started once');
    this.#changeState('restoring');
    try {
      await this.#openTasks();
    } catch (error) {
      this.#error = error;
      if (!this.#gaveUp) this.#changeState('error');
      throw error;
    }
    // Paused before it was started, it starts so. It may have been closed, or released, meanwhile.
    if (!this.#gaveUp && this.#executor !== null) this.#changeState(this.#paused ? 'paused' : 'running');
  }

  /** Whether it is to hold no tasks, so that opening them ends where it is. */
  get #gaveUp(): boolean {
    return this.#stop || this.#released;
  }

  #openTasks(): Promise<void> {
    const opening = this.#open();
    this.#opening = opening.catch(() => undefined);
    return opening;
  }

  /** There is no executor afterwards when it was closed or released meanwhile. */
  async #open(): Promise<void> {
    const executor = await TaskExecutor.open(this.topology, this.#options, (skipped) =>
      this.#skipped(skipped),
    );
    this.#plan = executor.plan;
    executor.paused = this.#paused;
    this.#executor = executor;
    try {
      if (!this.#gaveUp) await executor.openTasks();
    } catch (error) {
      this.#executor = null;
      await executor.close();
      if (!executor.isStopped) throw error;
    }
    if (this.#executor !== executor || !this.#gaveUp) return;
    this.#executor = null;
    await executor.close();
  }

  /**
   * One turn: fetch (waiting up to `maxWaitMs` when there is nothing to do), process, send, commit when due.
   * Returns whether anything was processed or sent.
   */
  async step(maxWaitMs = 0): Promise<boolean> {
    const executor = must(this.#executor);
    if (this.#paused) {
      await this.#alone(() => executor.rest());
      await sleep(this.#options.clock, Math.max(1, maxWaitMs), this.#resting.signal);
      return false;
    }
    // Waiting for input is no turn: a commit need not wait for it.
    const batches = await executor.poll(maxWaitMs);
    return this.#alone(async () => {
      // It may have been released while it waited for them, and gone on since.
      if (this.#stop || this.#released || this.#executor !== executor) return false;
      // It was paused while it waited for them.
      if (this.#paused) return executor.keep(batches);
      const before = executor.commits;
      const busy = await executor.step(batches);
      if (executor.commits > before) this.#restarts = 0;
      return busy;
    });
  }

  /**
   * For drivers that choose the order of records (the topology test driver): `fetch` queues what has come, then
   * `processOne` processes the next record of an input, `punctuate` fires what is due by the wall clock.
   */
  fetch(): Promise<void> {
    return must(this.#executor).fetch();
  }

  processOne(task: Task, input: InputQueue): Promise<void> {
    return must(this.#executor).processOne(task, input);
  }

  /** Fires what is due by the wall clock, and resolves when that is through. */
  async punctuate(): Promise<void> {
    await must(this.#executor).punctuate();
  }

  /** Commits now: everything processed so far is then in the log. */
  async commit(): Promise<void> {
    return this.#alone(async () => {
      if (this.#error !== null) throw this.#error;
      await this.#executor?.commit();
    });
  }

  /**
   * Resolves when all that stores showed when this was called is committed. Rejects with `LogError` `transaction-aborted` or
   * why else it is not, when it has been undone. The embedded log, and Kafka at least once, undo nothing: there it is at once.
   */
  settled(): Promise<void> {
    const executor = this.#executor;
    if (executor !== null) return executor.settled();
    return Promise.reject(new LogError('transaction-aborted', 'what was processed last was not committed'));
  }

  /** Writes what is committed to disk now, and drops from memory what exceeds the budget. */
  async persist(): Promise<void> {
    return this.#alone(async () => this.#executor?.persist());
  }

  /** One turn at a time: processing and commits never interleave. */
  async #alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Stops fetching and processing, within a chunk too; state stays readable. */
  pause(): void {
    this.#paused = true;
    if (this.#executor !== null) this.#executor.paused = true;
    if (this.#state === 'running') this.#changeState('paused');
  }

  resume(): void {
    this.#paused = false;
    if (this.#executor !== null) this.#executor.paused = false;
    this.#wake();
    if (this.#state === 'paused') this.#changeState('running');
  }

  /**
   * Drops all tasks with their memory and what they have not committed, and waits: others may run them now. Resolves when
   * there is nothing left. Not for drivers that call `step`.
   */
  async release(): Promise<void> {
    if (!this.#loops || !(this.#isAlive || this.#state === 'waiting')) return;
    this.#letGo();
    await this.#executor?.stopReading();
    await this.#opening;
    await this.#alone(() => this.#abandonTasks());
  }

  /** Ends `release`: the tasks are opened where they were last committed, by whomever. */
  acquire(): void {
    if (!this.#released) return;
    this.#released = false;
    this.#wake();
  }

  #letGo(): void {
    this.#released = true;
    this.#changeState('waiting');
    this.#wake();
  }

  #wake(): void {
    this.#resting.abort();
    this.#resting = new AbortController();
  }

  /** Whether every input is processed up to where the log ended when this was called, and committed. */
  async caughtUp(): Promise<boolean> {
    if (this.#state === 'restoring') return false;
    await this.#executor?.writer.readable();
    return this.#hasReached(await this.#endOffsets(() => true)) && this.#executor?.writer.pendingBytes === 0;
  }

  /**
   * Resolves when everything that the sources held when this was called has gone through the whole topology and is
   * committed, or the application has stopped, or `givesUp`. Input that keeps coming does not hold it up.
   */
  async catchUp(givesUp: () => boolean = () => false): Promise<void> {
    await this.#restored(givesUp);
    const { repartitionTopics } = this.topology;
    const own = new Set(repartitionTopics.map(({ name }) => this.#plan?.topicName(name)));
    const outer = await this.#endOffsets((topic) => !own.has(topic));
    let before = new Map<string, number>();
    // A record that is read now is in the next repartition topic one round later. Those topics lead back at most once, where
    // a row of a join by foreign key asks again.
    for (let round = 0; round <= 2 * repartitionTopics.length; round++) {
      const inner = await this.#endOffsets((topic) => own.has(topic));
      if (round > 0 && [...inner].every(([at, end]) => before.get(at) === end)) return;
      before = inner;
      const ends = new Map([...outer, ...inner]);
      while (this.#isAlive && !givesUp() && !this.#hasReached(ends)) {
        this.#executor?.askCommitAt(ends);
        await sleep(this.#options.clock, 2);
      }
      if (!this.#isAlive || givesUp()) return;
      await this.commit();
      await this.#executor?.writer.readable();
      await this.#restored(givesUp);
    }
  }

  async #restored(givesUp: () => boolean): Promise<void> {
    while (this.#state === 'restoring' && !givesUp()) await sleep(this.#options.clock, 2);
  }

  /** By `topic-partition` of the log. */
  async #endOffsets(isWanted: (topic: string) => boolean): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    const topics = new Set(this.allTasks.flatMap((task) => task.inputs.map((input) => input.topic)));
    for (const topic of topics) {
      if (!isWanted(topic)) continue;
      const offsets = await this.#options.log.admin.offsets(topic);
      offsets.forEach((each, partition) => ends.set(`${topic}-${partition}`, each.end));
    }
    return ends;
  }

  #hasReached(ends: ReadonlyMap<string, number>): boolean {
    return this.#state !== 'restoring' && this.#executor?.hasReached(ends) === true;
  }

  /** The stores of that name in this process, a partition each. */
  stores(name: string): readonly TaskStore[] {
    const found: TaskStore[] = [];
    for (const task of this.allTasks) {
      const store = task.stores.get(name);
      if (store !== undefined) found.push({ task, partition: task.partition, store });
    }
    return found;
  }

  /** Commits, then stops; state that is being restored is left where it is. State stays on disk. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#state === 'stopped') return;
    const letGo = keepAlive();
    try {
      await this.#close();
    } finally {
      letGo();
    }
  }

  async #close(): Promise<void> {
    const failed = this.#state === 'error';
    if (!failed) this.#changeState('stopping');
    this.#stop = true;
    this.#resting.abort();
    await this.#executor?.stopReading();
    await this.#opening;
    await this.#loop?.catch(() => undefined);
    await this.#turn;
    const executor = this.#executor;
    if (executor !== null) {
      if (!failed && this.#error === null) await this.#commitLast(executor);
      await executor.close();
    }
    this.#changeState('stopped');
  }

  async #commitLast(executor: TaskExecutor): Promise<void> {
    try {
      await executor.commit();
      await executor.persist();
    } catch (error) {
      this.#error = error;
      const fields = { applicationId: this.applicationId, error: String(error) };
      this.#options.logger.error(
        fields,
        'the last commit failed: what it held is processed again at the next start',
      );
    }
  }

  /** After `close`: forgets state, offsets and internal topics (TERMINATE, DROP). Throws `StateError` before it. */
  async cleanUp(): Promise<void> {
    if (this.#isAlive || this.#state === 'waiting' || this.#state === 'stopping')
      throw new StateError(`the application ${this.applicationId} runs`, 'close it before it is cleaned up');
    const { log, applicationId, stateDirectory, transient = false, changelogs = true } = this.#options;
    // By name, and not as they were found: an application that could not be opened may have left them long ago.
    const topics = this.topology.repartitionTopics.map(({ name }) => repartitionTopicOf(applicationId, name));
    // A transient application has neither state nor offsets of its own.
    if (transient) for (const topic of topics) await log.admin.deleteTopic(topic);
    else {
      const kept = changelogs ? this.topology.stores.filter(({ options }) => options.changelog) : [];
      topics.push(...kept.map(({ options }) => changelogTopicOf(applicationId, options.name)));
      await forgetApplication({ log, applicationId, stateDirectory }, topics);
    }
  }

  get #isAlive(): boolean {
    return this.#state === 'running' || this.#state === 'paused' || this.#state === 'restoring';
  }

  async #run(): Promise<void> {
    while (!this.#stop) {
      // It may have been told to go on again before it came to wait.
      if (this.#released || this.#executor === null) await this.#reopen(null);
      if (this.#stop) return;
      const busy = await this.turn();
      if (busy || this.#paused) await nextTurn();
    }
  }

  /**
   * A turn of the loop: a step, waiting no longer than until something is due, and what follows when it fails. For
   * drivers that run the loop themselves, with `maxWaitMs` 0. Returns whether anything was processed or sent.
   */
  async turn(maxWaitMs = Infinity): Promise<boolean> {
    const { clock } = this.#options;
    try {
      return await this.step(Math.min(maxWaitMs, must(this.#executor).waitMs(clock.now())));
    } catch (error) {
      // A reader that is closed while it polls is how `close` and `release` wake the loop.
      if ((this.#stop && this.#error === null) || this.#released) return false;
      if (isOutdone(error)) await this.#fenced(error);
      else if (!isUndone(error) && this.#policyFor(error) === 'stop') this.#fail(error);
      else await this.#reopen(error);
      return false;
    }
  }

  /** Another process has taken its place. */
  async #fenced(error: unknown): Promise<void> {
    const { onFenced } = this.#options;
    if (onFenced === undefined) return this.#fail(error);
    this.#letGo();
    this.#listeners.tell('onFenced', () => onFenced(error));
    await this.#reopen(null);
  }

  /** What no restart mends stops the application, and so does a policy that is none, or that fails itself. */
  #policyFor(error: unknown): UncaughtErrorPolicy {
    if (error instanceof LogError && error.kind === 'partition-count') return 'stop';
    const { onUncaughtError = 'stop', logger } = this.#options;
    if (typeof onUncaughtError === 'string') return onUncaughtError;
    let policy: unknown;
    this.#listeners.tell('onUncaughtError', () => (policy = onUncaughtError(error)));
    if (policy === 'stop' || policy === 'replace') return policy;
    const fields = { applicationId: this.applicationId };
    logger.error(fields, `onUncaughtError gave ${shown(policy)}, which is neither 'stop' nor 'replace'`);
    return 'stop';
  }

  /**
   * Closes all tasks without a commit and opens them again where they last committed: after a failure, or, with null, when
   * it is no longer released.
   */
  async #reopen(failure: unknown): Promise<void> {
    let error = failure;
    while (!this.#stop) {
      if (error !== null) await this.#recover(error);
      else await this.#alone(() => this.#abandonTasks());
      while (this.#released && !this.#stop)
        await sleep(this.#options.clock, TIMER_MS_MAX, this.#resting.signal);
      if (this.#stop) return;
      this.#changeState('restoring');
      try {
        await this.#openTasks();
        error = null;
        if (!this.#released && this.#executor !== null) break;
      } catch (reason) {
        if (isOutdone(reason)) return this.#fenced(reason);
        error = this.#released ? null : reason;
        if (error !== null && !isUndone(error) && this.#policyFor(error) === 'stop') return this.#fail(error);
      }
    }
    // It may have been paused or closed meanwhile.
    if (!this.#stop) this.#changeState(this.#paused ? 'paused' : 'running');
  }

  /** Closes what has failed, and waits before it is tried again. */
  async #recover(error: unknown): Promise<void> {
    const { clock, logger, onError, restartMinMs = 1000, restartMaxMs = 60_000 } = this.#options;
    this.#changeState('restoring');
    // A transaction that is undone is nothing that may last: the first time it is done again at once.
    const waitMs =
      isUndone(error) && this.#restarts === 0
        ? 0
        : Math.min(restartMaxMs, restartMinMs * 2 ** this.#restarts);
    this.#restarts++;
    logger.error(
      { applicationId: this.applicationId, error: messageOf(error), waitMs },
      'the application is started again after an error',
    );
    this.#listeners.tell('onError', () => onError?.(error));
    await this.#alone(() => this.#abandonTasks());
    this.#waitsToRestart = true;
    await sleep(clock, waitMs, this.#resting.signal);
    this.#waitsToRestart = false;
  }

  async #abandonTasks(): Promise<void> {
    const executor = this.#executor;
    this.#executor = null;
    await executor?.close();
  }

  #skipped(skipped: SkippedRecord): void {
    this.#skippedRecords++;
    const { key: _key, value: _value, ...fields } = skipped;
    // An expression that cannot be evaluated may be null in a row that goes on: SQL's is.
    const what = skipped.reason === 'evaluation' ? 'evaluation failed' : 'record skipped';
    this.#options.logger.warn(fields, `${what}: ${skipped.detail}`);
    this.#listeners.tell('onSkip', () => this.#options.onSkip?.(skipped));
  }

  #fail(error: unknown): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#stop = true;
    const fields = { applicationId: this.applicationId, error: messageOf(error) };
    this.#options.logger.error(fields, 'the application has stopped');
    this.#changeState('error');
    this.#listeners.tell('onError', () => this.#options.onError?.(error));
  }

  #changeState(state: StreamsState): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    this.#listeners.tell('onStateChange', () => this.#options.onStateChange?.(state, before));
  }
}

/** Another writer has come in the place of this one's. */
function isOutdone(error: unknown): boolean {
  return error instanceof LogError && error.kind === 'fenced';
}

/** What was not committed is processed again, and passes then. */
function isUndone(error: unknown): boolean {
  return error instanceof LateRefusal || (error instanceof LogError && error.kind === 'transaction-aborted');
}
