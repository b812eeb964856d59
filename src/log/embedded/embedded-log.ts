import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { LogError } from '../log.ts';
import type {
  CommittedOffset,
  Log,
  LogAdmin,
  LogReader,
  LogWriter,
  NewTopic,
  PartitionOffsets,
  ReaderOptions,
  TopicDescription,
  TopicPartition,
  WriterOptions,
} from '../log.ts';
import { decodeBatches } from '../record-batch-codec.ts';
import { checkNewTopic } from '../topic-name.ts';
import { EmbeddedReader } from './embedded-reader.ts';
import { EmbeddedWriter } from './embedded-writer.ts';
import { LogState } from './log-state.ts';
import type { Change } from './log-state.ts';
import type { PartitionLog, StoredBatch } from './partition-log.ts';
import { readExactly } from './segment.ts';

export interface EmbeddedLogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * `retention.bytes` of topics that do not set it, by partition. Default 256 MiB in memory, so that an endless
   * stream does not eat the process.
   */
  readonly retentionBytes?: number;
  /** The largest batch that writers make. */
  readonly batchBytesMax?: number;
  /** How often idle topics are looked through for `retention.ms`. */
  readonly retentionCheckMs?: number;
}

const MEMORY_RETENTION_BYTES = 256 * 1024 * 1024;
const BATCH_BYTES_MAX = 900_000;
const RETENTION_CHECK_MS = 30_000;

/** The log in this process: topics, partitions and offsets as Kafka has them, and commits that are atomic. */
export function openEmbeddedLog(options: EmbeddedLogOptions): Promise<Log> {
  return Promise.resolve(
    new EmbeddedLog(options, new LogState(options.retentionBytes ?? MEMORY_RETENTION_BYTES)),
  );
}

class EmbeddedLog implements Log, LogAdmin {
  readonly #options: EmbeddedLogOptions;
  readonly #state: LogState;
  readonly #readers = new Set<EmbeddedReader>();
  #closed = false;
  #cancelTimer: () => void = () => {};

  constructor(options: EmbeddedLogOptions, state: LogState) {
    this.#options = options;
    this.#state = state;
    this.#scheduleRetention();
  }

  get admin(): LogAdmin {
    return this;
  }

  openReader(options: ReaderOptions = {}): LogReader {
    this.#checkOpen();
    const reader = new EmbeddedReader(this.#state, this.#options.clock, options, (closed) => {
      this.#readers.delete(closed);
    });
    this.#readers.add(reader);
    return reader;
  }

  openWriter(options: WriterOptions = {}): Promise<LogWriter> {
    this.#checkOpen();
    const batchBytesMax = this.#options.batchBytesMax ?? BATCH_BYTES_MAX;
    return Promise.resolve(
      new EmbeddedWriter(this.#state, (build) => this.#commit(build), options, batchBytesMax),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    for (const reader of this.#readers) await reader.close();
  }

  async createTopic(topic: NewTopic): Promise<boolean> {
    const { name, partitions, configs = {} } = topic;
    checkNewTopic(name, partitions);
    this.#state.checkConfigs(name, configs);
    let created = false;
    await this.#commit(() => {
      created = !this.#state.topics.has(name);
      if (!created) return NO_CHANGE;
      return {
        operations: [
          { op: 'create', id: this.#state.nextTopicId, name, partitions, configs: { ...configs } },
        ],
        batches: [],
      };
    });
    return created;
  }

  async deleteTopic(name: string): Promise<boolean> {
    let deleted = false;
    await this.#commit(() => {
      const topic = this.#state.topics.get(name);
      if (topic === undefined) return NO_CHANGE;
      deleted = true;
      return { operations: [{ op: 'delete', id: topic.id }], batches: [] };
    });
    return deleted;
  }

  async listTopics(): Promise<readonly string[]> {
    this.#checkOpen();
    return [...this.#state.topics.keys()].sort();
  }

  async describeTopic(name: string): Promise<TopicDescription | undefined> {
    this.#checkOpen();
    const topic = this.#state.topics.get(name);
    return topic && { name, partitions: topic.partitions.length, replicas: 1 };
  }

  async topicConfigs(name: string): Promise<Readonly<Record<string, string>>> {
    this.#checkOpen();
    return { ...this.#state.topic(name).configs };
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    this.#checkOpen();
    return this.#state.topic(topic).partitions.map(({ start, next: end }) => ({ start, end }));
  }

  async offsetsForTime(topic: string, timestampMs: number): Promise<readonly number[]> {
    this.#checkOpen();
    return this.#state.topic(topic).partitions.map((partition) => offsetForTime(partition, timestampMs));
  }

  async deleteRecords(position: TopicPartition & { readonly offset: number }): Promise<void> {
    await this.#commit(() => {
      const { topicId: id, partition, start, next } = this.#state.partition(position);
      if (position.offset > next)
        throw new LogError(
          'offset-out-of-range',
          `records of ${position.topic}-${position.partition} cannot be deleted up to offset ${position.offset}: it ends at ${next}`,
          position,
        );
      if (position.offset <= start) return NO_CHANGE;
      return { operations: [{ op: 'trim', id, partition, start: position.offset }], batches: [] };
    });
  }

  async committed(group: string): Promise<readonly CommittedOffset[]> {
    this.#checkOpen();
    return this.#state.committed(group);
  }

  alterCommitted(
    group: string,
    offsets: readonly (TopicPartition & { readonly offset: number | null })[],
  ): Promise<void> {
    return this.#commit(() => {
      for (const offset of offsets) if (offset.offset !== null) this.#state.partition(offset);
      const rows = offsets.map((o) => [o.topic, o.partition, o.offset, ''] as const);
      return { operations: [{ op: 'offsets', group, offsets: rows }], batches: [] };
    });
  }

  async #commit(build: () => Change): Promise<void> {
    this.#checkOpen();
    const change = build();
    this.#state.apply(change, null, 0);
    this.#expire(change);
  }

  /** Drops what the topics that were written to no longer want. */
  #expire(change: Change): void {
    const now = this.#options.clock.now();
    for (const operation of change.operations) {
      if (operation.op !== 'append') continue;
      const topic = this.#state.topicById(operation.id);
      topic?.partitions[operation.partition]?.expire(topic.retention, now);
    }
  }

  #scheduleRetention(): void {
    this.#cancelTimer = this.#options.clock.setTimer(
      this.#options.retentionCheckMs ?? RETENTION_CHECK_MS,
      () => {
        const now = this.#options.clock.now();
        for (const { partitions, retention } of this.#state.topics.values())
          for (const partition of partitions) partition.expire(retention, now);
        this.#scheduleRetention();
      },
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw new LogError('closed', 'the log is closed');
  }
}

const NO_CHANGE: Change = { operations: [], batches: [] };

function offsetForTime(log: PartitionLog, timestampMs: number): number {
  for (let i = log.indexOf(log.start); i < log.batchCount; i++) {
    const stored = log.at(i)!;
    if (stored.maxTimestamp < timestampMs) continue;
    const bytes = loadBytes(stored);
    const { batches } = decodeBatches(log.topic, log.partition, bytes, 0, bytes.length, log.start);
    for (const { first, count, timestamps, offsets } of batches)
      for (let r = first; r < count; r++) if (timestamps[r]! >= timestampMs) return offsets[r]!;
  }
  return log.next;
}

function loadBytes(stored: StoredBatch): Buffer {
  return stored.bytes ?? readExactly(stored.segment!, stored.position, stored.sizeBytes);
}
