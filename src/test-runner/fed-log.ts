import type {
  Log,
  LogAdmin,
  LogReader,
  LogWriter,
  NewTopic,
  ReaderOptions,
  TopicPartition,
  WriterOptions,
} from '../log/log.ts';
import type { RecordBatch } from '../log/record-batch.ts';
import type { TopicRecord } from './topic-records.ts';

/**
 * A log as one query sees it in a test: the topics it reads hold nothing but what it is fed, record by record, in the
 * order of feeding; every topic has one partition, so that one task sees everything. Topics of its own, and what it
 * writes, are in the log beneath.
 */
export class FedLog implements Log {
  readonly admin: LogAdmin;
  readonly #inner: Log;
  readonly #topics: ReadonlySet<string>;
  #feed: RecordBatch[] = [];
  readonly #ends = new Map<string, number>();

  constructor(inner: Log, topics: Iterable<string>) {
    this.#inner = inner;
    this.#topics = new Set(topics);
    this.admin = singlePartition(inner.admin);
  }

  /** Puts a record at the end of a topic. The next poll returns it. */
  feed({ batch, index }: TopicRecord): void {
    const { topic, buffer } = batch;
    const offset = this.end(topic);
    this.#ends.set(topic, offset + 1);
    this.#feed.push({
      topic,
      partition: 0,
      buffer,
      count: 1,
      first: 0,
      nextOffset: offset + 1,
      offsets: Float64Array.of(offset),
      timestamps: batch.timestamps.slice(index, index + 1),
      keyStart: batch.keyStart.slice(index, index + 1),
      keyEnd: batch.keyEnd.slice(index, index + 1),
      valueStart: batch.valueStart.slice(index, index + 1),
      valueEnd: batch.valueEnd.slice(index, index + 1),
      headersStart: batch.headersStart.slice(index, index + 1),
      sizeBytes: batch.sizeBytes,
    });
  }

  isFed(topic: string): boolean {
    return this.#topics.has(topic);
  }

  end(topic: string): number {
    return this.#ends.get(topic) ?? 0;
  }

  takeFed(): readonly RecordBatch[] {
    const taken = this.#feed;
    this.#feed = [];
    return taken;
  }

  openReader(options?: ReaderOptions): LogReader {
    return new FedReader(this, this.#inner.openReader(options));
  }

  openWriter(options?: WriterOptions): Promise<LogWriter> {
    return this.#inner.openWriter(options);
  }

  /** Does not close the log beneath, which belongs to another. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class FedReader implements LogReader {
  readonly #log: FedLog;
  readonly #inner: LogReader;

  constructor(log: FedLog, inner: LogReader) {
    this.#log = log;
    this.#inner = inner;
  }

  assign(position: TopicPartition & { readonly offset: number }): void {
    if (!this.#log.isFed(position.topic)) this.#inner.assign(position);
  }

  unassign(partition: TopicPartition): void {
    if (!this.#log.isFed(partition.topic)) this.#inner.unassign(partition);
  }

  pause(partition: TopicPartition): void {
    if (!this.#log.isFed(partition.topic)) this.#inner.pause(partition);
  }

  resume(partition: TopicPartition): void {
    if (!this.#log.isFed(partition.topic)) this.#inner.resume(partition);
  }

  async poll(maxWaitMs: number): Promise<readonly RecordBatch[]> {
    const fed = this.#log.takeFed();
    return [...fed, ...(await this.#inner.poll(fed.length > 0 ? 0 : maxWaitMs))];
  }

  /** A topic that is fed never lags: what is to come is not there yet. */
  position(partition: TopicPartition): number {
    return this.#log.isFed(partition.topic)
      ? this.#log.end(partition.topic)
      : this.#inner.position(partition);
  }

  endOffset(partition: TopicPartition): number {
    return this.#log.isFed(partition.topic)
      ? this.#log.end(partition.topic)
      : this.#inner.endOffset(partition);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function singlePartition(admin: LogAdmin): LogAdmin {
  return {
    createTopic: (topic: NewTopic) => admin.createTopic({ ...topic, partitions: 1 }),
    deleteTopic: (name) => admin.deleteTopic(name),
    listTopics: () => admin.listTopics(),
    async describeTopic(name) {
      const description = await admin.describeTopic(name);
      return description === undefined ? undefined : { ...description, partitions: 1 };
    },
    topicConfigs: (name) => admin.topicConfigs(name),
    offsets: async () => [{ start: 0, end: 0 }],
    offsetsForTime: async () => [0],
    deleteRecords: (position) => admin.deleteRecords(position),
    committed: async () => [],
    alterCommitted: async () => undefined,
  };
}
