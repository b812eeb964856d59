import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { GroupCommitter } from '../../log/membership.ts';
import type { Log, LogWriter, ProducerOptions } from '../../log/log.ts';
import type { StateBackend } from '../../state/store.ts';
import type { OffsetReset } from '../topology/offset-reset.ts';
import type { TimestampExtractor } from '../topology/topology.ts';
import type { ErrorHandlers } from '../task/error-handlers.ts';
import type { RestoreListener } from './restore.ts';
import type { SkippedRecord } from '../task/skipped-record.ts';

export type StreamsState =
  | 'created'
  | 'restoring'
  | 'running'
  | 'paused'
  /** It holds no tasks and no state until it is told to go on: another process may run them meanwhile. */
  | 'waiting'
  | 'stopping'
  | 'stopped'
  | 'error';

/** As Kafka Streams' `processing.guarantee`. */
export type ProcessingGuarantee = 'at_least_once' | 'exactly_once_v2';

export interface InternalTopicOptions {
  /** Default -1: as the brokers have it (Kafka Streams: `replication.factor`). */
  readonly replicas?: number;
  /** Settings of topics, over the application's own defaults and under a store's (Kafka Streams: `topic.…`). */
  readonly configs?: Readonly<Record<string, string>>;
}

export interface StreamsOptions {
  /** Names the consumer group, internal topics and state directory: the identity of its progress. */
  readonly applicationId: string;
  readonly log: Log;
  readonly state: StateBackend;
  /** Where task states live, a folder an application; null keeps them in memory. */
  readonly stateDirectory: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * What a failure may do to the output. The embedded log commits exactly once, whatever this is. On Kafka `exactly_once_v2`
   * takes transactions: another application of this id is ended by opening this one, and ends this one when it opens.
   * Default `at_least_once`.
   */
  readonly processingGuarantee?: ProcessingGuarantee;
  /** The name that only one may have at a time, with `exactly_once_v2`. Default the application's id. */
  readonly transactionalId?: string;
  /** How long a transaction may last, which is longer than `commitIntervalMs`. Default three times that, within 10,000 and 900,000. */
  readonly transactionTimeoutMs?: number;
  /** With `at_least_once`, on Kafka: whom offsets are committed as. See `WriterOptions.member`. */
  readonly member?: GroupCommitter;
  /** How often output, offsets and state are committed together. Default 100. */
  readonly commitIntervalMs?: number;
  /** Where to start without a committed offset. Default earliest. */
  readonly offsetReset?: OffsetReset;
  /** Whether stores are backed by changelog topics. Default true; pointless on a log that forgets. */
  readonly changelogs?: boolean;
  /** A query that leaves nothing behind: no group, no changelogs, no state on disk. */
  readonly transient?: boolean;
  /** How often state goes to disk, at least. Default 2000: the changelog's tail covers what is newer. */
  readonly persistIntervalMs?: number;
  /**
   * How long state of tasks that the topology no longer has is left alone before it is deleted, and how often it is looked
   * for (Kafka Streams: state.cleanup.delay.ms). Default 600,000. Only with changelogs, and where one owner runs all tasks.
   */
  readonly stateCleanupDelayMs?: number;
  /** Bytes of state that may be newer than the disk. Default 64 MiB. */
  readonly unpersistedBytesMax?: number;
  /** Bytes of state held in memory, over all tasks. Default what the state backend allows to all applications together. */
  readonly stateBytesMax?: number;
  /** Bytes fetched and not yet processed. Default 32 MiB. */
  readonly bufferBytesMax?: number;
  readonly maxIdleMs?: number;
  /** How output and changelogs are sent: compression, how long it waits for more, and the largest record. Default: as the log was opened with. */
  readonly producer?: ProducerOptions;
  /** What repartition and changelog topics are created with, where the application has to create them. */
  readonly internalTopics?: InternalTopicOptions;
  /**
   * How often it is looked for topics that sources by pattern should read, and for partitions that topics have got. Default
   * 60,000. New partitions are read from their beginning; where state follows the topic's partitions, the application stops.
   */
  readonly topicRefreshMs?: number;
  /**
   * Which tasks are this instance's; all by default. Instances that share an application's tasks, in threads or
   * processes, must agree: a task that two of them run commits over itself. The one that spreads the tasks holds the lock of the
   * state directory, and cleans up.
   */
  readonly ownsTask?: (subTopology: number, partition: number) => boolean;
  /** They decide about records that cannot be read, processed or written. Default: each stops the application. */
  readonly handlers?: ErrorHandlers;
  /** The topic of dead letters. It must exist when the application starts. */
  readonly deadLetterTopic?: string;
  /** The time of records of sources that name no extractor. Default `failOnInvalidTimestamp`. */
  readonly timestampExtractor?: TimestampExtractor;
  /**
   * The reaction to an error that nobody handled. `stop` (the default) leaves the application in state `error`;
   * `replace` closes its tasks and opens them again where they last committed, after `restartMinMs`, twice that, …
   */
  readonly onUncaughtError?: UncaughtErrorPolicy | ((error: unknown) => UncaughtErrorPolicy);
  /** Default 1000. */
  readonly restartMinMs?: number;
  /** Default 60,000. */
  readonly restartMaxMs?: number;
  readonly onSkip?: (skipped: SkippedRecord) => void;
  /**
   * Writes down a record that was skipped, with the writer of the application: what it appends is committed with the offset
   * that steps over the record. Told once of each, when that cannot be undone any more. What it throws is an error of the
   * application.
   */
  readonly keepSkipped?: (skipped: SkippedRecord, writer: LogWriter) => void;
  /**
   * Another process has taken the application's place (`LogError` `fenced`). With this it drops its tasks and waits until
   * it is told to go on; without, it stops in state `error`, whatever the policy is: two that take it from each other again
   * and again would both get nowhere.
   */
  readonly onFenced?: (error: unknown) => void;
  /** Every error that nobody handled, also one after which the application goes on. */
  readonly onError?: (error: unknown) => void;
  readonly onStateChange?: (state: StreamsState, before: StreamsState) => void;
  readonly onRestore?: RestoreListener;
}

export type UncaughtErrorPolicy = 'stop' | 'replace';
