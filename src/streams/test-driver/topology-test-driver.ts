import { must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
import { ManualClock } from '../../common/clock.ts';
import { type Logger, silentLogger } from '../../common/logger.ts';
import { openEmbeddedLog } from '../../log/embedded/embedded-log.ts';
import type { Log, LogReader, LogWriter, TopicPartition } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import { readHeaders } from '../../log/record-batch-codec.ts';
import type { Header } from '../../log/record-batch.ts';
import type { StateBackend, TaskState } from '../../state/store.ts';
import { openStateBackend } from '../../state/task-state.ts';
import { describedStore } from '../stores/described-store.ts';
import { openStoreView } from '../stores/open-store-view.ts';
import type {
  KeyValueStoreView,
  SessionStoreView,
  StateStoreView,
  VersionedStoreView,
  WindowStoreView,
} from '../stores/state-store-view.ts';
import { headersOf } from '../dsl/headers.ts';
import { named, TopologyError } from '../topology/topology-error.ts';
import type { ErrorHandlers } from '../task/error-handlers.ts';
import type { InputQueue } from '../task/input-queue.ts';
import { SteppedStreams } from '../application/stepped-streams.ts';
import type { SkippedRecord } from '../task/skipped-record.ts';
import type { Task } from '../task/task.ts';
import { timeOf } from '../topology/record-time.ts';
import type { Serde } from '../topology/serde.ts';
import type { TimestampExtractor, Topology } from '../topology/topology.ts';
import { HeadQueue } from './head-queue.ts';
import { traceWrites } from './traced-log.ts';

export interface TopologyTestDriverOptions {
  /** Default `test`. */
  readonly applicationId?: string;
  /** Partition counts of topics; 1 for those not named. Topics that sinks name per record must be named here. */
  readonly topics?: Readonly<Record<string, number>>;
  /** The wall clock at the start, in milliseconds. Default 0. */
  readonly startTimeMs?: number;
  /** Default: stores in memory. */
  readonly state?: StateBackend;
  /**
   * An empty directory of the test's own. State goes there after each record and leaves memory, so that whatever reads
   * it reads from disk, as in production where there is more state than memory.
   */
  readonly stateOnDisk?: string;
  /** Whether stores write changelogs. Default true. */
  readonly changelogs?: boolean;
  readonly logger?: Logger;
  /** They decide about records that fail. Default: each makes the call reject that piped it. */
  readonly handlers?: ErrorHandlers;
  /** The topic of dead letters, which is read like any other. */
  readonly deadLetterTopic?: string;
  /** For sources that name none. */
  readonly timestampExtractor?: TimestampExtractor;
}

export interface TestRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: readonly Header[];
  readonly partition: number;
}

/** A record for a topic. */
export interface PipedRecord<K, V> {
  readonly key?: K | null;
  readonly value?: V | null;
  /** Default: the wall clock of the driver. */
  readonly timestamp?: number;
  readonly headers?: readonly Header[];
  /** Default: by the key's hash. */
  readonly partition?: number;
}

/**
 * Runs a topology in a test, with no broker and no waiting: the real engine on a log in memory, with a clock that
 * stands still until it is moved. A record that is piped in is processed to its end, through all sub-topologies and
 * repartition topics, before `pipeInput` resolves; so what comes out is the same at every run.
 *
 * ```ts
 * const driver = await TopologyTestDriver.open(builder.build());
 * const lines = driver.createInputTopic('lines', Serdes.string, Serdes.string);
 * const counts = driver.createOutputTopic('word-counts', Serdes.string, Serdes.long);
 *
 * await lines.pipeInput('k', 'the quick fox', 100);         // key, value, timestamp
 * expect(await counts.readKeyValues()).toEqual([['the', 1], ['quick', 1], ['fox', 1]]);
 *
 * await driver.advanceWallClockTime(1000);                  // fires wall-clock punctuations
 * expect(driver.getKeyValueStore('counts').get('fox')).toBe(1);
 *
 * await driver.close();
 * ```
 *
 * Topics have one partition unless `topics` says otherwise. Of several partitions, the one whose next record is
 * oldest goes first, over all tasks. Stream time moves with the records only: to close a window, pipe a later record.
 */
export class TopologyTestDriver {
  readonly clock: ManualClock;
  /** Records that operators dropped, with the reason. */
  readonly skipped: SkippedRecord[] = [];
  readonly #topology: Topology;
  readonly #options: TopologyTestDriverOptions;
  #log!: Log;
  #streams!: SteppedStreams;
  #writer!: LogWriter;
  /** Inputs with queued records, by the time of the next. */
  readonly #ready = new HeadQueue<ReadyInput>((ready) => ready.input.headTimestamp());
  readonly #inputs = new Map<string, ReadyInput>();
  /** The partitions that records were written to since the last fetch, in order. */
  #written: TopicPartition[] = [];
  readonly #readers: LogReader[] = [];
  readonly #partitions = new Map<string, number>();

  private constructor(topology: Topology, options: TopologyTestDriverOptions) {
    this.#topology = topology;
    this.#options = options;
    this.clock = new ManualClock(options.startTimeMs ?? 0);
  }

  static async open(
    topology: Topology,
    options: TopologyTestDriverOptions = {},
  ): Promise<TopologyTestDriver> {
    const driver = new TopologyTestDriver(topology, options);
    await driver.#open();
    return driver;
  }

  async #open(): Promise<void> {
    const { applicationId = 'test', topics = {}, changelogs = true, logger = silentLogger } = this.#options;
    this.#log = await openEmbeddedLog({ clock: this.clock, logger });
    const names = new Set(Object.keys(topics));
    const own = new Set(this.#topology.repartitionTopics.map(({ name }) => name));
    for (const node of this.#topology.nodes) {
      if (node.kind === 'source') for (const topic of node.topics) names.add(topic);
      if (node.kind === 'sink' && typeof node.topic === 'string') names.add(node.topic);
    }
    for (const { source } of this.#topology.globalStores) for (const topic of source.topics) names.add(topic);
    const { deadLetterTopic, handlers, timestampExtractor, stateOnDisk } = this.#options;
    if (deadLetterTopic !== undefined) names.add(deadLetterTopic);
    for (const name of names) if (!own.has(name)) await this.#createTopic(name, topics[name] ?? 1);
    this.#writer = await this.#log.openWriter();
    this.#streams = new SteppedStreams(this.#topology, {
      applicationId,
      log: traceWrites(this.#log, (at) => this.#written.push(at)),
      state: this.#options.state ?? openStateBackend(stateOnDisk === undefined ? {} : { residentBytes: 0 }),
      stateDirectory: stateOnDisk ?? null,
      // State leaves memory as soon as it is persisted.
      ...(stateOnDisk !== undefined && { stateBytesMax: 1 }),
      clock: this.clock,
      logger,
      changelogs,
      ...(handlers && { handlers }),
      ...(deadLetterTopic !== undefined && { deadLetterTopic }),
      ...(timestampExtractor && { timestampExtractor }),
      onSkip: (skipped) => this.skipped.push(skipped),
    });
    await this.#streams.open();
    for (const task of this.#streams.allTasks)
      for (const input of task.inputs)
        this.#inputs.set(`${input.topic}/${input.partition}`, { task, input, queued: false });
  }

  async #createTopic(name: string, partitions: number): Promise<void> {
    this.#partitions.set(name, partitions);
    await this.#log.admin.createTopic({ name, partitions });
  }

  /** A topic to pipe records into; `times` says which they have that are given none. */
  createInputTopic<K, V>(
    topic: string,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    times: InputTimes = {},
  ): TestInputTopic<K, V> {
    return new TestInputTopic(keySerde, valueSerde, times, (record, key, value) =>
      this.#pipe(topic, record, key, value),
    );
  }

  /** A topic to read results from: from its beginning, and each record once. */
  createOutputTopic<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): TestOutputTopic<K, V> {
    const partitions = this.#partitions.get(topic);
    if (partitions === undefined)
      throw new TopologyError(
        `the topology writes no topic ${topic}`,
        'name it in `topics` when sinks choose it per record',
      );
    const reader = this.#log.openReader();
    this.#readers.push(reader);
    for (let partition = 0; partition < partitions; partition++)
      reader.assign({ topic, partition, offset: 0 });
    return new TestOutputTopic(reader, topic, partitions, keySerde, valueSerde);
  }

  /** Moves the wall clock forward and fires the punctuations that fall due. */
  async advanceWallClockTime(ms: number): Promise<void> {
    this.clock.advance(timeOf(ms, 'the wall clock is advanced by'));
    await this.#streams.punctuate();
    await this.#commit();
    await this.#drain();
  }

  /** The rows of a store, of the partition that is given. */
  getStateStore(name: string, partition = 0): StateStoreView {
    const found = this.#streams.stores(name).find((each) => each.partition === partition);
    if (found === undefined) throw new TopologyError(`there is no store ${name} in partition ${partition}`);
    const { keys, windowSizeMs } = must(describedStore(this.#topology, name));
    const view = openStoreView(
      found.store,
      must(keys, `it is not known how the keys of ${name} are encoded`),
      {
        windowSizeMs,
        timeToPut: (given) =>
          given === undefined ? this.clock.now() : timeOf(given, `store ${name} is given`),
      },
    );
    return waitingView(view, found.task.state);
  }

  /** As `getStateStore`; throws `TopologyError` when it is a store of another kind. So do the three below. */
  getKeyValueStore<K, V>(name: string, partition = 0): KeyValueStoreView<K, V> {
    return this.#storeOfKind(name, partition, 'key-value') as KeyValueStoreView<K, V>;
  }

  getWindowStore<K, V>(name: string, partition = 0): WindowStoreView<K, V> {
    return this.#storeOfKind(name, partition, 'window') as WindowStoreView<K, V>;
  }

  getSessionStore<K, V>(name: string, partition = 0): SessionStoreView<K, V> {
    return this.#storeOfKind(name, partition, 'session') as SessionStoreView<K, V>;
  }

  getVersionedStore<K, V>(name: string, partition = 0): VersionedStoreView<K, V> {
    return this.#storeOfKind(name, partition, 'versioned') as VersionedStoreView<K, V>;
  }

  /** Commits, stops the topology and forgets everything. */
  async close(): Promise<void> {
    await this.#streams.close();
    for (const reader of this.#readers) await reader.close();
    await this.#writer.close();
    await this.#log.close();
  }

  #storeOfKind(name: string, partition: number, kind: StateStoreView['kind']): StateStoreView {
    const view = this.getStateStore(name, partition);
    if (view.kind === kind) return view;
    throw new TopologyError(`store ${name} is a ${view.kind} store, not a ${kind} store`);
  }

  async #pipe(
    topic: string,
    record: PipedRecord<unknown, unknown>,
    key: Buffer | null,
    value: Buffer | null,
  ): Promise<void> {
    const partitions = named(this.#partitions.get(topic), `the topology does not read topic ${topic}`);
    const partition = record.partition ?? (key === null ? 0 : partitionOfKey(key, 0, key.length, partitions));
    const none = Buffer.alloc(0);
    const { timestamp = this.clock.now() } = record;
    this.#writer
      .appender({ topic, partition })
      .append(
        timeOf(timestamp, `a record is piped into topic ${topic} with`),
        key ?? none,
        key === null ? -1 : 0,
        key?.length ?? 0,
        value ?? none,
        value === null ? -1 : 0,
        value?.length ?? 0,
        record.headers === undefined || record.headers.length === 0
          ? null
          : headersOf(record.headers, `a record is piped into topic ${topic} with`),
      );
    await this.#writer.flush();
    this.#written.push({ topic, partition });
    await this.#drain();
  }

  /** Commits; with state on disk, all of it goes there. */
  async #commit(): Promise<void> {
    await this.#streams.commit();
    if (this.#options.stateOnDisk === undefined) return;
    await this.#streams.persist();
    // The test itself reads stores too, between records.
    for (const task of this.#streams.allTasks) await task.ready();
  }

  /** Processes until nothing is queued, one record at a time, committing after each. */
  async #drain(): Promise<void> {
    for (;;) {
      if (this.#written.some((at) => this.#inputs.has(`${at.topic}/${at.partition}`)))
        await this.#streams.fetch();
      for (const at of this.#written) {
        const ready = this.#inputs.get(`${at.topic}/${at.partition}`);
        if (ready === undefined || ready.queued || ready.input.isEmpty) continue;
        ready.queued = true;
        this.#ready.offer(ready);
      }
      this.#written = [];
      const next = this.#ready.poll();
      if (next === undefined) return;
      await this.#streams.processOne(next.task, next.input);
      next.queued = !next.input.isEmpty;
      if (next.queued) this.#ready.offer(next);
      await this.#commit();
    }
  }
}

/** A view whose reads wait for what is on disk. */
function waitingView(view: StateStoreView, state: TaskState): StateStoreView {
  return new Proxy(view, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        state.waits = !state.resident;
        try {
          const result: unknown = Reflect.apply(member, target, args);
          // An iterator reads when it is walked.
          return name === 'iterate' ? [...(result as Iterable<unknown>)].values() : result;
        } finally {
          state.waits = false;
        }
      };
    },
  });
}

interface ReadyInput {
  readonly task: Task;
  readonly input: InputQueue;
  queued: boolean;
}

/** Which times records have that are given none. Default: the wall clock of the driver. */
export interface InputTimes {
  /** The time of the first record. Default 0 where `advanceMs` is given. */
  readonly startMs?: number;
  /** How much later each next one is. Default 0. */
  readonly advanceMs?: number;
}

/** Pipes records into a topic. */
export class TestInputTopic<K, V> {
  readonly #keys: Serde<K>;
  readonly #values: Serde<V>;
  readonly #pipe: (
    record: PipedRecord<unknown, unknown>,
    key: Buffer | null,
    value: Buffer | null,
  ) => Promise<void>;
  readonly #writer = new ByteWriter(256);
  /** The time of the next record that is given none; null: the wall clock's. */
  #timeMs: number | null;
  readonly #advanceMs: number;

  /** @internal */
  constructor(
    keys: Serde<K>,
    values: Serde<V>,
    { startMs, advanceMs }: InputTimes,
    pipe: (record: PipedRecord<unknown, unknown>, key: Buffer | null, value: Buffer | null) => Promise<void>,
  ) {
    this.#keys = keys;
    this.#values = values;
    this.#pipe = pipe;
    const counts = startMs !== undefined || advanceMs !== undefined;
    this.#timeMs = counts ? timeOf(startMs ?? 0, 'an input topic begins with') : null;
    this.#advanceMs = timeOf(advanceMs ?? 0, 'an input topic advances by');
  }

  /** Pipes a record in and processes it to its end. */
  pipeInput(record: PipedRecord<K, V>): Promise<void>;
  pipeInput(key: K | null, value: V | null, timestamp?: number): Promise<void>;
  pipeInput(
    first: PipedRecord<K, V> | K | null,
    ...rest: [value?: V | null, timestamp?: number]
  ): Promise<void> {
    const [value, timestamp] = rest;
    let record: PipedRecord<K, V> =
      rest.length === 0
        ? (first as PipedRecord<K, V>)
        : { key: first as K | null, value: value ?? null, ...(timestamp !== undefined && { timestamp }) };
    if (record.timestamp === undefined && this.#timeMs !== null) {
      record = { ...record, timestamp: this.#timeMs };
      this.#timeMs += this.#advanceMs;
    }
    return this.#pipe(record, this.#encode(this.#keys, record.key), this.#encode(this.#values, record.value));
  }

  /** Values without keys, one after the other. */
  async pipeValues(values: Iterable<V | null>): Promise<void> {
    for (const value of values) await this.pipeInput({ value });
  }

  /** One after the other. */
  async pipeKeyValues(pairs: Iterable<readonly [key: K | null, value: V | null]>): Promise<void> {
    for (const [key, value] of pairs) await this.pipeInput({ key, value });
  }

  /** Moves the time of the next record that is given none. */
  advanceTime(ms: number): void {
    this.#timeMs = (this.#timeMs ?? 0) + timeOf(ms, 'the time of an input topic is advanced by');
  }

  /** Pipes records in, one after the other. */
  async pipeInputs(records: Iterable<PipedRecord<K, V>>): Promise<void> {
    for (const record of records) await this.pipeInput(record);
  }

  #encode(serde: Serde, value: unknown): Buffer | null {
    if (value === null || value === undefined) return null;
    this.#writer.length = 0;
    serde.serialize(value, this.#writer);
    return this.#writer.toBytes();
  }
}

/** Reads what a topology wrote to a topic. */
export class TestOutputTopic<K, V> {
  readonly #reader: LogReader;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #keys: Serde<K>;
  readonly #values: Serde<V>;
  #records: TestRecord<K, V>[] = [];

  /** @internal */
  constructor(reader: LogReader, topic: string, partitions: number, keys: Serde<K>, values: Serde<V>) {
    this.#reader = reader;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#keys = keys;
    this.#values = values;
  }

  /** The next record, undefined when there is none. */
  async readRecord(): Promise<TestRecord<K, V> | undefined> {
    await this.#fetch();
    return this.#records.shift();
  }

  /** All records that were not read yet: by partition, in the order they were written. */
  async readRecords(): Promise<TestRecord<K, V>[]> {
    await this.#fetch();
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** As `readRecords`, keys and values only. */
  async readKeyValues(): Promise<[key: K, value: V][]> {
    return (await this.readRecords()).map(({ key, value }) => [key, value]);
  }

  /** As `readRecords`, values only. */
  async readValues(): Promise<V[]> {
    return (await this.readRecords()).map(({ value }) => value);
  }

  /** As `readRecord`, key and value only. */
  async readKeyValue(): Promise<readonly [key: K, value: V] | undefined> {
    const record = await this.readRecord();
    return record === undefined ? undefined : [record.key, record.value];
  }

  /** As `readRecord`, the value only. */
  async readValue(): Promise<V | undefined> {
    return (await this.readRecord())?.value;
  }

  /** The latest value of each key that was not read yet, as of a table: keys whose latest value is null are left out. */
  async readLatest(): Promise<Map<K, V>> {
    const latest = new Map<K, V>();
    for (const { key, value } of await this.readRecords()) {
      latest.delete(key);
      if (value !== null) latest.set(key, value);
    }
    return latest;
  }

  /** How many records were not read yet. */
  async size(): Promise<number> {
    await this.#fetch();
    return this.#records.length;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.size()) === 0;
  }

  async #fetch(): Promise<void> {
    for (;;) {
      for (const batch of await this.#reader.poll(0))
        for (let i = batch.first; i < batch.count; i++) {
          const keyStart = batch.keyStart[i]!;
          const valueStart = batch.valueStart[i]!;
          this.#records.push({
            key: (keyStart < 0
              ? null
              : this.#keys.deserialize(batch.buffer, keyStart, batch.keyEnd[i]!)) as K,
            value: (valueStart < 0
              ? null
              : this.#values.deserialize(batch.buffer, valueStart, batch.valueEnd[i]!)) as V,
            timestamp: batch.timestamps[i]!,
            headers: readHeaders(batch, i),
            partition: batch.partition,
          });
        }
      let behind = false;
      for (let partition = 0; partition < this.#partitions; partition++) {
        const at = { topic: this.#topic, partition };
        if (this.#reader.position(at) < this.#reader.endOffset(at)) behind = true;
      }
      if (!behind) return;
    }
  }
}
