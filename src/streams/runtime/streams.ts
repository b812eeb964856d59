import { join } from 'node:path';
import { assert, must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
import { type Clock, nextTurn, sleep, keepAlive } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { Log, LogReader, LogWriter, OffsetToCommit, TopicPartition } from '../../log/log.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import { LogError } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import type { StateBackend, StateStore, StateStoreOptions } from '../../state/store.ts';
import type { Serde } from '../topology/serde.ts';
import type { SubTopology, TimestampExtractor, Topology, TopologyNode } from '../topology/topology.ts';
import type { ErrorHandlers } from './error-handlers.ts';
import type { InputQueue } from './input-queue.ts';
import { prepareTopics, taskCount, type TopicPlan } from './internal-topics.ts';
import {
  type KeyMetadata,
  type OpenPartitions,
  type ReadOnlyKeyValueStore,
  type ReadOnlySessionStore,
  type ReadOnlyStores,
  type ReadOnlyWindowStore,
  readOnlyView,
  type StoreKind,
  type StoreQuery,
  StoreQueryError,
} from './queryable-store.ts';
import { TaskOutput } from './record-sink.ts';
import { type RestoreListener, type RestoreRange, restoreStores } from './restore.ts';
import { lockState } from './state-directory.ts';
import type { SkippedRecord } from './skipped-record.ts';
import { Task } from './task.ts';
import { parseTaskMeta, type TaskMeta } from './task-meta.ts';

export type StreamsState = 'created' | 'restoring' | 'running' | 'paused' | 'stopping' | 'stopped' | 'error';

export interface StreamsOptions {
  /** Names the consumer group, internal topics and state directory: the identity of its progress. */
  readonly applicationId: string;
  readonly log: Log;
  readonly state: StateBackend;
  /** Where task states live, a folder an application; null keeps them in memory. */
  readonly stateDirectory: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often output, offsets and state are committed together. Default 100. */
  readonly commitIntervalMs?: number;
  /** Where to start without a committed offset. Default earliest. */
  readonly offsetReset?: 'earliest' | 'latest';
  /** Whether stores are backed by changelog topics. Default true; pointless on a log that forgets. */
  readonly changelogs?: boolean;
  /** A query that leaves nothing behind: no group, no changelogs, no state on disk. */
  readonly transient?: boolean;
  /** How often state goes to disk, at least. Default 2000: the changelog's tail covers what is newer. */
  readonly persistIntervalMs?: number;
  /** Bytes of state that may be newer than the disk. Default 64 MiB. */
  readonly unpersistedBytesMax?: number;
  /** Bytes of state held in memory, over all tasks. Default 512 MiB. */
  readonly stateBytesMax?: number;
  /** Bytes fetched and not yet processed. Default 32 MiB. */
  readonly bufferBytesMax?: number;
  readonly maxIdleMs?: number;
  /**
   * Which tasks are this instance's; all by default. Instances that share an application's tasks, in threads or
   * processes, must agree: a task that two of them run commits over itself. Whoever spreads the tasks holds the lock of
   * the state directory, and cleans up.
   */
  readonly ownsTask?: (subTopology: number, partition: number) => boolean;
  /** Who decides about records that cannot be read, processed or written. Default: each stops the application. */
  readonly handlers?: ErrorHandlers;
  /** Where handlers send dead letters. It must exist when the application starts. */
  readonly deadLetterTopic?: string;
  /** The time of records of sources that name no extractor. Default `failOnInvalidTimestamp`. */
  readonly timestampExtractor?: TimestampExtractor;
  /**
   * What follows an error that nobody handled. `stop` (the default) leaves the application in state `error`;
   * `replace` closes its tasks and opens them again where they last committed, after `restartMinMs`, twice that, …
   */
  readonly onUncaughtError?: UncaughtErrorPolicy | ((error: unknown) => UncaughtErrorPolicy);
  /** Default 1000. */
  readonly restartMinMs?: number;
  /** Default 60,000. */
  readonly restartMaxMs?: number;
  readonly onSkip?: (skipped: SkippedRecord) => void;
  /** Every error that nobody handled, also one after which the application goes on. */
  readonly onError?: (error: unknown) => void;
  readonly onStateChange?: (state: StreamsState, before: StreamsState) => void;
  readonly onRestore?: RestoreListener;
}

export type UncaughtErrorPolicy = 'stop' | 'replace';

/** A store of one task, for reading from outside (interactive queries). */
export interface TaskStore {
  readonly task: Task;
  readonly partition: number;
  readonly store: StateStore;
}

/** Longest synchronous stretch, so that sockets and timers get their turn. */
const CHUNK_MS = 10;
const CHUNK_RECORDS_MAX = 4000;
/** How long a turn may wait for input when nothing else is due. */
const IDLE_WAIT_MS = 1000;
/** Output that is worth a request of its own before the commit. */
const FLUSH_BYTES = 1024 * 1024;
/** Output that is worth a commit of its own, where nothing may be sent without one. */
const COMMIT_BYTES = 8 * 1024 * 1024;
const PENDING_BYTES_MAX = 32 * 1024 * 1024;
/** How often consumed repartition records are deleted (Kafka Streams: repartition.purge.interval.ms). */
const PURGE_INTERVAL_MS = 30_000;

/**
 * One application: a topology running on a log, as `KafkaStreams` is. Owns all partitions of its sources.
 *
 * A turn of its loop fetches, lets each task process a chunk, sends output, and commits when due. Commit order:
 * operators forward what they held back, changelogs are drained, then output, changelogs and input offsets go to
 * the log in one step, and only then state goes to disk. A crash at any point leaves state at or behind the log.
 */
export class Streams {
  readonly topology: Topology;
  readonly applicationId: string;
  readonly #options: StreamsOptions;
  #plan: TopicPlan | null = null;
  #tasks: Task[] = [];
  /** Reads the topics of global stores, all partitions; commits nothing. */
  #globalTask: Task | null = null;
  #reader: LogReader | null = null;
  #writer: LogWriter | null = null;
  #changelogPositions = new Map<Task, Map<string, number>>();
  #state: StreamsState = 'created';
  #loop: Promise<void> | null = null;
  #stop = false;
  #paused = false;
  /** Aborted to wake a paused loop. */
  #resting = new AbortController();
  #error: unknown = null;
  /** Of a flush that nobody awaited; the next turn throws it. */
  #flushError: unknown = null;
  /** Restarts since something was last committed. */
  #restarts = 0;
  #deadLetterPartitions = 0;
  #unlockState: (() => Promise<void>) | null = null;
  #lastCommitMs = 0;
  #lastPersistMs = 0;
  #lastPurgeMs = 0;
  #flushing: Promise<void> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #skippedRecords = 0;
  /** By `topic-partition` of the log. */
  readonly #inputs = new Map<string, InputQueue>();

  constructor(topology: Topology, options: StreamsOptions) {
    this.topology = topology;
    this.applicationId = options.applicationId;
    this.#options = options;
  }

  get state(): StreamsState {
    return this.#state;
  }

  /** What stopped it, in state `error`. */
  get error(): unknown {
    return this.#error;
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** Records that operators dropped since start. */
  get skippedRecords(): number {
    return this.#skippedRecords;
  }

  get processedRecords(): number {
    return this.#tasks.reduce((sum, task) => sum + task.recordsProcessed, 0);
  }

  /**
   * Creates internal topics, restores state and starts the loop. Throws what makes a start impossible. A running
   * application keeps the process alive until it is closed or fails.
   */
  async start(): Promise<void> {
    const letGo = keepAlive();
    try {
      await this.open();
    } catch (error) {
      letGo();
      throw error;
    }
    this.#loop = this.#run().finally(letGo);
  }

  /** `start` without the loop: for drivers that call `step` themselves. */
  async open(): Promise<void> {
    assert(this.#state === 'created', 'an application is started once');
    this.#changeState('restoring');
    try {
      await this.#openTasks();
    } catch (error) {
      await this.#release();
      this.#error = error;
      this.#changeState('error');
      throw error;
    }
    this.#changeState('running');
  }

  async #openTasks(): Promise<void> {
    const { log, applicationId, clock, deadLetterTopic } = this.#options;
    await this.#lockState();
    this.#plan = await prepareTopics(this.topology, log.admin, applicationId, this.#changelogs, clock);
    if (deadLetterTopic !== undefined) {
      const description = await log.admin.describeTopic(deadLetterTopic);
      if (description === undefined)
        throw new LogError('unknown-topic', `topic ${deadLetterTopic} does not exist`);
      this.#deadLetterPartitions = description.partitions;
    }
    this.#writer = await log.openWriter(this.#transient ? {} : { group: applicationId });
    this.#reader = log.openReader({ bufferBytesMax: this.#options.bufferBytesMax ?? 32 * 1024 * 1024 });
    const committed = new Map(
      (this.#transient ? [] : await log.admin.committed(applicationId)).map((each) => [
        `${each.topic}-${each.partition}`,
        each,
      ]),
    );
    if (this.topology.globalStores.length > 0) await this.#openGlobalTask();
    for (const sub of this.topology.subTopologies()) {
      const count = taskCount(sub, this.#plan.partitions);
      for (let partition = 0; partition < count; partition++)
        if (this.#options.ownsTask?.(sub.index, partition) ?? true)
          await this.#openTask(sub, partition, committed);
    }
    this.#lastCommitMs = this.#lastPersistMs = this.#lastPurgeMs = clock.now();
  }

  /**
   * One turn: fetch (waiting up to `maxWaitMs` when there is nothing to do), process, send, commit when due.
   * Returns whether anything was processed or sent.
   */
  async step(maxWaitMs = 0): Promise<boolean> {
    if (this.#paused) {
      await sleep(this.#options.clock, Math.max(1, maxWaitMs), this.#resting.signal);
      return false;
    }
    const buffered = this.allTasks.some((task) => task.inputs.some((input) => !input.isEmpty));
    // Waiting for input is no turn: a commit need not wait for it.
    const batches = await must(this.#reader).poll(buffered ? 0 : maxWaitMs);
    return this.#alone(() => this.#step(batches));
  }

  /**
   * For drivers that choose the order of records (the topology test driver): `fetch` queues what has come, then
   * `processOne` processes the next record of an input, `punctuate` fires what is due by the wall clock.
   */
  async fetch(): Promise<void> {
    const reader = must(this.#reader);
    for (;;) {
      for (const batch of await reader.poll(0))
        this.#inputs.get(`${batch.topic}-${batch.partition}`)?.push(batch);
      let behind = false;
      for (const task of this.allTasks)
        for (const input of task.inputs) {
          if (reader.position(input) < reader.endOffset(input)) behind = true;
          if (input.isEmpty) input.skipTo(reader.position(input));
        }
      if (!behind) return;
    }
  }

  /** The tasks and, first, the reader of global stores. */
  get allTasks(): readonly Task[] {
    return this.#globalTask === null ? this.#tasks : [this.#globalTask, ...this.#tasks];
  }

  async processOne(task: Task, input: InputQueue): Promise<void> {
    await task.processOne(input);
    if (task === this.#globalTask) this.#settleGlobalStores();
  }

  /** Done when it returns while all state is in memory. */
  async punctuate(): Promise<void> {
    const now = this.#options.clock.now();
    await Promise.all(this.#tasks.map((task) => task.punctuate(now)));
  }

  /** Commits now: everything processed so far is then in the log. */
  async commit(): Promise<void> {
    return this.#alone(async () => {
      if (this.#writer !== null) await this.#commit();
    });
  }

  /** Writes what is committed to disk now, and drops from memory what exceeds the budget. */
  async persist(): Promise<void> {
    return this.#alone(() => this.#persist());
  }

  /** One turn at a time: processing and commits never interleave. */
  async #alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Stops fetching and processing; state stays readable. */
  pause(): void {
    this.#paused = true;
    if (this.#state === 'running') this.#changeState('paused');
  }

  resume(): void {
    this.#paused = false;
    this.#resting.abort();
    this.#resting = new AbortController();
    if (this.#state === 'paused') this.#changeState('running');
  }

  /** Whether every input is processed up to where the log ended when this was called, and committed. */
  async caughtUp(): Promise<boolean> {
    if (this.#state === 'restoring') return false;
    return this.#hasReached(await this.#endOffsets()) && must(this.#writer).pendingBytes === 0;
  }

  /**
   * Resolves when everything that the sources held when this was called has gone through the whole topology and is
   * committed, or the application has stopped. Input that keeps coming does not hold it up.
   */
  async catchUp(): Promise<void> {
    // What is read now is in the next sub-topology's topics one round later.
    for (let round = this.topology.subTopologies().length; round > 0; round--) {
      while (this.#state === 'restoring') await sleep(this.#options.clock, 2);
      const ends = await this.#endOffsets();
      while (this.#isAlive && !this.#hasReached(ends)) await sleep(this.#options.clock, 2);
      if (!this.#isAlive) return;
      await this.commit();
    }
  }

  async #endOffsets(): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>();
    const topics = new Set(this.allTasks.flatMap((task) => task.inputs.map((input) => input.topic)));
    for (const topic of topics) {
      const offsets = await this.#options.log.admin.offsets(topic);
      offsets.forEach((each, partition) => ends.set(`${topic}-${partition}`, each.end));
    }
    return ends;
  }

  #hasReached(ends: ReadonlyMap<string, number>): boolean {
    if (this.#state === 'restoring') return false;
    const reader = must(this.#reader);
    return this.allTasks.every(
      (task) =>
        !task.commitNeeded &&
        task.inputs.every((input) => {
          const position = input.isEmpty ? Math.max(input.position, reader.position(input)) : input.position;
          return position >= (ends.get(`${input.topic}-${input.partition}`) ?? 0);
        }),
    );
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

  /**
   * A read-only view on a store by name, over the partitions of this process. Throws `StoreQueryError` when there is
   * no such store, it is of another kind, or (from its reads too) it cannot be read now.
   *
   * ```ts
   * const counts = streams.keyValueStore<string, number>('counts');
   * await counts.get('fox');
   * ```
   */
  store<K, V, Kind extends StoreKind>(name: string, query: StoreQuery<Kind, K>): ReadOnlyStores<K, V>[Kind] {
    const { kind, keySerde, partition, stale = false } = query;
    const options = this.#storeOptions(name);
    if (options.kind !== kind)
      throw new StoreQueryError(
        `store ${name} is a ${options.kind} store, not a ${kind} store`,
        `ask for kind '${options.kind}'`,
      );
    const keys = (keySerde as Serde | undefined) ?? this.#keySerdeOf(name);
    if (keys === undefined)
      throw new StoreQueryError(`it is not known how the keys of store ${name} are encoded`, 'give keySerde');
    const open: OpenPartitions = () => {
      this.#checkReadable(name, stale);
      const found = this.stores(name).filter(
        (each) => partition === undefined || each.partition === partition,
      );
      if (partition !== undefined && found.length === 0)
        throw new StoreQueryError(
          `partition ${partition} of store ${name} is not here`,
          'ask the instance that has it',
        );
      return found;
    };
    open();
    return readOnlyView(kind, name, keys, open) as ReadOnlyStores<K, V>[Kind];
  }

  keyValueStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'key-value', K>, 'kind'> = {},
  ): ReadOnlyKeyValueStore<K, V> {
    return this.store<K, V, 'key-value'>(name, { kind: 'key-value', ...query });
  }

  windowStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'window', K>, 'kind'> = {},
  ): ReadOnlyWindowStore<K, V> {
    return this.store<K, V, 'window'>(name, { kind: 'window', ...query });
  }

  sessionStore<K, V>(
    name: string,
    query: Omit<StoreQuery<'session', K>, 'kind'> = {},
  ): ReadOnlySessionStore<K, V> {
    return this.store<K, V, 'session'>(name, { kind: 'session', ...query });
  }

  /** Where a key of a store lives, by the partitioner that the store's input is written with. */
  keyMetadata<K>(
    store: string,
    key: K,
    keySerde?: Serde<K>,
    partitioner: (key: K, bytes: Uint8Array, partitions: number) => number = (_key, bytes, partitions) =>
      partitionOfKey(bytes, 0, bytes.length, partitions),
  ): KeyMetadata {
    this.#storeOptions(store);
    if (this.topology.globalStores.some((each) => each.store.name === store))
      return { store, partition: -1, local: this.stores(store).length > 0 };
    const plan = this.#plan;
    const serde = (keySerde as Serde | undefined) ?? this.#keySerdeOf(store);
    if (plan === null || serde === undefined)
      throw new StoreQueryError(
        plan === null
          ? 'the application has not been started'
          : `it is not known how the keys of store ${store} are encoded`,
        plan === null ? 'start it first' : 'give keySerde',
      );
    const sub = must(
      this.topology.subTopologies().find((each) => each.stores.some(({ options }) => options.name === store)),
    );
    const writer = new ByteWriter(64);
    serde.serialize(key, writer);
    const partition = partitioner(key, writer.toBytes(), taskCount(sub, plan.partitions));
    return { store, partition, local: this.stores(store).some((each) => each.partition === partition) };
  }

  #storeOptions(name: string): StateStoreOptions {
    const options =
      this.topology.stores.find((each) => each.options.name === name)?.options ??
      this.topology.globalStores.find(({ store }) => store.name === name)?.store;
    if (options !== undefined) return options;
    const names = [
      ...this.topology.stores.map((each) => each.options.name),
      ...this.topology.globalStores.map(({ store }) => store.name),
    ];
    throw new StoreQueryError(
      `the application has no store ${name}`,
      names.length === 0 ? 'it has no stores' : `its stores are ${names.join(', ')}`,
    );
  }

  #keySerdeOf(store: string): Serde | undefined {
    return (
      this.topology.stores.find(({ options }) => options.name === store)?.keys ??
      this.topology.globalStores.find((each) => each.store.name === store)?.source.key
    );
  }

  #checkReadable(name: string, stale: boolean): void {
    const state = this.#state;
    if (state === 'running') return;
    const open = state === 'paused' || state === 'restoring' || state === 'error';
    if (stale && open && (this.#tasks.length > 0 || this.#globalTask !== null)) return;
    throw new StoreQueryError(
      `store ${name} cannot be read while the application is ${state === 'error' ? 'stopped by an error' : state}`,
      open ? 'wait until it runs, or set stale to read what there is' : 'start the application',
    );
  }

  /** Commits, then stops. State stays on disk. Safe to call twice. */
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
    await this.#reader?.close();
    await this.#loop?.catch(() => undefined);
    await this.#turn;
    if (!failed && this.#writer !== null && this.#error === null) {
      try {
        await this.#commit();
        await this.#persist();
      } catch (error) {
        this.#error = error;
        const fields = { applicationId: this.applicationId, error: String(error) };
        this.#options.logger.error(
          fields,
          'the last commit failed: what it held is processed again at the next start',
        );
      }
    }
    for (const task of this.allTasks) task.close();
    await this.#release();
    this.#changeState('stopped');
  }

  /** After `close`: forgets state, offsets and internal topics (TERMINATE, DROP). */
  async cleanUp(): Promise<void> {
    const { log, applicationId, stateDirectory } = this.#options;
    const plan = this.#plan;
    if (plan === null) return;
    if (stateDirectory !== null && !this.#transient)
      await (await lockState(stateDirectory, applicationId)).delete();
    const committed = this.#transient ? [] : await log.admin.committed(applicationId);
    if (committed.length > 0)
      await log.admin.alterCommitted(
        applicationId,
        committed.map(({ topic, partition }) => ({ topic, partition, offset: null })),
      );
    for (const topic of this.topology.repartitionTopics)
      await log.admin.deleteTopic(plan.topicName(topic.name));
    for (const store of this.topology.stores)
      if (this.#changelogs && store.options.changelog)
        await log.admin.deleteTopic(plan.changelogName(store.options.name));
  }

  get #isAlive(): boolean {
    return this.#state === 'running' || this.#state === 'paused' || this.#state === 'restoring';
  }

  get #changelogs(): boolean {
    return !this.#transient && (this.#options.changelogs ?? true);
  }

  get #transient(): boolean {
    return this.#options.transient ?? false;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop) {
      try {
        const busy = await this.step(this.#waitMs(clock.now()));
        if (busy || this.#paused) await nextTurn();
      } catch (error) {
        // A reader that is closed while it polls is how `close` wakes the loop.
        if (this.#stop && this.#error === null) return;
        const { onUncaughtError = 'stop' } = this.#options;
        const policy = typeof onUncaughtError === 'string' ? onUncaughtError : onUncaughtError(error);
        if (policy === 'stop') return this.#fail(error);
        await this.#replace(error);
      }
    }
    return undefined;
  }

  /** Closes all tasks without a commit and opens them again where they last committed. */
  async #replace(failure: unknown): Promise<void> {
    const { clock, logger, onError, restartMinMs = 1000, restartMaxMs = 60_000 } = this.#options;
    let error = failure;
    this.#changeState('restoring');
    for (;;) {
      const waitMs = Math.min(restartMaxMs, restartMinMs * 2 ** this.#restarts++);
      logger.error(
        { applicationId: this.applicationId, error: messageOf(error), waitMs },
        'the application is started again after an error',
      );
      onError?.(error);
      await this.#alone(() => this.#abandonTasks());
      await sleep(clock, waitMs, this.#resting.signal);
      if (this.#stop) return;
      try {
        await this.#openTasks();
        break;
      } catch (reason) {
        error = reason;
      }
    }
    // It may have been paused or closed meanwhile.
    if (!this.#stop) this.#changeState(this.#paused ? 'paused' : 'running');
  }

  async #abandonTasks(): Promise<void> {
    for (const task of this.allTasks) task.close();
    await this.#release();
    this.#tasks = [];
    this.#globalTask = null;
    this.#reader = null;
    this.#writer = null;
    this.#inputs.clear();
    this.#changelogPositions.clear();
    this.#flushError = null;
  }

  /** How long a turn may wait for input: until something else is due. */
  #waitMs(now: number): number {
    let wait = IDLE_WAIT_MS;
    const commitInterval = this.#options.commitIntervalMs ?? 100;
    if (this.#tasks.some((task) => task.commitNeeded))
      wait = Math.min(wait, this.#lastCommitMs + commitInterval - now);
    for (const task of this.#tasks) wait = Math.min(wait, task.nextPunctuationMs - now);
    return Math.max(0, wait);
  }

  async #step(batches: readonly RecordBatch[]): Promise<boolean> {
    if (this.#stop) return false;
    if (this.#flushError !== null) throw this.#flushError;
    const { clock } = this.#options;
    const reader = must(this.#reader);
    const writer = must(this.#writer);
    for (const batch of batches) {
      const input = this.#inputs.get(`${batch.topic}-${batch.partition}`);
      input?.push(batch);
    }
    for (const task of this.allTasks)
      for (const input of task.inputs) if (input.isEmpty) input.skipTo(reader.position(input));
    this.#throttle();

    let processed = await this.#followGlobalStores();
    const now = clock.now();
    for (const task of this.#tasks) {
      await task.punctuate(now);
      if (task.inputs.every((input) => input.isEmpty)) continue;
      processed += await task.processChunk(CHUNK_RECORDS_MAX, clock.monotonic() + CHUNK_MS);
    }
    const idle = processed === 0;
    const pending = writer.pendingBytes;
    // Output that left before its input was committed would come twice after a crash: where the log can do both in
    // one step, sending early means committing early.
    const commitsEarly = writer.atomicCommit && pending > 0 && (idle || pending >= COMMIT_BYTES);
    if (!writer.atomicCommit && pending > 0 && (idle || pending >= FLUSH_BYTES)) this.#flushSoon();
    if (writer.pendingBytes > PENDING_BYTES_MAX || (idle && this.#flushing !== null)) await this.#flushing;

    const due = now - this.#lastCommitMs >= (this.#options.commitIntervalMs ?? 100);
    const requested = commitsEarly || this.#tasks.some((task) => task.commitRequested);
    if (requested || (due && this.#tasks.some((task) => task.commitNeeded))) {
      await this.#commit();
      await this.#persistWhenDue(now);
    }
    await this.#purgeWhenDue(now);
    return processed > 0 || pending > 0;
  }

  /** Pauses partitions of which much is queued, so that one input cannot fill the memory. */
  #throttle(): void {
    const reader = must(this.#reader);
    const limit = (this.#options.bufferBytesMax ?? 32 * 1024 * 1024) / Math.max(1, this.#inputs.size);
    for (const input of this.#inputs.values()) {
      if (!input.paused && input.bufferedBytes > limit) {
        reader.pause(input);
        input.paused = true;
      } else if (input.paused && input.bufferedBytes <= limit / 2) {
        reader.resume(input);
        input.paused = false;
      }
    }
  }

  #flushSoon(): void {
    if (this.#flushing !== null) return;
    this.#flushing = must(this.#writer)
      .flush()
      .catch((error: unknown) => {
        this.#flushError ??= error;
      })
      .finally(() => {
        this.#flushing = null;
      });
  }

  async #commit(): Promise<void> {
    const { clock } = this.#options;
    const writer = must(this.#writer);
    if (this.#flushing !== null) await this.#flushing;
    if (this.#error !== null) throw this.#error;
    if (this.#flushError !== null) throw this.#flushError;
    const offsets: OffsetToCommit[] = [];
    const changed: Task[] = [];
    for (const task of this.#tasks) {
      await task.flush();
      if (!task.commitNeeded && !task.commitRequested) continue;
      changed.push(task);
      this.#drainChangelogs(task);
      const numbers = task.persistedNumbers();
      task.inputs.forEach((input, i) => {
        const metadata = i === 0 ? encodeMetadata(numbers) : '';
        offsets.push({ topic: input.topic, partition: input.partition, offset: input.position, metadata });
      });
      task.commitNeeded = false;
      task.commitRequested = false;
    }
    if (this.#transient) offsets.length = 0;
    if (offsets.length > 0 || writer.pendingBytes > 0) {
      await writer.commit(offsets);
      this.#restarts = 0;
    }
    for (const task of changed) {
      const positions = must(this.#changelogPositions.get(task));
      for (const name of positions.keys()) {
        const end = writer.endOffset(this.#changelog(name, task.partition));
        if (end >= 0) positions.set(name, end);
      }
    }
    this.#lastCommitMs = clock.now();
  }

  #changelog(store: string, partition: number): TopicPartition {
    return { topic: must(this.#plan).changelogName(store), partition };
  }

  #drainChangelogs(task: Task): void {
    const positions = must(this.#changelogPositions.get(task));
    for (const [name, store] of task.stores) {
      if (!positions.has(name)) {
        task.state.drainChangelog(store, () => undefined);
        continue;
      }
      const appender = must(this.#writer).appender(this.#changelog(name, task.partition));
      task.state.drainChangelog(store, (key, keyStart, keyEnd, value, valueStart, valueEnd, timestamp) =>
        appender.append(Math.max(0, timestamp), key, keyStart, keyEnd, value, valueStart, valueEnd, null),
      );
    }
  }

  async #persistWhenDue(now: number): Promise<void> {
    if (this.#options.stateDirectory === null) return;
    const bytes = this.#tasks.reduce((sum, task) => sum + task.state.unpersistedBytes, 0);
    const interval = this.#options.persistIntervalMs ?? 2000;
    const full = bytes > (this.#options.unpersistedBytesMax ?? 64 * 1024 * 1024);
    if (bytes === 0 || (!full && now - this.#lastPersistMs < interval)) return;
    await this.#persist();
  }

  /** Right after a commit, with nothing processed in between: what is written is what is committed. */
  async #persist(): Promise<void> {
    if (this.#options.stateDirectory === null) return;
    for (const task of this.#tasks) {
      if (task.stores.size === 0 || task.commitNeeded) continue;
      await task.state.persist(JSON.stringify(this.#metaOf(task)));
    }
    const budget = this.#options.stateBytesMax ?? 512 * 1024 * 1024;
    const total = this.#tasks.reduce((sum, task) => sum + task.state.memoryBytes, 0);
    if (total > budget)
      for (const task of this.#tasks) task.state.evict((task.state.memoryBytes / total) * budget * 0.75);
    this.#lastPersistMs = this.#options.clock.now();
  }

  #metaOf(task: Task): TaskMeta {
    const inputs: Record<string, number> = {};
    for (const input of task.inputs) inputs[`${input.topic}-${input.partition}`] = input.position;
    return {
      format: 1,
      inputs,
      changelogs: Object.fromEntries(must(this.#changelogPositions.get(task))),
      numbers: task.persistedNumbers(),
    };
  }

  async #purgeWhenDue(now: number): Promise<void> {
    if (now - this.#lastPurgeMs < PURGE_INTERVAL_MS) return;
    this.#lastPurgeMs = now;
    const plan = must(this.#plan);
    const own = new Set(this.topology.repartitionTopics.map((topic) => plan.topicName(topic.name)));
    for (const task of this.#tasks)
      for (const { topic, partition, position } of task.inputs)
        if (own.has(topic) && !task.commitNeeded)
          await this.#options.log.admin.deleteRecords({ topic, partition, offset: position });
  }

  /** Says to others that the state is in use, before there is any: tasks create their folders when they first write. */
  async #lockState(): Promise<void> {
    const { stateDirectory, applicationId, state, ownsTask } = this.#options;
    if (
      stateDirectory === null ||
      this.#transient ||
      ownsTask !== undefined ||
      this.topology.stores.length === 0
    )
      return;
    this.#unlockState = (await state.lockApplication?.(join(stateDirectory, applicationId))) ?? null;
  }

  /** Reads the topics of global stores to their present end. */
  async #openGlobalTask(): Promise<void> {
    const { log, state: backend, clock, applicationId } = this.#options;
    const plan = must(this.#plan);
    const globals = this.topology.globalStores;
    const nodes: TopologyNode[] = [];
    for (const { source, processorName, open } of globals)
      nodes.push(
        { kind: 'source', ...source },
        { kind: 'processor', name: processorName, open, parents: [source.name] },
      );
    const task = new Task(
      {
        applicationId,
        subTopology: {
          index: this.topology.subTopologies().length,
          nodes,
          stores: globals.map(({ store, processorName }) => ({
            options: store,
            processors: [processorName],
          })),
        },
        partition: 0,
        state: await backend.openTaskState(null),
        output: new TaskOutput(must(this.#writer), (topic) => this.#partitionsOf(topic)),
        clock,
        topicName: plan.topicName,
        onSkip: (skipped) => this.#skipped(skipped),
        ...this.#taskPolicies,
        maxIdleMs: -1,
        lagOf: () => 0,
      },
      {},
    );
    task.init();
    this.#globalTask = task;
    const ends = new Map<InputQueue, number>();
    const reader = must(this.#reader);
    for (const { source } of globals)
      for (const topic of source.topics)
        for (const [partition, { start, end }] of (await log.admin.offsets(topic)).entries()) {
          const input = task.addInput(topic, start, partition);
          ends.set(input, end);
          this.#inputs.set(`${topic}-${partition}`, input);
          reader.assign({ topic, partition, offset: start });
        }
    while (
      [...ends].some(
        ([input, end]) =>
          (input.isEmpty ? Math.max(input.position, reader.position(input)) : input.position) < end,
      )
    ) {
      for (const batch of await reader.poll(100))
        this.#inputs.get(`${batch.topic}-${batch.partition}`)?.push(batch);
      await this.#followGlobalStores();
    }
  }

  async #followGlobalStores(): Promise<number> {
    const task = this.#globalTask;
    if (task === null || task.inputs.every((input) => input.isEmpty)) return 0;
    const processed = await task.processChunk(CHUNK_RECORDS_MAX, this.#options.clock.monotonic() + CHUNK_MS);
    this.#settleGlobalStores();
    return processed;
  }

  /** Global stores have no changelog: what changed need not be remembered. */
  #settleGlobalStores(): void {
    const task = must(this.#globalTask);
    for (const store of task.stores.values()) task.state.drainChangelog(store, () => undefined);
    task.commitNeeded = false;
  }

  async #openTask(
    sub: SubTopology,
    partition: number,
    committed: ReadonlyMap<string, { readonly offset: number; readonly metadata: string }>,
  ): Promise<void> {
    const { log, state: backend, clock, stateDirectory, applicationId, logger } = this.#options;
    const plan = must(this.#plan);
    const directory =
      stateDirectory === null || sub.stores.length === 0
        ? null
        : join(stateDirectory, applicationId, `${sub.index}_${partition}`);
    const state = await backend.openTaskState(directory);
    let meta = parseTaskMeta(state.meta);
    const topics = sub.nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []));
    const inputs = topics.filter((topic) => partition < must(plan.partitions.get(topic)));
    if (meta !== null && !agrees(meta, inputs.map(plan.topicName), partition, committed)) {
      logger.warn(
        { applicationId, task: `${sub.index}_${partition}` },
        'committed offsets lie before the local state: state is rebuilt',
      );
      await state.wipe();
      meta = null;
    }
    const numbers = meta?.numbers ?? {};
    const restoredNumbers = { ...numbers, ...this.#committedNumbers(inputs, partition, committed) };
    const task = new Task(
      {
        applicationId,
        subTopology: sub,
        partition,
        state,
        output: new TaskOutput(must(this.#writer), (topic) => this.#partitionsOf(topic)),
        clock,
        globalStores: this.#globalTask?.stores ?? new Map(),
        topicName: plan.topicName,
        onSkip: (skipped) => this.#skipped(skipped),
        ...this.#taskPolicies,
        maxIdleMs: this.#options.maxIdleMs ?? 0,
        lagOf: (topic, number) => this.#lagOf(topic, number),
      },
      restoredNumbers,
    );
    this.#tasks.push(task);

    const positions = new Map<string, number>();
    this.#changelogPositions.set(task, positions);
    const ranges: RestoreRange[] = [];
    for (const store of sub.stores) {
      const { name } = store.options;
      if (store.sourceTopic !== undefined && !this.#transient) {
        const topic = plan.topicName(store.sourceTopic);
        const at = (await log.admin.offsets(topic))[partition];
        if (at === undefined) continue;
        const local = meta?.inputs[`${topic}-${partition}`];
        const to = Math.min(at.end, committed.get(`${topic}-${partition}`)?.offset ?? local ?? 0);
        const from = Math.max(at.start, local ?? 0);
        ranges.push({ store: must(task.stores.get(name)), topic, partition, from, to, skipUnreadable: true });
        continue;
      }
      if (!this.#changelogs || !store.options.changelog) continue;
      const topic = plan.changelogName(name);
      const { start, end } = must((await log.admin.offsets(topic))[partition]);
      ranges.push({
        store: must(task.stores.get(name)),
        topic,
        partition,
        from: Math.max(start, meta?.changelogs[name] ?? 0),
        to: end,
      });
      positions.set(name, end);
    }
    const restored = await restoreStores(log, state, ranges, this.#options.onRestore);
    if (restored > 0) logger.info({ applicationId, task: task.id, records: restored }, 'state restored');
    task.init();

    for (const topic of inputs) {
      const name = plan.topicName(topic);
      const source = must(sub.nodes.find((node) => node.kind === 'source' && node.topics.includes(topic)));
      const reset =
        (source.kind === 'source' ? source.offsetReset : undefined) ??
        this.#options.offsetReset ??
        'earliest';
      const own = committed.get(`${name}-${partition}`)?.offset ?? meta?.inputs[`${name}-${partition}`];
      const offset = await this.#startOffset(name, partition, own, topic === name ? reset : 'earliest');
      const input = task.addInput(topic, offset);
      this.#inputs.set(`${name}-${partition}`, input);
      must(this.#reader).assign({ topic: name, partition, offset });
    }
  }

  /** The committed offset, or where the reset policy says; an offset that is gone is reset, and that is logged. */
  async #startOffset(
    topic: string,
    partition: number,
    committed: number | undefined,
    reset: 'earliest' | 'latest',
  ): Promise<number> {
    const { start, end } = must((await this.#options.log.admin.offsets(topic))[partition]);
    if (committed === undefined) return reset === 'earliest' ? start : end;
    if (committed >= start && committed <= end) return committed;
    const offset = reset === 'earliest' ? start : end;
    this.#options.logger.warn(
      { topic, partition, committed, start, end, offset },
      'committed offset is out of range',
    );
    return offset;
  }

  #committedNumbers(
    topics: readonly string[],
    partition: number,
    committed: ReadonlyMap<string, { readonly metadata: string }>,
  ): Record<string, number> {
    const first = topics[0];
    if (first === undefined) return {};
    return decodeMetadata(committed.get(`${must(this.#plan).topicName(first)}-${partition}`)?.metadata ?? '');
  }

  get #taskPolicies(): Pick<StreamsOptions, 'handlers' | 'deadLetterTopic' | 'timestampExtractor'> {
    const { handlers, deadLetterTopic, timestampExtractor } = this.#options;
    return {
      ...(handlers && { handlers }),
      ...(deadLetterTopic !== undefined && { deadLetterTopic }),
      ...(timestampExtractor && { timestampExtractor }),
    };
  }

  #partitionsOf(topic: string): number {
    if (topic === this.#options.deadLetterTopic) return this.#deadLetterPartitions;
    const count = must(this.#plan).sinkPartitions.get(topic);
    if (count === undefined) throw new LogError('unknown-topic', `topic ${topic} does not exist`);
    return count;
  }

  #lagOf(topic: string, partition: number): number {
    const reader = must(this.#reader);
    const end = reader.endOffset({ topic, partition });
    return end < 0 ? -1 : Math.max(0, end - reader.position({ topic, partition }));
  }

  #skipped(skipped: SkippedRecord): void {
    this.#skippedRecords++;
    const { key: _key, value: _value, ...fields } = skipped;
    this.#options.logger.warn(fields, `record skipped: ${skipped.detail}`);
    this.#options.onSkip?.(skipped);
  }

  #fail(error: unknown): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#stop = true;
    const fields = { applicationId: this.applicationId, error: messageOf(error) };
    this.#options.logger.error(fields, 'the application has stopped');
    this.#changeState('error');
    this.#options.onError?.(error);
  }

  #changeState(state: StreamsState): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    this.#options.onStateChange?.(state, before);
  }

  async #release(): Promise<void> {
    if (this.#flushing !== null) await this.#flushing;
    await this.#reader?.close();
    await this.#writer?.close();
    for (const task of this.allTasks) await task.state.close();
    await this.#unlockState?.();
    this.#unlockState = null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** State is usable when nobody moved the committed offsets back behind it. */
function agrees(
  meta: TaskMeta,
  topics: readonly string[],
  partition: number,
  committed: ReadonlyMap<string, { readonly offset: number }>,
): boolean {
  return topics.every((topic) => {
    const name = `${topic}-${partition}`;
    const local = meta.inputs[name];
    const offset = committed.get(name)?.offset;
    return local === undefined || (offset !== undefined && offset >= local);
  });
}

/** Operator numbers as offset metadata, which the broker limits to 4,096 bytes: too many are left out. */
function encodeMetadata(numbers: Readonly<Record<string, number>>): string {
  const text = JSON.stringify(numbers);
  return text.length <= 4000 ? text : '';
}

function decodeMetadata(text: string): Record<string, number> {
  if (!text.startsWith('{')) return {};
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    return {};
  }
}
