import { assert, AssertionError, must } from '../../common/assert.ts';
import { EMPTY_BYTES } from '../../common/bytes.ts';
import type { Clock } from '../../common/clock.ts';
import { DataError } from '../../common/error.ts';
import { LogError } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
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
import type { Serde } from '../topology/serde.ts';
import type {
  SourceNode,
  StoreNode,
  SubTopology,
  TimestampExtractor,
  TopologyNode,
} from '../topology/topology.ts';
import {
  deadLetterHeaders,
  type ErrorHandler,
  type ErrorHandlers,
  type FailedRecord,
  failOnError,
  RecordFailure,
} from './error-handlers.ts';
import { InputQueue } from './input-queue.ts';
import { Punctuations } from './punctuations.ts';
import { RecordSink, type TaskOutput } from './record-sink.ts';
import {
  failOnInvalidTimestamp,
  InvalidTimestamp,
  valueFreeExtractors,
  wallClockTimestamp,
} from './timestamp-extractors.ts';

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
  /** Who decides about records that fail. */
  readonly handlers?: ErrorHandlers;
  /** Where dead letters go. */
  readonly deadLetterTopic?: string;
  /** For sources that name none. Default `failOnInvalidTimestamp`. */
  readonly timestampExtractor?: TimestampExtractor;
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
  /** Greatest timestamps of inputs before the restart, by `topic-partition`. */
  readonly #restoredTimes = new Map<string, number>();
  /** Records dropped by the record in flight, told when it cannot be undone any more. */
  #drops: SkippedRecord[] = [];
  #guarded = false;
  #current: TaskSource | null = null;
  readonly #processCurrent = (): void => this.#processHead(this.#current!);
  /** How many records were begun: values decoded ahead into scratch rows are good for that long. */
  #epoch = 0;
  #idleSince = -1;
  #chosen: TaskSource | null = null;

  constructor(options: TaskOptions, restoredNumbers: Readonly<Record<string, number>>) {
    this.#options = options;
    this.subTopology = options.subTopology;
    this.partition = options.partition;
    this.state = options.state;
    this.id = `${options.subTopology.index}_${options.partition}`;
    for (const [name, value] of Object.entries(restoredNumbers))
      if (name.startsWith(INPUT_TIME)) this.#restoredTimes.set(name.slice(INPUT_TIME.length), value);
      else this.#numbers.set(name, { value });
    this.streamTime = this.#number('task stream-time', -1).value;
    for (const store of options.subTopology.stores)
      this.stores.set(store.options.name, this.state.openStore(store.options));
    for (const node of options.subTopology.nodes) if (node.kind !== 'source') this.#addNode(node);
    this.#prefetchers = this.#order
      .map((each) => each.processor)
      .filter((each) => each.prefetch !== undefined);
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
    const extractor = source.timestampExtractor ?? this.#options.timestampExtractor ?? failOnInvalidTimestamp;
    const added = new TaskSource(source, this.#children(source.name), queue, extractor);
    added.partitionTime = this.#restoredTimes.get(`${queue.topic}-${partition}`) ?? -1;
    this.#sources.push(added);
    return queue;
  }

  /**
   * Processes queued records until `deadline` (monotonic), `recordsMax`, or an input is needed that has not come.
   * Returns how many. Rejects with whatever an operator threw that is not the data's.
   */
  async processChunk(recordsMax: number, deadlineMs: number): Promise<number> {
    if (this.loading !== null) await this.#loaded();
    if (!this.state.resident) await this.#prefetch(recordsMax);
    let done = 0;
    for (;;) {
      if (this.loading !== null) await this.#loaded();
      const missed = this.#run(recordsMax, deadlineMs, done);
      done = missed < 0 ? -missed - 1 : missed;
      if (missed >= 0) return done;
      await this.load();
    }
  }

  /** Processes the next record of one input, whatever the others hold: for drivers that choose the order. */
  async processOne(input: InputQueue): Promise<void> {
    const source = must(
      this.#sources.find((each) => each.queue === input),
      'the input must be one of this task',
    );
    for (;;) {
      if (this.loading !== null) await this.#loaded();
      this.#chosen = source;
      const done = this.#run(1, Infinity, 0);
      this.#chosen = null;
      if (done === 1) return;
      await this.load();
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
    if (this.loading !== null) await this.#loaded();
    const fire = (): void => {
      this.#record.clear();
      if (this.#wallPunctuations.fire(nowMs)) this.commitNeeded = true;
    };
    while (!this.#attempt(fire)) {
      await this.load();
      await this.#loaded();
    }
  }

  get nextPunctuationMs(): number {
    return this.#wallPunctuations.dueMs;
  }

  /** Before a commit: forwards what operators held back. */
  async flush(): Promise<void> {
    if (this.loading !== null) await this.#loaded();
    for (const node of this.#order) {
      const { processor } = node;
      if (processor.flush === undefined) continue;
      this.#record.clear();
      while (!this.#attempt(() => processor.flush!())) {
        await this.load();
        await this.#loaded();
      }
    }
  }

  /** A query may ask for the next load in the moment in which one ends. */
  async #loaded(): Promise<void> {
    while (this.loading !== null) await this.loading;
  }

  /** Numbers that operators want back after a restart. */
  persistedNumbers(): Record<string, number> {
    this.#number('task stream-time', -1).value = this.streamTime;
    const numbers = Object.fromEntries([...this.#numbers].map(([name, number]) => [name, number.value]));
    for (const { queue, partitionTime } of this.#sources)
      if (partitionTime >= 0) numbers[`${INPUT_TIME}${queue.topic}-${queue.partition}`] = partitionTime;
    return numbers;
  }

  close(): void {
    for (const node of this.#order) node.processor.close?.();
  }

  /** Returns how many records were processed, or -(that) - 1 when the next one needs state to be loaded. */
  #run(recordsMax: number, deadlineMs: number, done: number): number {
    const { clock } = this.#options;
    const guarded = !this.state.resident;
    while (done < recordsMax) {
      const source = this.#chosen ?? this.#choose();
      if (source === null) return done;
      this.#current = source;
      if (guarded) {
        if (!this.#attempt(this.#processCurrent)) return -done - 1;
      } else {
        this.#processHead(source);
      }
      this.recordsProcessed++;
      source.advance();
      done++;
      if ((done & 127) === 0 && clock.monotonic() >= deadlineMs) return done;
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
    this.#guarded = true;
    this.state.beginRecord();
    output.beginRecord();
    this.#saveNumbers();
    try {
      action();
    } catch (error) {
      if (error !== MISS) throw error;
      this.state.undoRecord();
      output.undoRecord();
      this.#restoreNumbers();
      this.#drops.length = 0;
      return false;
    } finally {
      this.#guarded = false;
    }
    if (this.#drops.length > 0) {
      for (const dropped of this.#drops) this.#options.onSkip(dropped);
      this.#drops.length = 0;
    }
    return true;
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
          return this.failed(source.node.name, 'deserialization', error);
        }
      this.#epoch++;
    } else {
      const { head } = source;
      this.#readHead(source);
      this.#epoch++;
      if (head.failure !== null) return this.failed(source.node.name, head.failure, head.error);
      timestamp = head.timestamp;
      value = head.value;
      if (timestamp < 0)
        return this.#skip(
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

  /**
   * Decodes the next record of a source and asks for its time, once a record: the choice between inputs and the
   * processing share the answer. Only a value that other records may have overwritten since is decoded again.
   */
  #readHead(source: TaskSource): void {
    const { head, node } = source;
    const batch = source.queue.batch!;
    const i = source.queue.index;
    if (head.known && (head.failure !== null || this.#holds(source))) return;
    const start = batch.valueStart[i]!;
    source.decoder.lastSource = source;
    head.epoch = this.#epoch;
    head.value = null;
    try {
      if (start >= 0) head.value = node.value.deserialize(batch.buffer, start, batch.valueEnd[i]!);
    } catch (error) {
      this.#failHead(head, 'deserialization', error);
      return;
    }
    if (head.known) return;
    source.setKey(batch, i);
    try {
      const time = batch.timestamps[i]!;
      head.timestamp = source.extractor(
        head.value,
        source.key,
        time,
        source.partitionTime,
        this.#options.clock,
      );
      head.known = true;
    } catch (error) {
      this.#failHead(head, 'timestamp', error);
    }
  }

  #failHead(head: SourceHead, failure: SkipReason, error: unknown): void {
    head.known = true;
    head.failure = failure;
    head.error = error;
    // It goes first: what cannot be read must not wait for others.
    head.timestamp = -1;
  }

  /** Whether the decoded head is still what it was. */
  #holds({ head, node, decoder }: TaskSource): boolean {
    return node.value.borrowed !== true || (decoder.lastSource?.head === head && head.epoch === this.#epoch);
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
    const { head } = source;
    if (head.known) return head.timestamp;
    if (source.recordTime) {
      const timestamp = source.queue.headTimestamp();
      if (timestamp >= 0) return timestamp;
    }
    this.#readHead(source);
    return head.timestamp;
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
        for (const processor of this.#prefetchers)
          processor.prefetch!(source.key, batch.timestamps[i]!, this.state);
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

  /** What an operator dropped: as it says, or, where it was an error, as the handlers say. */
  #skip(node: string, reason: SkipReason, detail: string, error: unknown): void {
    if (this.#handlerOf(reason) === null) this.#drop(this.#skipped(node, reason, detail));
    else this.failed(node, reason, error ?? new DataError(detail), detail);
  }

  /**
   * What becomes of something thrown while a record, or a punctuation, was at `node`. Returns when processing goes
   * on without it.
   */
  failed(node: string, reason: SkipReason, error: unknown, detail = messageOf(error)): void {
    if (error === MISS || error instanceof RecordFailure) throw error;
    const skipped = this.#skipped(node, reason, detail);
    const ours =
      error instanceof AssertionError ||
      error instanceof InvalidTimestamp ||
      (error instanceof LogError && error.kind !== 'record-too-large');
    if (ours) throw new RecordFailure(skipped, detail, error);
    // An extractor that throws could not read the record; a sink's topic that takes no record this large is production.
    const step =
      reason === 'timestamp' ? 'deserialization' : error instanceof LogError ? 'serialization' : reason;
    const handler = this.#handlerOf(step) ?? failOnError;
    const failed: FailedRecord = { ...skipped, error, headers: this.#record.headers() };
    const verdict = handler(failed);
    if (verdict === 'fail') throw new RecordFailure(skipped, detail, error);
    if (verdict === 'dead-letter') this.#sendDeadLetter(failed);
    this.#drop(skipped);
  }

  /** Null for what is dropped without asking. */
  #handlerOf(reason: SkipReason): ErrorHandler | null {
    const { handlers } = this.#options;
    switch (reason) {
      case 'deserialization':
        return handlers?.deserialization ?? failOnError;
      case 'evaluation':
        return handlers?.processing ?? failOnError;
      case 'serialization':
        return handlers?.production ?? failOnError;
      case 'timestamp':
      case 'null-key':
      case 'null-value':
      case 'late':
        return null;
    }
  }

  #sendDeadLetter(failed: FailedRecord): void {
    const { deadLetterTopic, output } = this.#options;
    const topic = must(
      deadLetterTopic,
      'an error handler sends to the dead letter topic, and the application names none',
    );
    const key = failed.key ?? EMPTY_BYTES;
    const value = failed.value ?? EMPTY_BYTES;
    const partition = failed.key === null ? 0 : partitionOfKey(key, 0, key.length, output.partitions(topic));
    output
      .appender(topic, partition)
      .append(
        Math.max(0, failed.timestamp),
        key,
        failed.key === null ? -1 : 0,
        key.length,
        value,
        failed.value === null ? -1 : 0,
        value.length,
        deadLetterHeaders(failed),
      );
  }

  #drop(skipped: SkippedRecord): void {
    if (this.#guarded) this.#drops.push(skipped);
    else this.#options.onSkip(skipped);
  }

  #skipped(node: string, reason: SkipReason, detail: string): SkippedRecord {
    const { batch, index } = this.#record;
    const slice = (start: number, end: number): Buffer | null =>
      batch === null || start < 0 ? null : Buffer.from(batch.buffer.subarray(start, end));
    return {
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
    };
  }

  /** What contexts may do to their task; not for operators. */
  get internals(): TaskInternals {
    return {
      options: this.#options,
      record: this.#record,
      number: (name, initial) => this.#number(name, initial),
      skip: (node, reason, detail, error) => this.#skip(node, reason, detail, error),
      punctuations: (kind) => (kind === 'stream-time' ? this.#streamPunctuations : this.#wallPunctuations),
    };
  }
}

const INPUT_TIME = 'input-time ';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface TaskInternals {
  readonly options: TaskOptions;
  readonly record: CurrentRecord;
  number(name: string, initial: number): PersistedNumber;
  skip(node: string, reason: SkipReason, detail: string, error: unknown): void;
  punctuations(kind: PunctuationKind): Punctuations;
}

const NO_HEADERS: readonly Header[] = [];

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
    const { batch, index } = this;
    // The count comes first: most records have none, and sinks ask for each.
    if (batch === null || batch.buffer[batch.headersStart[index]!] === 0) return NO_HEADERS;
    return readHeaders(batch, index);
  }

  clear(): void {
    this.batch = null;
  }
}

/** What is known of a source's next record before it is processed. */
interface SourceHead {
  /** Its time was asked for. */
  known: boolean;
  timestamp: number;
  value: unknown;
  /** Why it could not be read. */
  failure: SkipReason | null;
  error: unknown;
  epoch: number;
}

/** One input partition of a task, with the source node that reads it. */
class TaskSource {
  readonly node: SourceNode;
  readonly children: readonly NodeContext[];
  readonly queue: InputQueue;
  readonly key: RecordKey;
  partitionTime = -1;
  readonly extractor: TimestampExtractor;
  /** The time is the record's own as long as that is not negative. */
  readonly recordTime: boolean;
  readonly head: SourceHead = {
    known: false,
    timestamp: -1,
    value: null,
    failure: null,
    error: null,
    epoch: 0,
  };
  /** Shared by all sources that decode with the same serde, whose scratch row has room for one of them. */
  readonly decoder: Decoder;

  constructor(
    node: SourceNode,
    children: readonly NodeContext[],
    queue: InputQueue,
    extractor: TimestampExtractor,
  ) {
    this.extractor = extractor;
    this.recordTime = valueFreeExtractors.has(extractor) && extractor !== wallClockTimestamp;
    this.decoder = decoderOf(node.value);
    this.node = node;
    this.children = children;
    this.queue = queue;
    this.key = new RecordKey(node.key);
  }

  /** Steps over the next record. */
  advance(): void {
    const { head } = this;
    if (head.known) {
      head.known = false;
      head.failure = null;
      head.error = null;
      head.value = null;
    }
    this.queue.advance();
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

/** Whose record a serde decoded last. */
interface Decoder {
  lastSource: TaskSource | null;
}

const decoders = new WeakMap<Serde, Decoder>();

function decoderOf(serde: Serde): Decoder {
  let decoder = decoders.get(serde);
  if (decoder === undefined) decoders.set(serde, (decoder = { lastSource: null }));
  return decoder;
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
  #only: NodeContext | null = null;

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
    this.#only = this.#children.length === 1 ? child : null;
  }

  streamTime(): number {
    return this.#task.streamTime;
  }

  now(): number {
    return this.#internals.options.clock.now();
  }

  /** Where a child fails on the data, its siblings and what the caller has still to forward go on. */
  forward(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    if (this.#only !== null) return this.#only.receive(key, value, old, timestamp);
    const children = this.#children;
    for (let i = 0; i < children.length; i++) children[i]!.receive(key, value, old, timestamp);
    return undefined;
  }

  forwardTo(child: string, key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const node = must(
      this.#children.find((each) => each.nodeName === child),
      `${this.nodeName} has no child ${child}`,
    );
    node.receive(key, value, old, timestamp);
  }

  receive(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    try {
      this.processor.process(key, value, old, timestamp);
    } catch (error) {
      this.#task.failed(this.nodeName, 'evaluation', error);
    }
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
    return this.#internals.punctuations(kind).schedule(intervalMs, this.now(), (timestamp) => {
      try {
        callback(timestamp);
      } catch (error) {
        this.#task.failed(this.nodeName, 'evaluation', error);
      }
    });
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

  skip(reason: SkipReason, detail: string, error?: unknown): void {
    this.#internals.skip(this.nodeName, reason, detail, error);
  }
}
