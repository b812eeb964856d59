import { must } from '../../common/assert.ts';
import { eventLoop } from '../../common/event-loop.ts';
import { type StateStore, type TaskState } from '../../state/store.ts';
import type { AsyncCalls } from '../topology/async-calls.ts';
import type { Processor } from '../topology/processor.ts';
import { sourceOrder } from '../topology/source-order.ts';
import type { SourceNode, SubTopology, TopologyNode } from '../topology/topology.ts';
import { CurrentRecord } from './current-record.ts';
import { InputQueue } from './input-queue.ts';
import { NodeContext, type TaskInternals } from './node-context.ts';
import { PartitionGroup } from './partition-group.ts';
import { PersistedNumbers } from './persisted-numbers.ts';
import { Punctuations } from './punctuations.ts';
import { RecordFailures } from './record-failures.ts';
import { RecordSink } from './record-sink.ts';
import type { TaskOptions } from './task-options.ts';
import { TaskSource } from './task-source.ts';
import { failOnInvalidTimestamp } from './timestamp-extractors.ts';

/** One partition of one sub-topology: its operators, its state, its inputs. Runs in one thread, synchronously. */
export class Task {
  readonly id: string;
  /** Replaced when its sources by pattern have found more topics; the nodes stay the same. */
  subTopology: SubTopology;
  readonly partition: number;
  readonly state: TaskState;
  readonly inputs: InputQueue[] = [];
  readonly stores = new Map<string, StateStore>();
  /** The greatest timestamp seen. */
  streamTime = -1;
  /** Something happened since the last commit that a restart would need to know. */
  commitNeeded = false;
  commitRequested = false;
  recordsProcessed = 0;
  /** The time of the record that `run` left because it is too late; -1 when there was none. */
  nextMs = -1;
  /** While it is set no chunk goes on to another record. */
  paused = false;
  /** While it is set nothing may be processed: state is being loaded. */
  loading: Promise<void> | null = null;

  readonly #options: TaskOptions;
  readonly #nodes = new Map<string, NodeContext>();
  readonly #order: NodeContext[] = [];
  /** Whose `init` was called, and whose `close` was not. */
  readonly #initialized: NodeContext[] = [];
  readonly #group: PartitionGroup;
  readonly #prefetchers: Processor[];
  /** Of asynchronous operators, in topological order. */
  readonly #calls: readonly AsyncCalls[];
  readonly #record = new CurrentRecord();
  readonly #numbers = new PersistedNumbers();
  readonly #failures: RecordFailures;
  readonly #internals: TaskInternals;
  readonly #streamPunctuations = new Punctuations('stream-time');
  readonly #wallPunctuations = new Punctuations('wall-clock');
  readonly #savedTimes: number[] = [];
  /** Greatest timestamps of inputs before the restart, by `topic-partition`. */
  readonly #restoredTimes = new Map<string, number>();
  #current: TaskSource | null = null;
  readonly #processCurrent = (): void => this.#processHead(this.#current!);
  #chosen: TaskSource | null = null;

  constructor(options: TaskOptions, restoredNumbers: Readonly<Record<string, number>>) {
    this.#options = options;
    this.subTopology = options.subTopology;
    this.partition = options.partition;
    this.state = options.state;
    this.id = `${options.subTopology.index}_${options.partition}`;
    for (const [name, value] of Object.entries(restoredNumbers))
      if (name.startsWith(INPUT_TIME)) this.#restoredTimes.set(name.slice(INPUT_TIME.length), value);
      else this.#numbers.set(name, value);
    this.streamTime = this.#numbers.number('task stream-time', -1).value;
    this.#group = new PartitionGroup(options, (source) => must(sourceOrder(this.subTopology).get(source)));
    this.#failures = new RecordFailures(options, this.id, this.#record);
    this.#internals = {
      options,
      record: this.#record,
      numbers: this.#numbers,
      failures: this.#failures,
      streamPunctuations: this.#streamPunctuations,
      wallPunctuations: this.#wallPunctuations,
    };
    for (const store of options.subTopology.stores)
      this.stores.set(store.options.name, this.state.openStore(store.options));
    for (const node of options.subTopology.nodes) if (node.kind !== 'source') this.#addNode(node);
    this.#prefetchers = this.#order
      .map((each) => each.processor)
      .filter((each) => each.prefetch !== undefined);
    this.#calls = this.#order.flatMap(({ processor: { calls } }) => (calls === undefined ? [] : [calls]));
    for (const calls of this.#calls) calls.clock = options.clock;
  }

  get #sourceNodes(): readonly SourceNode[] {
    return this.subTopology.nodes.filter((node) => node.kind === 'source');
  }

  /** Calls every operator's `init`. After the state is restored and `ready`, before the first record. */
  init(): void {
    this.#waiting(() => {
      for (const node of this.#order) {
        this.#initialized.push(node);
        node.processor.init?.(node);
      }
    });
  }

  /**
   * Starts reading an input partition at `offset`: of this task's number, except for global stores, which read all.
   * `topic` is the topology's name.
   */
  addInput(topic: string, offset: number, partition = this.partition): InputQueue {
    const source = must(
      this.#sourceNodes.find((node) => node.topics.includes(topic)),
      `no source for ${topic}`,
    );
    const queue = new InputQueue(this.#options.topicName(topic), partition, offset);
    this.inputs.push(queue);
    const extractor = source.timestampExtractor ?? this.#options.timestampExtractor ?? failOnInvalidTimestamp;
    const added = new TaskSource(source, this.#children(source.name), queue, extractor);
    added.partitionTime = this.#restoredTimes.get(`${queue.topic}-${partition}`) ?? -1;
    this.#group.add(added);
    return queue;
  }

  /**
   * Processes queued records until `deadline` (monotonic), `recordsMax`, an input is needed that has not come, or it is
   * paused. Returns how many. Rejects with whatever an operator threw that is not the data's.
   */
  async processChunk(recordsMax: number, deadlineMs: number): Promise<number> {
    if (this.paused) return 0;
    await this.prepare(recordsMax);
    if (this.isAsynchronous) return this.#processAsynchronously(recordsMax, deadlineMs);
    let done = 0;
    for (;;) {
      if (this.loading !== null) await this.ready();
      const missed = this.run(recordsMax, deadlineMs, done);
      done = missed < 0 ? -missed - 1 : missed;
      if (missed >= 0) return done;
      await this.load();
    }
  }

  /** Loads what can be known to be needed for so many of the queued records. */
  async prepare(recordsMax: number): Promise<void> {
    if (this.loading !== null || !this.state.resident) await this.ready();
    if (!this.state.resident) await this.#prefetch(recordsMax);
  }

  /** Whether it has operators that wait for the outside: only `processChunk` drives those. */
  get isAsynchronous(): boolean {
    return this.#calls.length > 0;
  }

  /** See `PartitionGroup.earliest`. */
  earliest(ofEmpty: (input: InputQueue) => number): number {
    return this.#group.earliest(ofEmpty);
  }

  /** Processes the next record of one input, whatever the others hold: for drivers that choose the order. */
  async processOne(input: InputQueue): Promise<void> {
    const source = must(
      this.#group.sources.find((each) => each.queue === input),
      'the input must be one of this task',
    );
    for (;;) {
      await this.ready();
      this.#chosen = source;
      const done = this.run(1, Infinity, 0);
      this.#chosen = null;
      if (done === 1) break;
      await this.load();
    }
    if (this.#calls.length > 0) await this.#deliverAll();
  }

  /** Calls of asynchronous operators are on their way. */
  get awaits(): boolean {
    return this.#calls.some((calls) => !calls.isEmpty);
  }

  /** Nothing can be processed until a call comes back. */
  get isBlocked(): boolean {
    return this.#calls.some((calls) => calls.isFull && !calls.isHeadSettled);
  }

  async #processAsynchronously(recordsMax: number, deadlineMs: number): Promise<number> {
    let done = await this.#deliver();
    while (done < recordsMax && !this.paused && !this.#calls.some((calls) => calls.isFull)) {
      if (this.loading !== null) await this.ready();
      const missed = this.run(1, Infinity, 0);
      if (missed === 0) break;
      if (missed < 0) await this.load();
      else done++;
      for (const calls of this.#calls) calls.start();
      if (this.#options.clock.monotonic() >= deadlineMs) break;
    }
    return done;
  }

  /** Forwards what has come back, as far as order allows. Returns how many calls. */
  async #deliver(): Promise<number> {
    let delivered = 0;
    for (const calls of this.#calls)
      while (calls.isHeadSettled) {
        await this.ready();
        while (!this.#attempt(() => void calls.deliver())) {
          await this.load();
          await this.ready();
        }
        calls.delivered();
        for (const each of this.#calls) each.start();
        delivered++;
      }
    return delivered;
  }

  /** Waits for every call. */
  async #deliverAll(): Promise<void> {
    for (const calls of this.#calls) calls.start();
    while (this.awaits) {
      for (const calls of this.#calls) {
        await calls.headSettled();
        await this.#deliver();
      }
    }
  }

  /** Loads missed or wanted state; the task processes nothing meanwhile. */
  load(): Promise<void> {
    this.loading ??= this.state.load().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  /** Fires wall-clock punctuations. Done when this returns, unless they need state that must be loaded. */
  async punctuate(nowMs: number): Promise<void> {
    if (nowMs < this.#wallPunctuations.dueMs) return;
    await this.ready();
    const fire = (): void => {
      this.#record.clear();
      if (this.#wallPunctuations.fire(nowMs)) this.commitNeeded = true;
    };
    while (!this.#attempt(fire)) {
      await this.load();
      await this.ready();
    }
  }

  get nextPunctuationMs(): number {
    return this.#wallPunctuations.dueMs;
  }

  /** Before a commit: forwards what operators held back. */
  async flush(): Promise<void> {
    await this.ready();
    if (this.#calls.length > 0) await this.#deliverAll();
    for (const node of this.#order) {
      const { processor } = node;
      if (processor.flush === undefined) continue;
      this.#record.clear();
      while (!this.#attempt(() => processor.flush!())) {
        await this.load();
        await this.ready();
      }
    }
  }

  /**
   * Resolves when something may be processed: nothing is being loaded, and where operators cannot be run again, what
   * they will read can be waited for.
   */
  async ready(): Promise<void> {
    // A query may ask for the next load in the moment in which one ends.
    while (this.loading !== null) await this.loading;
    if (this.state.resident || this.subTopology.repeatable) return;
    this.loading = this.state.allowWaiting().finally(() => {
      this.loading = null;
    });
    await this.loading;
  }

  /** Runs what reads state and cannot be run again. */
  #waiting(action: () => void): void {
    const { state } = this;
    if (state.resident) return action();
    state.waits = true;
    try {
      action();
    } finally {
      state.waits = false;
    }
    // Whoever caught it has made a result of nothing.
    if (state.readFailure !== null) throw state.readFailure;
    return undefined;
  }

  /** Numbers that operators want back after a restart. */
  persistedNumbers(): Record<string, number> {
    this.#numbers.number('task stream-time', -1).value = this.streamTime;
    const numbers = this.#numbers.toObject();
    for (const { queue, partitionTime } of this.#group.sources)
      if (partitionTime >= 0) numbers[`${INPUT_TIME}${queue.topic}-${queue.partition}`] = partitionTime;
    return numbers;
  }

  /** What closes each operator that was opened; one that throws says nothing about the others. Once. */
  closers(): (() => void)[] {
    return this.#initialized.splice(0).map((node) => () => this.#waiting(() => node.processor.close?.()));
  }

  /**
   * Processes queued records, of which `done` were processed already, while none is later than `latestMs`. Returns how
   * many are done then, or -(that) - 1 when the next one needs state to be loaded. Nothing may be loading.
   */
  run(recordsMax: number, deadlineMs: number, done: number, latestMs = Infinity): number {
    const { clock } = this.#options;
    const guarded = !this.state.resident;
    while (done < recordsMax) {
      const source = this.#chosen ?? this.#group.choose();
      if (source === null) {
        this.nextMs = -1;
        return done;
      }
      if (latestMs < Infinity) {
        const time = this.#group.timeOf(source);
        if (time > latestMs) {
          this.nextMs = time;
          return done;
        }
      }
      this.#current = source;
      if (guarded) {
        if (!this.#attempt(this.#processCurrent)) return -done - 1;
      } else {
        this.#processHead(source);
      }
      this.recordsProcessed++;
      source.advance();
      done++;
      // What is downstream may be full after any record.
      if (this.paused) return done;
      if (((done & 127) === 0 || eventLoop.held) && clock.monotonic() >= deadlineMs) return done;
    }
    return done;
  }

  /** Runs `action` so that it can be taken back. Returns false when it was, because state must be loaded first. */
  #attempt(action: () => void): boolean {
    const { output } = this.#options;
    if (this.state.resident) {
      action();
      return true;
    }
    if (!this.subTopology.repeatable) {
      this.#waiting(action);
      return true;
    }
    this.#failures.begin();
    for (const calls of this.#calls) calls.mark();
    this.state.beginRecord();
    output.beginRecord();
    this.#saveNumbers();
    try {
      action();
    } catch (error) {
      // What follows from a miss, or from somebody's catching one, is no failure.
      if (!this.state.missed) {
        this.#failures.undo();
        throw error;
      }
    }
    if (!this.state.missed) {
      this.#failures.end();
      return true;
    }
    this.#failures.undo();
    this.state.undoRecord();
    output.undoRecord();
    for (const calls of this.#calls) calls.undo();
    this.#restoreNumbers();
    return false;
  }

  #processHead(source: TaskSource): void {
    const batch = source.queue.batch!;
    const i = source.queue.index;
    const { key } = source;
    this.#record.batch = batch;
    this.#record.index = i;
    this.commitNeeded = true;
    source.setKey(batch, i);
    let value: unknown;
    let timestamp: number;
    if (source.recordTime && batch.timestamps[i]! >= 0) {
      timestamp = batch.timestamps[i]!;
      const valueStart = batch.valueStart[i]!;
      if (valueStart < 0) value = null;
      else
        try {
          value = source.node.value.deserialize(batch.buffer, valueStart, batch.valueEnd[i]!);
        } catch (error) {
          return this.#failures.failed(source.node.name, 'deserialization', error);
        }
      this.#group.epoch++;
    } else {
      const { head } = source;
      this.#group.readHead(source);
      this.#group.epoch++;
      if (head.failure !== null) return this.#failures.failed(source.node.name, head.failure, head.error);
      timestamp = head.timestamp;
      value = head.value;
      if (timestamp < 0)
        return this.#failures.skip(
          source.node.name,
          'timestamp',
          `the record has no usable timestamp (${timestamp})`,
          null,
        );
    }
    if (timestamp > this.streamTime) this.streamTime = timestamp;
    if (timestamp > source.partitionTime) source.partitionTime = timestamp;
    const { children } = source;
    for (let c = 0; c < children.length; c++) children[c]!.receive(key, value, undefined, timestamp);
    if (this.streamTime >= this.#streamPunctuations.dueMs) {
      this.#record.clear();
      this.#streamPunctuations.fire(this.streamTime);
    }
    return undefined;
  }

  async #prefetch(recordsMax: number): Promise<void> {
    if (this.#prefetchers.length === 0) return;
    let planned = 0;
    for (const source of this.#group.sources) {
      const batch = source.queue.batch;
      if (batch === null) continue;
      for (let i = source.queue.index; i < batch.count && planned < recordsMax; i++, planned++) {
        if (batch.keyStart[i]! < 0) continue;
        source.setKey(batch, i);
        for (const processor of this.#prefetchers)
          processor.prefetch!(source.key, batch.timestamps[i]!, this.state);
      }
    }
    if (planned > 0) await this.load();
  }

  #saveNumbers(): void {
    let i = 0;
    this.#savedTimes[i++] = this.streamTime;
    for (const source of this.#group.sources) this.#savedTimes[i++] = source.partitionTime;
    this.#numbers.save();
  }

  #restoreNumbers(): void {
    let i = 0;
    this.streamTime = this.#savedTimes[i++]!;
    for (const source of this.#group.sources) source.partitionTime = this.#savedTimes[i++]!;
    this.#numbers.restore();
  }

  #children(parent: string): NodeContext[] {
    return this.subTopology.nodes
      .filter((node) => node.kind !== 'source' && node.parents.includes(parent))
      .map((node) => must(this.#nodes.get(node.name)));
  }

  #addNode(node: Exclude<TopologyNode, { kind: 'source' }>): void {
    const { topicName, output } = this.#options;
    const processor = node.kind === 'sink' ? new RecordSink(node, topicName, output) : node.open();
    const context = new NodeContext(this, this.#internals, node, processor);
    this.#nodes.set(node.name, context);
    this.#order.push(context);
    for (const parent of node.parents) this.#nodes.get(parent)?.addChild(context);
  }
}

const INPUT_TIME = 'input-time ';
