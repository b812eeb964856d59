import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../common/clock.ts';
import type { LockFile } from '../../common/lock-file.ts';
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
import { openCompressor } from '../codecs.ts';
import { decodeBatches } from '../record-batch-codec.ts';
import { checkNewTopic } from '../topic-name.ts';
import { Compactor } from './compactor.ts';
import { lockDirectory } from './directory-lock.ts';
import { EmbeddedReader } from './embedded-reader.ts';
import { EmbeddedWriter } from './embedded-writer.ts';
import { Journal } from './journal.ts';
import { LogState } from './log-state.ts';
import { replacementOf } from './compacted-batch.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Segment } from './segment.ts';
import { loadBatch } from './stored-batch.ts';
import type { StoredBatch } from './stored-batch.ts';
import type { Change } from './change.ts';

export interface EmbeddedLogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The directory that keeps the log: made if it is not there, used by one process at a time. Absent: in memory only. */
  readonly directory?: string;
  /**
   * Whether a commit waits until the disk has it. Default false: what was acknowledged outlives the process, but
   * the machine may lose the last seconds before a power failure, as with Kafka's own defaults.
   */
  readonly sync?: boolean;
  /** Bytes of late batches that are kept in memory although they are on disk. Default 64 MiB. */
  readonly cacheBytesMax?: number;
  /** The size at which a journal file is closed and the next begun. Default 64 MiB. */
  readonly segmentBytesMax?: number;
  /**
   * `retention.bytes` of topics that do not set it, by partition. Default 256 MiB in memory, so that an endless
   * stream does not eat the process; without bound in a directory.
   */
  readonly retentionBytes?: number;
  /**
   * Bytes of a partition from which on a compacted topic is worth compacting; then each time half of it is new.
   * Default 16 MiB.
   */
  readonly compactionBytesMin?: number;
  /** What compaction may take for keys, in bytes; where there are more, it goes in several rounds. Default 48 MiB. */
  readonly compactionMemoryBytesMax?: number;
  /** How often idle topics are looked through for `retention.ms`. */
  readonly retentionCheckMs?: number;
}

const MEMORY_RETENTION_BYTES = 256 * 1024 * 1024;
const RETENTION_CHECK_MS = 30_000;
const COMPACTION_BYTES_MIN = 16 * 1024 * 1024;
const COMPACTION_MEMORY_BYTES_MAX = 48 * 1024 * 1024;
const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The log in this process: topics, partitions and offsets as Kafka has them, and commits that are atomic. Throws
 * `LogError`: `unavailable` when another process has the directory, `corrupt`.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<Log> {
  const { directory } = options;
  if (directory === undefined)
    return new EmbeddedLog(options, new LogState(options.retentionBytes ?? MEMORY_RETENTION_BYTES), null);
  await mkdir(directory, { recursive: true });
  const lock = await lockDirectory(directory);
  try {
    const state = new LogState(options.retentionBytes ?? Infinity);
    const journal = Journal.open(
      {
        directory,
        lock,
        logger: options.logger,
        segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
        sync: options.sync ?? false,
      },
      state,
    );
    return new EmbeddedLog(options, state, { journal, lock });
  } catch (error) {
    lock.release();
    throw error;
  }
}

class EmbeddedLog implements Log, LogAdmin {
  readonly #options: EmbeddedLogOptions;
  readonly #state: LogState;
  readonly #disk: { readonly journal: Journal; readonly lock: LockFile } | null;
  readonly #readers = new Set<EmbeddedReader>();
  readonly #compactor: Compactor;
  #closed = false;
  #cancelTimer: () => void = () => {};
  /** Resolves when the changes so far have taken effect, or failed. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    options: EmbeddedLogOptions,
    state: LogState,
    disk: { readonly journal: Journal; readonly lock: LockFile } | null,
  ) {
    this.#options = options;
    this.#state = state;
    this.#disk = disk;
    this.#compactor = new Compactor({
      clock: options.clock,
      logger: options.logger,
      bytesMin: options.compactionBytesMin ?? COMPACTION_BYTES_MIN,
      memoryBytesMax: options.compactionMemoryBytesMax ?? COMPACTION_MEMORY_BYTES_MAX,
      isStopped: () => this.#closed,
      replace: (log, batches) => this.#commit(() => (log.deleted ? NO_CHANGE : replacementOf(log, batches))),
    });
    if (disk !== null) state.onStored = keepLate(options.cacheBytesMax ?? CACHE_BYTES_MAX);
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

  async openWriter(options: WriterOptions = {}): Promise<LogWriter> {
    this.#checkOpen();
    const compressor = await openCompressor(options.compression);
    return new EmbeddedWriter(this.#state, (build) => this.#commit(build), options, compressor);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    for (const reader of this.#readers) await reader.close();
    await this.#last;
    try {
      await this.#disk?.journal.close();
    } finally {
      this.#disk?.lock.release();
    }
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

  async committed(
    group: string,
    partitions?: readonly TopicPartition[],
  ): Promise<readonly CommittedOffset[]> {
    this.#checkOpen();
    const all = this.#state.committed(group);
    if (partitions === undefined) return all;
    const wanted = new Set(partitions.map(({ topic, partition }) => `${partition}/${topic}`));
    return all.filter(({ topic, partition }) => wanted.has(`${partition}/${topic}`));
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

  #commit(build: () => Change, expireAll = false): Promise<void> {
    if (this.#disk === null) return this.#commitInMemory(build);
    if (this.#closed) return Promise.reject(closedError());
    const result = this.#last.then(() => this.#commitOnDisk(this.#disk!.journal, build, expireAll));
    this.#last = result.catch(() => {});
    return result;
  }

  async #commitInMemory(build: () => Change): Promise<void> {
    this.#checkOpen();
    const change = build();
    this.#state.apply(change, null, 0);
    this.#expire(change);
  }

  async #commitOnDisk(journal: Journal, build: () => Change, expireAll: boolean): Promise<void> {
    const change = build();
    if (change.operations.length > 0) {
      const { segment, position } = await journal.append(change);
      this.#state.apply(change, segment, position);
      this.#expire(change);
    }
    if (expireAll) this.#expireAll();
    // The change has taken effect: what fails from here on is no failure of the commit.
    try {
      if (journal.isFull) {
        journal.roll(this.#state.snapshot());
        await this.#emptySparseSegments(journal);
      }
      if (journal.hasDeadSegments) await journal.reclaim(this.#state.snapshot());
    } catch (error) {
      this.#options.logger.warn(
        { error: String(error) },
        'journal files could not be tidied up; trying again later',
      );
    }
  }

  /** Moves what little is left in some segments to the newest one, at most a part of a segment's worth at a time. */
  async #emptySparseSegments(journal: Journal): Promise<void> {
    const budget = (this.#options.segmentBytesMax ?? SEGMENT_BYTES_MAX) / 2;
    for (let moved = 0; moved < budget;) {
      const sparse = journal.sparseSegment;
      if (sparse === undefined) return;
      moved += sparse.liveBytes;
      const change = this.#movable(sparse);
      if (change === null) continue;
      const { segment, position } = await journal.append(change);
      this.#state.apply(change, segment, position);
    }
  }

  /** The content of a segment; null when some of it is damaged, so that it should stay where it is. */
  #movable(segment: Segment): Change | null {
    try {
      return this.#state.contentOf(segment);
    } catch (error) {
      if (!(error instanceof LogError) || error.kind !== 'corrupt') throw error;
      segment.damaged = true;
      this.#options.logger.error({ file: segment.path, error: error.message }, 'a journal file is damaged');
      return null;
    }
  }

  /** Drops what the topics that were written to no longer want. */
  #expire(change: Change): void {
    const now = this.#options.clock.now();
    for (const operation of change.operations) {
      if (operation.op !== 'append') continue;
      const topic = this.#state.topicById(operation.id);
      const partition = topic?.partitions[operation.partition];
      if (topic === undefined || partition === undefined) continue;
      partition.expire(topic.retention, now);
      if (topic.compacted) this.#compactor.consider(topic, partition);
    }
  }

  #expireAll(): void {
    const now = this.#options.clock.now();
    for (const { partitions, retention } of this.#state.topics.values())
      for (const partition of partitions) partition.expire(retention, now);
  }

  #scheduleRetention(): void {
    this.#cancelTimer = this.#options.clock.setTimer(
      this.#options.retentionCheckMs ?? RETENTION_CHECK_MS,
      () => {
        if (this.#disk === null) this.#expireAll();
        else void this.#commit(() => NO_CHANGE, true).catch(() => {});
        this.#scheduleRetention();
      },
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function closedError(): LogError {
  return new LogError('closed', 'the log is closed');
}

/** Takes the bytes from stored batches, oldest first, when they are more than `bytesMax` together. */
function keepLate(bytesMax: number): (batch: StoredBatch) => void {
  let kept: StoredBatch[] = [];
  let head = 0;
  let sizeBytes = 0;
  return (batch) => {
    kept.push(batch);
    sizeBytes += batch.sizeBytes;
    for (; sizeBytes > bytesMax && head < kept.length; head++) {
      kept[head]!.bytes = null;
      sizeBytes -= kept[head]!.sizeBytes;
    }
    if (head < 1024 || head < kept.length / 2) return;
    kept = kept.slice(head);
    head = 0;
  };
}

const NO_CHANGE: Change = { operations: [], batches: [] };

function offsetForTime(log: PartitionLog, timestampMs: number): number {
  for (let i = log.indexOf(log.start); i < log.batchCount; i++) {
    const stored = log.at(i)!;
    if (stored.maxTimestamp < timestampMs) continue;
    const bytes = loadBatch(log, stored);
    const { batches } = decodeBatches(log.topic, log.partition, bytes, 0, bytes.length, log.start, {
      checkCrc: false,
    });
    for (const { first, count, timestamps, offsets } of batches)
      for (let r = first; r < count; r++) if (timestamps[r]! >= timestampMs) return offsets[r]!;
  }
  return log.next;
}
