import type { Compression } from './codecs.ts';
import type { GroupCommitter, Membership, MembershipOptions } from './membership.ts';
import type { RecordAppender } from './record-appender.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * The partitioned log: Kafka, or the embedded log in this process. Everything above sees only this file.
 *
 * What flows are record batches in Kafka's own v2 encoding, one buffer a batch: no object, string or copy a
 * record. Offsets and timestamps are JavaScript numbers (safe integers). Errors that the user can mend are
 * `LogError`s with a `kind`; everything else is I/O and retried by the body where the protocol says so.
 */
export interface Log {
  readonly admin: LogAdmin;
  /** A reader with its own positions and its own prefetching. Cheap: every query has one. */
  openReader(options?: ReaderOptions): LogReader;
  /**
   * A writer that commits offsets to `group` (when given). Only a transactional id keeps two writers of one group from
   * each other's work.
   */
  openWriter(options?: WriterOptions): Promise<LogWriter>;
  /** Joins a group of processes of which one is active. Absent where the log has one owner anyway. */
  openMembership?(options: MembershipOptions): Promise<Membership>;
  close(): Promise<void>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  /** Tells it from earlier and later topics of its name; undefined where the log does not know (before Kafka 2.8). */
  readonly id?: string | undefined;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** -1 leaves it to the broker. */
  readonly replicas?: number;
  /** Kafka's topic settings, as text: `cleanup.policy`, `retention.ms`, … Unknown ones are kept. */
  readonly configs?: Readonly<Record<string, string>>;
}

export interface PartitionOffsets {
  /** The first offset that can still be read. */
  readonly start: number;
  /** The offset of the next record to come (Kafka: the last stable offset). */
  readonly end: number;
}

export interface LogAdmin {
  /** Resolves to false when the topic exists already (with whatever settings). */
  createTopic(topic: NewTopic): Promise<boolean>;
  /** Resolves to false when there is no such topic. */
  deleteTopic(name: string): Promise<boolean>;
  /** Names, sorted. Includes internal topics. */
  listTopics(): Promise<readonly string[]>;
  /** Undefined when there is no such topic. */
  describeTopic(name: string): Promise<TopicDescription | undefined>;
  topicConfigs(name: string): Promise<Readonly<Record<string, string>>>;
  /** By partition number. Throws `LogError` `unknown-topic`. */
  offsets(topic: string): Promise<readonly PartitionOffsets[]>;
  /** The first offset whose record has a timestamp at or after `timestampMs`, by partition; end where none has. */
  offsetsForTime(topic: string, timestampMs: number): Promise<readonly number[]>;
  /** Discards records below `offset`: how repartition topics are purged. */
  deleteRecords(position: TopicPartition & { readonly offset: number }): Promise<void>;
  /**
   * What `group` has committed, of all partitions or of those named; partitions without a commit are absent. Kafka: what a
   * transaction commits just now is waited for where partitions are named.
   */
  committed(group: string, partitions?: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /** Sets or (offset null) removes committed offsets of a group that has no running writer. */
  alterCommitted(
    group: string,
    offsets: readonly (TopicPartition & { readonly offset: number | null })[],
  ): Promise<void>;
}

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  /** Free text committed with the offset, at most 4,096 bytes. */
  readonly metadata: string;
}

export interface ReaderOptions {
  /** Bytes that may wait in memory for `poll`, over all partitions. */
  readonly bufferBytesMax?: number;
  /** Kafka: whether records of open and aborted transactions are hidden. Default true. */
  readonly readCommitted?: boolean;
  /**
   * Kafka: how long, in milliseconds, the broker gathers what comes behind a few records before it answers again. What comes
   * after a silence, and what lies there already, is fetched at once. Default `DEFAULT_GATHER_MS`; 0: everything is.
   */
  readonly gatherMs?: number;
}

/** Twice what a writer lingers: half of it, which a record waits on average, is what the writer waits at most. */
export const DEFAULT_GATHER_MS = 10;

export interface LogReader {
  /** Starts reading a partition at `offset`; a partition that is assigned already jumps there. */
  assign(position: TopicPartition & { readonly offset: number }): void;
  unassign(partition: TopicPartition): void;
  /** A paused partition keeps its position and what was prefetched, and `poll` does not return it. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /**
   * The batches that have come, in offset order within a partition; waits up to `maxWaitMs` for the first.
   * Returns at once with what is there. The caller owns the batches. Empty and control batches are not
   * returned but move `position`. Throws `LogError`: `offset-out-of-range`, `unknown-topic`, `corrupt`.
   */
  poll(maxWaitMs: number): Promise<readonly RecordBatch[]>;
  /** The offset after the last batch that `poll` returned or stepped over; where `assign` put it before. */
  position(partition: TopicPartition): number;
  /** The partition's end offset as last seen, or -1 when nothing was seen yet. `end - position` is the lag. */
  endOffset(partition: TopicPartition): number;
  close(): Promise<void>;
}

/** How a writer sends, where it is not told otherwise. */
export interface ProducerOptions {
  /**
   * Without a transactional id, on Kafka: whom offsets are committed as, so that those of a writer are refused (`fenced`)
   * in whose place another member of the group is. Left out: the group has no members, and whoever comes may commit.
   */
  readonly member?: GroupCommitter;
  /** How batches are compressed (Kafka's `compression.type`). Default: as the log was opened with, or `none`. */
  readonly compression?: Compression;
  /**
   * The largest record, with 61 bytes for its batch and before compression (Kafka's `max.request.size`). Default: as the
   * log was opened with, or 1,048,576. An appender refuses what is larger with `record-too-large`.
   */
  readonly requestBytesMax?: number;
  /**
   * How long output may wait for more before it is sent, in milliseconds (Kafka's `linger.ms`). Default: as the log was
   * opened with, or 5 (Kafka 4.0, KIP-1030). The writer's owner keeps it, who knows when output may go before its commit.
   */
  readonly lingerMs?: number;
}

/** Kafka's since 4.0 (KIP-1030): what gathers in that time makes up for the requests it takes. */
export const DEFAULT_LINGER_MS = 5;
/** What librdkafka allows. */
export const LINGER_MS_MAX = 900_000;

export interface WriterOptions extends ProducerOptions {
  /** The consumer group that `commit` commits to. */
  readonly group?: string;
  /**
   * Makes `commit` one step on Kafka too, by transactions (KIP-98, KIP-890): output and offsets are seen together or not at
   * all. Opening a writer of that id undoes what another one has not committed, and ends it: its next request is refused
   * with `fenced`. A writer whose transaction was undone (`transaction-aborted`), or whose outcome nobody knows, is of no
   * more use. The embedded log commits in one step always, and ignores it.
   */
  readonly transactionalId?: string;
  /** How long Kafka waits for the end of a transaction before it undoes it. Default 10 s. */
  readonly transactionTimeoutMs?: number;
}

/** What a task hands to `commit`. */
export type OffsetToCommit = CommittedOffset;

export interface LogWriter {
  /** Where records for a partition gather; the same object for the writer's life. */
  appender(partition: TopicPartition): RecordAppender;
  /** Bytes gathered and not yet acknowledged. */
  readonly pendingBytes: number;
  /** Those of them that no flush has taken yet. */
  readonly unsentBytes: number;
  /** Whether records for a partition were gathered that are not acknowledged yet. */
  isPending(partition: TopicPartition): boolean;
  /**
   * Whether `commit` makes records and offsets visible in one step. Where it does, a writer whose output is to be exact
   * must not `flush` in between, unless what it flushes stays hidden: it would be out although its input is not committed.
   */
  readonly atomicCommit: boolean;
  /** Whether what is flushed is seen by nobody before it is committed, and undone when it is not. */
  readonly flushStaysHidden: boolean;
  /** See `ProducerOptions`. */
  readonly lingerMs: number;
  /**
   * Sends what was gathered and resolves when it is acknowledged by all in-sync replicas. Records appended
   * while it runs belong to the next flush. Retries with identical bytes.
   */
  flush(): Promise<void>;
  /**
   * Everything gathered, and the offsets of its input, as one step. The embedded log makes it atomic, and so does Kafka with a
   * transactional id; without, it sends, waits for all acknowledgements, then commits the offsets (at-least-once). Nothing
   * may be flushed while it runs.
   */
  commit(offsets: readonly OffsetToCommit[]): Promise<void>;
  /**
   * Resolves when readers find all that was committed so far. Kafka answers a commit before it has told the partitions.
   * Throws `unavailable` when others keep a transaction open in them for too long.
   */
  readable(): Promise<void>;
  /** The offset after the last acknowledged record of this writer in a partition; -1 before the first. */
  endOffset(partition: TopicPartition): number;
  close(): Promise<void>;
}

export type LogErrorKind =
  | 'unknown-topic'
  | 'offset-out-of-range'
  | 'corrupt'
  | 'unsupported-codec'
  | 'record-too-large'
  /** The topic's settings forbid the record: it has no key, or a time far from the broker's. */
  | 'record-refused'
  | 'invalid-topic'
  /** Topics have other partition counts than what reads them needs, or than its state was begun with. No restart mends it. */
  | 'partition-count'
  /** A topic was deleted and made anew: positions in it are another topic's. */
  | 'topic-recreated'
  | 'unavailable'
  | 'unauthorized'
  /** Another writer has come in this one's place: nothing that this one has not committed counts any more. */
  | 'fenced'
  /** The transaction is undone, and nobody else has come: whoever opens again goes on at the last commit. */
  | 'transaction-aborted'
  | 'invalid-setting'
  /** The cluster is too old for it. */
  | 'unsupported'
  | 'closed';

/** What went wrong in the log, by kind. `partition` names where, when it is about one. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly kind: LogErrorKind;
  readonly partition: (TopicPartition & { readonly offset?: number }) | undefined;

  constructor(
    kind: LogErrorKind,
    message: string,
    partition?: TopicPartition & { readonly offset?: number },
  ) {
    super(message);
    this.kind = kind;
    this.partition = partition;
  }

  /** Whether one record is at fault, which its writer can leave out; all else is nothing to records. */
  get refusesRecord(): boolean {
    return this.kind === 'record-too-large' || this.kind === 'record-refused';
  }
}

/**
 * The brokers refused a record that was appended before, and what was flushed with it has failed. Every writer of the log
 * knows now: when it is written again, it is refused where it is appended.
 */
export class LateRefusal extends LogError {}
