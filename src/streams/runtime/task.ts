import { assert, must } from '../../common/assert.ts';
import type { Clock } from '../../common/clock.ts';
import { DataError } from '../../common/error.ts';
import type { Header, RecordBatch } from '../../log/record-batch.ts';
import { readHeaders } from '../../log/record-batch-codec.ts';
import { MISS, type StateStore, type TaskState } from '../../state/store.ts';
import type {
  PersistedNumber,
  Processor,
  ProcessorContext,
  PunctuationKind,
  RecordContext,
  SkipReason,
} from '../processors/processor.ts';
import { RecordKey } from '../processors/record-key.ts';
import type { SourceNode, StoreNode, SubTopology, TopologyNode } from '../topology/topology.ts';
import { InputQueue } from './input-queue.ts';
import { Punctuations } from './punctuations.ts';
import { RecordSink, type TaskOutput } from './record-sink.ts';

/** A record that an operator dropped, with where it came from. Bytes are copies; null where there are none. */
export interface SkippedRecord {
  readonly applicationId: string;
  readonly taskId: string;
  readonly node: string;
  readonly reason: SkipReason;
  readonly detail: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface TaskOptions {
  readonly applicationId: string;
  readonly subTopology: SubTopology;
  readonly partition: number;
  readonly state: TaskState;
  readonly output: TaskOutput;
  readonly clock: Clock;
  /** Stores that every task may read. */
  readonly globalStores?: ReadonlyMap<string, StateStore>;
  /** The log's name of a topic that the topology names. */
  readonly topicName: (topic: string) => string;
  readonly onSkip: (skipped: SkippedRecord) => void;
  /** -1: never wait for an empty input; 0: wait while it is known to lag; above: and that long after. */
  readonly maxIdleMs: number;
  /** How far the log is ahead of what was fetched of an input partition: -1 unknown. */
  readonly lagOf: (topic: string, partition: number) => number;
}

/** One partition of one sub-topology: its operators, its state, its inputs. Runs in one thread, synchronously. */
export class Task {
  readonly id: string;
  readonly subTopology: SubTopology;
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
  /** While it is set nothing may be processed: state is being loaded. */
  loading: Promise<void> | null = null;

  readonly #options: TaskOptions;
  readonly #nodes = new Map<string, NodeContext>();
  readonly #order: NodeContext[] = [];
  readonly #sources: TaskSource[] = [];
  readonly #prefetchers: Processor[];
  readonly #record = new CurrentRecord();
  readonly #numbers = new Map<string, PersistedNumber>();
  readonly #streamPunctuations = new Punctuations('stream-time');
  readonly #wallPunctuations = new Punctuations('wall-clock');
  readonly #savedNumbers: number[] = [];
  #idleSince = -1;
  #chosen: TaskSource | null = null;

  constructor(options: TaskOptions, restoredNumbers: Readonly<Record<string, number>>) {
    this.#options = options;
    this.subTopology = options.subTopology;
    this.partition = options.partition;
    this.state = options.state;
    this.id = `${options.subTopology.index}_${options.partition}`;
    for (const [name, value] of Object.entries(restoredNumbers)) this.#numbers.set(name, { value });
    this.streamTime = this.#number('task stream-time', -1).value;
    for (const store of options.subTopology.stores)
      this.stores.set(store.options.name, this.state.openStore(store.options));
    for (const node of options.subTopology.nodes) if (node.kind !== 'source') this.#addNode(node);
    this.#prefetchers = this.#order.map((each) => each.processor).filter((each) => each.prefetch !== undefined);
  }

  get #sourceNodes(): readonly SourceNode[] {
    return this.subTopology.nodes.filter((node) => node.kind === 'source');
  }

  /** Calls every operator's `init`. After the state is restored, before the first record. */
  init(): void {
    for (const node of this.#order) node.processor.init?.(node);
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
    this.#sources.push(new TaskSource(source, this.#children(source.name), queue));
    return queue;
  }

  /**
   * Processes queued records until `deadline` (monotonic), `recordsMax`, or an input is needed that has not come.
   * Returns how many. Rejects with whatever an operator threw that is not the data's.
   */
  async processChunk(recordsMax: number, deadlineMs: number): Promise<number> {
    if (this.loading !== null) await this.loading;
    if (!this.state.resident) await this.#prefetch(recordsMax);
    let done = 0;
    for (;;) {
      const missed = this.#run(recordsMax, deadlineMs, done);
      done = missed < 0 ? -missed - 1 : missed;
      if (missed >= 0) return done;
      await this.load();
    }
  }

  /** Processes the next record of one input, whatever the others hold: for drivers that choose the order. */
  async processOne(input: InputQueue): Promise<void> {
    if (this.loading !== null) await this.loading;
    const source = must(
      this.#sources.find((each) => each.queue === input),
      'the input must be one of this task',
    );
    this.#chosen = source;
    try {
      while (this.#run(1, Infinity, 0) !== 1) await this.load();
    } finally {
      this.#chosen = null;
    }
  }

  /** Loads missed or wanted state; the task processes nothing meanwhile. */
  load(): Promise<void> {
    this.loading ??= this.state.load().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  /** Fires wall-clock punctuations. */
  punctuate(nowMs: number): void {
    if (nowMs < this.#wallPunctuations.dueMs) return;
    this.#record.clear();
    if (this.#wallPunctuations.fire(nowMs)) this.commitNeeded = true;
  }

  get nextPunctuationMs(): number {
    return this.#wallPunctuations.dueMs;
  }

  /** Before a commit: forwards what operators held back. */
  flush(): void {
    for (const node of this.#order) node.processor.flush?.();
  }

  /** Numbers that operators want back after a restart. */
  persistedNumbers(): Record<string, number> {
    this.#number('task stream-time', -1).value = this.streamTime;
    return Object.fromEntries([...this.#numbers].map(([name, number]) => [name, number.value]));
  }

  close(): void {
    for (const node of this.#order) node.processor.close?.();
  }

  /** Returns how many records were processed, or -(that) - 1 when the next one needs state to be loaded. */
  #run(recordsMax: number, deadlineMs: number, done: number): number {
    const { clock, output } = this.#options;
    const guarded = !this.state.resident;
    while (done < recordsMax) {
      const source = this.#chosen ?? this.#choose();
      if (source === null) return done;
      const queue = source.queue;
      if (guarded) {
        this.state.beginRecord();
        output.beginRecord();
        this.#saveNumbers();
        try {
          this.#processHead(source);
        } catch (error) {
          if (error !== MISS) throw error;
          this.state.undoRecord();
          output.undoRecord();
          this.#restoreNumbers();
          return -done - 1;
        }
      } else {
        this.#processHead(source);
      }
      queue.advance();
      done++;
      if ((done & 127) === 0 && clock.monotonic() >= deadlineMs) return done;
    }
    return done;
  }

  #processHead(source: TaskSource): void {
    const batch = source.queue.batch!;
    const i = source.queue.index;
    const { key } = source;
    this.#record.batch = batch;
    this.#record.index = i;
    this.commitNeeded = true;
    this.recordsProcessed++;
    source.setKey(batch, i);
    let value: unknown = null;
    const timestamp = this.#timestamp(source, batch, i);
    const valueStart = batch.valueStart[i]!;
    if (valueStart >= 0) {
      try {
        value = source.node.value.deserialize(batch.buffer, valueStart, batch.valueEnd[i]!);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        return this.#skip(source.node.name, 'deserialization', error.message);
      }
    }
    if (timestamp < 0)
      return this.#skip(source.node.name, 'timestamp', `the record has no usable timestamp (${timestamp})`);
    if (timestamp > this.streamTime) this.streamTime = timestamp;
    if (timestamp > source.partitionTime) source.partitionTime = timestamp;
    const { children } = source;
    for (let c = 0; c < children.length; c++) {
      const child = children[c]!;
      try {
        child.processor.process(key, value, undefined, timestamp);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        this.#skip(child.nodeName, 'evaluation', error.message);
      }
    }
    if (this.streamTime >= this.#streamPunctuations.dueMs) {
      this.#record.clear();
      this.#streamPunctuations.fire(this.streamTime);
    }
    return undefined;
  }

  #timestamp(source: TaskSource, batch: RecordBatch, i: number): number {
    const extract = source.node.timestampExtractor;
    const timestamp = batch.timestamps[i]!;
    if (extract === undefined) return timestamp;
    const start = batch.valueStart[i]!;
    try {
      const value = start < 0 ? null : source.node.value.deserialize(batch.buffer, start, batch.valueEnd[i]!);
      return extract(value, source.key, timestamp, source.partitionTime, this.#options.clock);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return -1;
    }
  }

  /** The input whose next record is oldest; null when there is none or one is awaited that might be older. */
  #choose(): TaskSource | null {
    const sources = this.#sources;
    if (sources.length === 1) return sources[0]!.queue.isEmpty ? null : sources[0]!;
    let best: TaskSource | null = null;
    let bestTimestamp = Infinity;
    let waiting = false;
    for (const source of sources) {
      if (source.queue.isEmpty) {
        if (this.#awaits(source.queue)) waiting = true;
        continue;
      }
      const timestamp = this.#headTimestamp(source);
      if (timestamp < bestTimestamp) {
        best = source;
        bestTimestamp = timestamp;
      }
    }
    if (waiting) return null;
    const { maxIdleMs, clock } = this.#options;
    if (maxIdleMs > 0 && best !== null && sources.some((source) => source.queue.isEmpty)) {
      if (this.#idleSince < 0) this.#idleSince = clock.now();
      if (clock.now() - this.#idleSince < maxIdleMs) return null;
    } else {
      this.#idleSince = -1;
    }
    return best;
  }

  #headTimestamp(source: TaskSource): number {
    if (source.node.timestampExtractor === undefined) return source.queue.headTimestamp();
    const batch = source.queue.batch!;
    source.setKey(batch, source.queue.index);
    return this.#timestamp(source, batch, source.queue.index);
  }

  /** KIP-695: an input that is empty here but not in the log may hold an older record. */
  #awaits(queue: InputQueue): boolean {
    return this.#options.maxIdleMs >= 0 && this.#options.lagOf(queue.topic, queue.partition) !== 0;
  }

  async #prefetch(recordsMax: number): Promise<void> {
    if (this.#prefetchers.length === 0) return;
    let planned = 0;
    for (const source of this.#sources) {
      const batch = source.queue.batch;
      if (batch === null) continue;
      for (let i = source.queue.index; i < batch.count && planned < recordsMax; i++, planned++) {
        if (batch.keyStart[i]! < 0) continue;
        source.setKey(batch, i);
        for (const processor of this.#prefetchers) processor.prefetch!(source.key, batch.timestamps[i]!, this.state);
      }
    }
    if (planned > 0) await this.load();
  }

  #saveNumbers(): void {
    let i = 0;
    this.#savedNumbers[i++] = this.streamTime;
    for (const source of this.#sources) this.#savedNumbers[i++] = source.partitionTime;
    for (const number of this.#numbers.values()) this.#savedNumbers[i++] = number.value;
  }

  #restoreNumbers(): void {
    let i = 0;
    this.streamTime = this.#savedNumbers[i++]!;
    for (const source of this.#sources) source.partitionTime = this.#savedNumbers[i++]!;
    for (const number of this.#numbers.values()) number.value = this.#savedNumbers[i++]!;
  }

  #number(name: string, initial: number): PersistedNumber {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = { value: initial };
      this.#numbers.set(name, number);
    }
    return number;
  }

  #children(parent: string): NodeContext[] {
    return this.subTopology.nodes
      .filter((node) => node.kind !== 'source' && node.parents.includes(parent))
      .map((node) => must(this.#nodes.get(node.name)));
  }

  #addNode(node: Exclude<TopologyNode, { kind: 'source' }>): void {
    const { topicName, output } = this.#options;
    const processor = node.kind === 'sink' ? new RecordSink(node, topicName, output) : node.open();
    const context = new NodeContext(this, node, processor);
    this.#nodes.set(node.name, context);
    this.#order.push(context);
    for (const parent of node.parents) this.#nodes.get(parent)?.addChild(context);
  }

  #skip(node: string, reason: SkipReason, detail: string): void {
    const { batch, index } = this.#record;
    const slice = (start: number, end: number): Buffer | null =>
      batch === null || start < 0 ? null : Buffer.from(batch.buffer.subarray(start, end));
    this.#options.onSkip({
      applicationId: this.#options.applicationId,
      taskId: this.id,
      node,
      reason,
      detail,
      topic: this.#record.topic,
      partition: this.#record.partition,
      offset: this.#record.offset,
      timestamp: batch === null ? -1 : batch.timestamps[index]!,
      key: batch === null ? null : slice(batch.keyStart[index]!, batch.keyEnd[index]!),
      value: batch === null ? null : slice(batch.valueStart[index]!, batch.valueEnd[index]!),
    });
  }

  /** What contexts may do to their task; not for operators. */
  get internals(): TaskInternals {
    return {
      options: this.#options,
      record: this.#record,
      number: (name, initial) => this.#number(name, initial),
      skip: (node, reason, detail) => this.#skip(node, reason, detail),
      punctuations: (kind) => (kind === 'stream-time' ? this.#streamPunctuations : this.#wallPunctuations),
    };
  }
}

interface TaskInternals {
  readonly options: TaskOptions;
  readonly record: CurrentRecord;
  number(name: string, initial: number): PersistedNumber;
  skip(node: string, reason: SkipReason, detail: string): void;
  punctuations(kind: PunctuationKind): Punctuations;
}

/** The record in flight, read from its batch when asked. */
class CurrentRecord implements RecordContext {
  batch: RecordBatch | null = null;
  index = 0;

  get topic(): string {
    return this.batch === null ? '' : this.batch.topic;
  }

  get partition(): number {
    return this.batch === null ? -1 : this.batch.partition;
  }

  get offset(): number {
    return this.batch === null ? -1 : this.batch.offsets[this.index]!;
  }

  headers(): readonly Header[] {
    return this.batch === null ? [] : readHeaders(this.batch, this.index);
  }

  clear(): void {
    this.batch = null;
  }
}

/** One input partition of a task, with the source node that reads it. */
class TaskSource {
  readonly node: SourceNode;
  readonly children: readonly NodeContext[];
  readonly queue: InputQueue;
  readonly key: RecordKey;
  partitionTime = -1;

  constructor(node: SourceNode, children: readonly NodeContext[], queue: InputQueue) {
    this.node = node;
    this.children = children;
    this.queue = queue;
    this.key = new RecordKey(node.key);
  }

  setKey(batch: RecordBatch, i: number): void {
    const start = batch.keyStart[i]!;
    const end = batch.keyEnd[i]!;
    const { window } = this.node;
    if (window === undefined || start < 0) return this.key.setBytes(batch.buffer, start, end);
    const suffix = window.kind === 'session' ? 16 : 8;
    if (end - start < suffix) return this.key.setBytes(batch.buffer, -1, -1);
    this.key.setBytes(batch.buffer, start, end - suffix);
    const last = Number(batch.buffer.readBigInt64BE(end - 8));
    this.key.windowStart = last;
    this.key.windowEnd =
      window.kind === 'session' ? Number(batch.buffer.readBigInt64BE(end - 16)) : last + window.sizeMs;
    return undefined;
  }
}

class NodeContext implements ProcessorContext {
  readonly processor: Processor;
  readonly nodeName: string;
  readonly applicationId: string;
  readonly taskId: string;
  readonly record: RecordContext;
  readonly #task: Task;
  readonly #internals: TaskInternals;
  readonly #stores: readonly StoreNode[];
  #children: NodeContext[] = [];
  #only: Processor | null = null;

  constructor(task: Task, node: TopologyNode, processor: Processor) {
    this.processor = processor;
    this.nodeName = node.name;
    this.#task = task;
    this.#internals = task.internals;
    this.applicationId = this.#internals.options.applicationId;
    this.taskId = task.id;
    this.record = this.#internals.record;
    this.#stores = task.subTopology.stores.filter((store) => store.processors.includes(node.name));
  }

  addChild(child: NodeContext): void {
    this.#children.push(child);
    this.#only = this.#children.length === 1 ? child.processor : null;
  }

  streamTime(): number {
    return this.#task.streamTime;
  }

  now(): number {
    return this.#internals.options.clock.now();
  }

  forward(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    if (this.#only !== null) return this.#only.process(key, value, old, timestamp);
    const children = this.#children;
    for (let i = 0; i < children.length; i++) children[i]!.processor.process(key, value, old, timestamp);
    return undefined;
  }

  forwardTo(child: string, key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const node = must(
      this.#children.find((each) => each.nodeName === child),
      `${this.nodeName} has no child ${child}`,
    );
    node.processor.process(key, value, old, timestamp);
  }

  store(name: string): StateStore {
    const global = this.#internals.options.globalStores?.get(name);
    if (global !== undefined) return global;
    assert(
      this.#stores.some((store) => store.options.name === name),
      `store ${name} is not connected to ${this.nodeName}`,
    );
    return must(this.#task.stores.get(name));
  }

  schedule(intervalMs: number, kind: PunctuationKind, callback: (timestamp: number) => void): () => void {
    return this.#internals.punctuations(kind).schedule(intervalMs, this.now(), callback);
  }

  requestCommit(): void {
    this.#task.commitRequested = true;
  }

  persisted(name: string, initial: number): PersistedNumber {
    return this.#internals.number(`${this.nodeName} ${name}`, initial);
  }

  shared(name: string, initial: number): PersistedNumber {
    return this.#internals.number(name, initial);
  }

  skip(reason: SkipReason, detail: string): void {
    this.#internals.skip(this.nodeName, reason, detail);
  }
}
