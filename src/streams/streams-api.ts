/** The exports of "millrace/streams": the streams library, usable without SQL. */

export { ManualClock, systemClock, type Clock } from '../common/clock.ts';
export { DataError } from '../common/error.ts';
export { openLogger, silentLogger, type Logger } from '../common/logger.ts';
export { openEmbeddedLog, type EmbeddedLogOptions } from '../log/embedded/embedded-log.ts';
export { openKafkaLog, type KafkaLogOptions } from '../log/kafka/open-kafka-log.ts';
export { SettingError } from '../log/kafka/settings/given-settings.ts';
export { LogError, type Log, type LogErrorKind, type ProducerOptions } from '../log/log.ts';
export type { Header } from '../log/record-batch.ts';
export type { StateBackend } from '../state/store.ts';
export { openStateBackend, type StateBackendOptions } from '../state/task-state.ts';

export type { AsyncOptions, AsyncResult, AsyncResults } from './dsl/async-options.ts';
export { BranchedKStream } from './dsl/branched-kstream.ts';
export { KStream, type KeyValue } from './dsl/kstream.ts';
export { CustomWindows, type CustomWindowsOptions } from './dsl/custom-windows.ts';
export type { StateStoreDeclaration, StoreReferences } from './dsl/declared-stores.ts';
export { CogroupedKStream } from './dsl/cogrouped.ts';
export { GlobalKTable } from './dsl/global-ktable.ts';
export { ALL_OPTIMIZATIONS, type Optimizations } from './dsl/graph.ts';
export { KGroupedStream } from './dsl/grouped-stream.ts';
export { KGroupedTable } from './dsl/grouped-table.ts';
export { KTable } from './dsl/ktable.ts';
export type {
  Consumed,
  Grouped,
  Joined,
  Materialized,
  Named,
  Printed,
  Produced,
  Repartitioned,
  StreamJoined,
  StreamTableJoined,
  TimedRecord,
  Versioned,
  WindowedConsumed,
} from './dsl/options.ts';
export { Serdes } from './dsl/serdes.ts';
export { openStoreView } from './stores/open-store-view.ts';
export type {
  KeyValueStoreView,
  RangeBounds,
  Row,
  SessionStoreView,
  StateStoreView,
  Version,
  VersionedStoreView,
  WindowStoreView,
} from './stores/state-store-view.ts';
export {
  StreamsBuilder,
  type GlobalStoreProcessor,
  type StreamsBuilderOptions,
  type Topics,
} from './dsl/streams-builder.ts';
export { TopologyError } from './topology/topology-error.ts';
export type {
  BringsStores,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  ForwardedRecord,
  ProcessorSupplier,
  RecordMetadata,
  StreamRecord,
  TableValueTransformer,
  UserContext,
  UserFixedKeyProcessor,
  UserProcessor,
  UserProcessorContext,
} from './dsl/user-processor.ts';
export { windowedSerde } from './dsl/windowed-serde.ts';
export { SessionWindowedKStream, TimeWindowedKStream } from './dsl/windowed-stream.ts';
export {
  JoinWindows,
  SessionWindows,
  SlidingWindows,
  Suppressed,
  TimeWindows,
  UnlimitedWindows,
} from './dsl/windows.ts';
export type { EmitStrategy } from './operations/aggregate.ts';

export type {
  Processor,
  ProcessorContext,
  PunctuationKind,
  RecordContext,
  RecordPart,
  SkipReason,
} from './topology/processor.ts';
export { RecordKey } from './topology/record-key.ts';
export {
  continueOnDataError,
  continueOnError,
  failOnError,
  RecordFailure,
  sendToDeadLetterTopic,
  type ErrorHandler,
  type ErrorHandlers,
  type ErrorVerdict,
  type FailedRecord,
} from './task/error-handlers.ts';
export {
  StoreQueryError,
  type KeyMetadata,
  type ReadOnlyKeyValueStore,
  type ReadOnlySessionStore,
  type ReadOnlyVersionedStore,
  type ReadOnlyWindowStore,
  type SessionRow,
  type StoreQuery,
  type WindowRow,
} from './application/read-only-store.ts';
export type { RestoreListener, RestoreRange } from './instance/restore.ts';
export {
  inStreamThread,
  runStreamThread,
  StreamThreads,
  type OpenApplication,
  type StreamThreadsOptions,
} from './application/stream-threads.ts';
export { Streams } from './application/streams.ts';
export type {
  InternalTopicOptions,
  StreamsOptions,
  StreamsState,
  UncaughtErrorPolicy,
} from './instance/streams-options.ts';
export type { SkippedRecord } from './task/skipped-record.ts';
export {
  failOnInvalidTimestamp,
  InvalidTimestamp,
  partitionTimeOnInvalidTimestamp,
  skipOnInvalidTimestamp,
  wallClockTimestamp,
} from './task/timestamp-extractors.ts';
export {
  type InputTimes,
  TestInputTopic,
  TestOutputTopic,
  TopologyTestDriver,
  type PipedRecord,
  type TestRecord,
  type TopologyTestDriverOptions,
} from './test-driver/topology-test-driver.ts';
export type { OffsetReset } from './topology/offset-reset.ts';
export type { Serde } from './topology/serde.ts';
export type { TopicPattern } from './topology/topic-pattern.ts';
export {
  Topology,
  type SinkNode,
  type SourceNode,
  type StoreNode,
  type WindowLength,
  type TimestampExtractor,
  type TopologyOptions,
} from './topology/topology.ts';
export type { Window, Windowed } from './topology/windowed.ts';
