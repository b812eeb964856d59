import type { Header } from '../../log/record-batch.ts';
import type { StateStore, TaskState } from '../../state/store.ts';
import type { AsyncCalls } from './async-calls.ts';
import type { RecordKey } from './record-key.ts';

/**
 * The interface of every operator: synchronous push, one record at a time, depth first. A child has finished before
 * `forward` returns, so order is the order of the input.
 *
 * One signature serves streams and tables:
 * - on a stream edge `old` is undefined and `value` null is a record without a value;
 * - on a table edge the record is a change of the key from `old` to `value`, null meaning absent; `old` is
 *   undefined when nobody downstream asked for old values (`sendOldValues`), as in Kafka Streams.
 *
 * `value` may be borrowed (overwritten by the next record): an operator that keeps it copies it.
 */
export interface Processor {
  /** Once, before the first record. Throws nothing that is the data's. */
  init?(context: ProcessorContext): void;
  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void;
  /**
   * Names the state that a record with this key and time will read (`state.want`), so that it is in memory when the
   * record comes. Called for each source record of a chunk while the task's state is not resident: keys do not change
   * inside a sub-topology in front of a stateful operator. A wrong guess costs time, never correctness.
   */
  prefetch?(key: RecordKey, timestamp: number, state: TaskState): void;
  /**
   * Calls of an operator that waits for the outside. Its task then processes record by record, stops while there are as many
   * calls as are allowed, delivers results that have come back, and commits only when no call is under way.
   */
  readonly calls?: AsyncCalls;
  /** Called before each commit, in topological order: forward what was held back (coalesced changes). */
  flush?(): void;
  close?(): void;
}

/** The origin of the record in flight. One object for each task. */
export interface RecordContext {
  /** Empty in a punctuation, with partition -1 and offset -1. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Read from the batch when asked; in order, duplicates kept. */
  headers(): readonly Header[];
  /**
   * Puts other headers in the place of the record's for all that is forwarded from now on; null: the record's own.
   * Returns what was in place, to be put back when the forward has returned or thrown.
   */
  replaceHeaders(headers: readonly Header[] | null): readonly Header[] | null;
}

export type PunctuationKind = 'stream-time' | 'wall-clock';

export interface ProcessorContext {
  readonly applicationId: string;
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string;
  readonly nodeName: string;
  readonly record: RecordContext;
  /** Returns a function that makes this record current again, for an operator that forwards later. */
  keepRecord(): () => void;
  /** The greatest timestamp that this task has seen, -1 before the first record. */
  streamTime(): number;
  /** Wall-clock time in milliseconds. */
  now(): number;
  /** To every child, in order. */
  forward(key: RecordKey, value: unknown, old: unknown, timestamp: number): void;
  /** To the child of that name. */
  forwardTo(child: string, key: RecordKey, value: unknown, old: unknown, timestamp: number): void;
  /** A store connected to this node. Throws `TopologyError` when it is not. */
  store(name: string): StateStore;
  /** First fires at `start + intervalMs`; a gap of several intervals fires once. Returns what cancels it. */
  schedule(intervalMs: number, kind: PunctuationKind, callback: (timestamp: number) => void): () => void;
  requestCommit(): void;
  /**
   * A number of this node that is committed with the task's offsets and there again after a restart or a move:
   * operator stream time, last emit time. `initial` until first set.
   */
  persisted(name: string, initial: number): PersistedNumber;
  /** As `persisted`, but the same number for every node of the task that asks for it by this name. */
  shared(name: string, initial: number): PersistedNumber;
  /**
   * Drops the record in flight at this node: counts it, logs it with topic, partition and offset, and hands it to
   * the instance's `onSkip`. For `deserialization`, `evaluation` and `serialization` the application's error handlers
   * are asked first, and may stop it (by an exception) or keep a dead letter. `error` is what was thrown, if anything;
   * `part` is what could not be read (`deserialization`), by default the value.
   */
  skip(reason: SkipReason, detail: string, error?: unknown, part?: RecordPart): void;
}

export interface PersistedNumber {
  value: number;
}

/** What bytes are read as. */
export type RecordPart = 'key' | 'value';

/** Why a record did not take part. `late`: its windows have closed. `production`: the log refuses what came of it. */
export type SkipReason =
  | 'deserialization'
  | 'timestamp'
  | 'null-key'
  | 'null-value'
  | 'late'
  | 'evaluation'
  | 'serialization'
  | 'production';

/** What operators are parameterised with. */
export type ValueMapper = (value: unknown, key: RecordKey, timestamp: number) => unknown;
export type Predicate = (value: unknown, key: RecordKey, timestamp: number) => boolean;
/** Joins two values; either may be null in left and outer joins. */
export type ValueJoiner = (left: unknown, right: unknown, key: RecordKey) => unknown;
