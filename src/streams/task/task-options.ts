import type { Clock } from '../../common/clock.ts';
import type { StateStore, TaskState } from '../../state/store.ts';
import type { SubTopology, TimestampExtractor } from '../topology/topology.ts';
import type { TopicPartition } from '../../log/log.ts';
import type { ErrorHandlers } from './error-handlers.ts';
import type { TaskOutput } from './record-sink.ts';
import type { SkippedRecord } from './skipped-record.ts';
import type { Horizon } from './input-queue.ts';

/** The options of a task. */
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
  /** They decide about records that fail. */
  readonly handlers?: ErrorHandlers;
  /** The topic of dead letters. */
  readonly deadLetterTopic?: string;
  /** For sources that name none. Default `failOnInvalidTimestamp`. */
  readonly timestampExtractor?: TimestampExtractor;
  /** -1: never wait for an empty input; 0: wait while it is known to lag; above: and that long after. */
  readonly maxIdleMs: number;
  /** How far the log is ahead of what was fetched of an input partition: -1 unknown. */
  readonly lagOf: (topic: string, partition: number) => number;
  /** How far what this process writes to an input has come; null where it writes nothing to it. */
  readonly horizonOf?: (input: TopicPartition) => Horizon | null;
}
