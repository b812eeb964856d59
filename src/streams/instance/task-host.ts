import type { CommittedOffset, LogReader, LogWriter, TopicPartition } from '../../log/log.ts';
import type { StateStore, TaskState } from '../../state/store.ts';
import type { Horizon } from '../task/input-queue.ts';
import { TaskOutput } from '../task/record-sink.ts';
import type { SkippedRecord } from '../task/skipped-record.ts';
import type { TaskOptions } from '../task/task-options.ts';
import { Task } from '../task/task.ts';
import type { SubTopology } from '../topology/topology.ts';
import type { TopicPlan } from './internal-topics.ts';
import type { StreamsOptions } from './streams-options.ts';

/** Shared by the tasks of an instance. */
export interface TaskHost {
  readonly options: StreamsOptions;
  readonly plan: TopicPlan;
  readonly reader: LogReader;
  readonly writer: LogWriter;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** Whether a partition has appeared since the application first read from the log: whatever it holds has come since. */
  isNew(topic: string, partition: number): boolean;
  /** Throws `LogError` `unknown-topic`. */
  partitionsOf(topic: string): number;
  lagOf(topic: string, partition: number): number;
  /** The horizon of a sub-topology's input; null where this process writes nothing to it. */
  horizonOf(subTopology: number, input: TopicPartition): Horizon | null;
  onSkip(skipped: SkippedRecord): void;
}

/** By `topic-partition` of the log. */
export type CommittedOffsets = ReadonlyMap<string, CommittedOffset>;

export function newTask(
  host: TaskHost,
  subTopology: SubTopology,
  partition: number,
  state: TaskState,
  restoredNumbers: Readonly<Record<string, number>>,
  overrides: Partial<TaskOptions> = {},
): Task {
  const { applicationId, clock, handlers, deadLetterTopic, timestampExtractor, maxIdleMs } = host.options;
  return new Task(
    {
      applicationId,
      subTopology,
      partition,
      state,
      output: new TaskOutput(host.writer, (topic) => host.partitionsOf(topic)),
      clock,
      globalStores: host.globalStores,
      topicName: host.plan.topicName,
      onSkip: (skipped) => host.onSkip(skipped),
      ...(handlers && { handlers }),
      ...(deadLetterTopic !== undefined && { deadLetterTopic }),
      ...(timestampExtractor && { timestampExtractor }),
      maxIdleMs: maxIdleMs ?? 0,
      lagOf: (topic, number) => host.lagOf(topic, number),
      horizonOf: (input) => host.horizonOf(subTopology.index, input),
      ...overrides,
    },
    restoredNumbers,
  );
}
