import { AssertionError } from '../../common/assert.ts';
import { EMPTY_BYTES } from '../../common/bytes.ts';
import { DataError, messageOf } from '../../common/error.ts';
import { LogError } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import type { RecordAppender } from '../../log/record-appender.ts';
import type { Header } from '../../log/record-batch.ts';
import type { TaskState } from '../../state/store.ts';
import type { RecordPart, SkipReason } from '../topology/processor.ts';
import { shown } from '../topology/record-time.ts';
import { StopError } from '../topology/stop-error.ts';
import { TopologyError } from '../topology/topology-error.ts';
import type { CurrentRecord } from './current-record.ts';
import {
  deadLetterHeaders,
  valueLeftOutHeader,
  type ErrorHandler,
  type ErrorHandlers,
  type ErrorVerdict,
  type FailedRecord,
  failOnError,
  RecordFailure,
} from './error-handlers.ts';
import type { TaskOutput } from './record-sink.ts';
import type { Undoable } from './undoable.ts';
import type { SkippedRecord } from './skipped-record.ts';

export interface RecordFailuresOptions {
  readonly applicationId: string;
  readonly state: Pick<TaskState, 'missed'>;
  readonly output: TaskOutput;
  readonly onSkip: (skipped: SkippedRecord) => void;
  readonly handlers?: ErrorHandlers;
  readonly deadLetterTopic?: string;
}

/** Decides about records of one task that are dropped or fail: asks handlers, sends dead letters, tells of drops. */
export class RecordFailures implements Undoable {
  readonly #options: RecordFailuresOptions;
  readonly #taskId: string;
  readonly #record: CurrentRecord;
  /** Records dropped by the record in flight, told when it cannot be undone any more. */
  readonly #drops: SkippedRecord[] = [];
  #guarded = false;

  constructor(options: RecordFailuresOptions, taskId: string, record: CurrentRecord) {
    this.#options = options;
    this.#taskId = taskId;
    this.#record = record;
  }

  mark(): void {
    this.#guarded = true;
  }

  undo(): void {
    this.#guarded = false;
    this.#drops.length = 0;
  }

  /** Tells of the records that were dropped since `mark`. */
  keep(): void {
    this.#guarded = false;
    if (this.#drops.length === 0) return;
    for (const dropped of this.#drops) this.#options.onSkip(dropped);
    this.#drops.length = 0;
  }

  /** An operator dropped a record. Where that was because of an error, the handlers decide. */
  skip(node: string, reason: SkipReason, detail: string, error: unknown, part: RecordPart = 'value'): void {
    if (this.#handlerOf(reason) === null) this.#drop(this.#skipped(node, reason, detail, part));
    else this.failed(node, reason, error ?? new DataError(detail), detail, part);
  }

  /**
   * Something was thrown while a record, or a punctuation, was at `node`. Returns when processing goes on without it, throws
   * when it does not.
   */
  failed(
    node: string,
    reason: SkipReason,
    error: unknown,
    detail = messageOf(error),
    part: RecordPart = 'value',
  ): void {
    // An error that follows from a miss is undone with the record: no handler is asked.
    if ((this.#guarded && this.#options.state.missed) || error instanceof RecordFailure) throw error;
    const skipped = this.#skipped(node, error instanceof LogError ? 'production' : reason, detail, part);
    const ours =
      error instanceof AssertionError ||
      error instanceof TopologyError ||
      error instanceof StopError ||
      (error instanceof LogError && !error.refusesRecord);
    if (ours) throw new RecordFailure(skipped, detail, error);
    // An extractor that throws could not read the record.
    const step = reason === 'timestamp' ? 'deserialization' : skipped.reason;
    const handler = this.#handlerOf(step) ?? failOnError;
    const failed: FailedRecord = { ...skipped, error, headers: this.#record.headers() };
    switch (this.#verdictOf(handler, failed)) {
      case 'fail':
        throw new RecordFailure(skipped, detail, error);
      case 'dead-letter':
        this.#sendDeadLetter(failed);
        break;
      case 'continue':
        break;
    }
    this.#drop(skipped);
  }

  /** The handler's verdict. The record fails when the handler does, or gives something that is no verdict. */
  #verdictOf(handler: ErrorHandler, failed: FailedRecord): ErrorVerdict {
    let verdict: unknown;
    try {
      verdict = handler(failed);
    } catch (error) {
      throw new RecordFailure(failed, `${failed.detail}, and its handler failed: ${messageOf(error)}`, error);
    }
    if (verdict === 'fail' || verdict === 'continue' || verdict === 'dead-letter') return verdict;
    if (verdict instanceof Promise) verdict.catch(() => undefined);
    const given = verdict instanceof Promise ? 'a promise, for which nobody waits' : shown(verdict);
    throw new RecordFailure(
      failed,
      `${failed.detail}, and its handler gave ${given}: a verdict is 'fail', 'continue' or 'dead-letter'`,
      failed.error,
    );
  }

  /** Null for what is dropped without asking. */
  #handlerOf(reason: SkipReason): ErrorHandler | null {
    const { handlers } = this.#options;
    switch (reason) {
      case 'deserialization':
        return handlers?.deserialization ?? failOnError;
      case 'evaluation':
        return handlers?.processing ?? failOnError;
      case 'serialization':
      case 'production':
        return handlers?.production ?? failOnError;
      case 'timestamp':
      case 'null-key':
      case 'null-value':
      case 'late':
        return null;
    }
  }

  #sendDeadLetter(failed: FailedRecord): void {
    const { deadLetterTopic, output } = this.#options;
    if (deadLetterTopic === undefined)
      throw new RecordFailure(
        failed,
        `${failed.detail}, and its handler sends to the dead letter topic, of which the application names none`,
        failed.error,
      );
    const key = failed.key ?? EMPTY_BYTES;
    const partitions = output.partitions(deadLetterTopic);
    const partition = failed.key === null ? 0 : partitionOfKey(key, 0, key.length, partitions);
    const appender = output.appender(deadLetterTopic, partition);
    const headers = deadLetterHeaders(failed);
    try {
      appendDeadLetter(appender, failed, headers);
    } catch (error) {
      if (!(error instanceof LogError) || !error.refusesRecord) throw error;
      this.#sendWithoutValue(appender, failed, headers);
    }
  }

  /** A record may be too large for the topic of dead letters as well: it still lies where the letter says. */
  #sendWithoutValue(appender: RecordAppender, failed: FailedRecord, headers: readonly Header[]): void {
    const left = valueLeftOutHeader(failed.value?.length ?? 0);
    try {
      appendDeadLetter(appender, { ...failed, value: null }, [...headers, left]);
    } catch (error) {
      if (!(error instanceof LogError) || !error.refusesRecord) throw error;
      const detail = `${failed.detail}, and the dead letter topic refuses it: ${error.message}`;
      throw new RecordFailure(failed, detail, failed.error);
    }
  }

  #drop(skipped: SkippedRecord): void {
    if (this.#guarded) this.#drops.push(skipped);
    else this.#options.onSkip(skipped);
  }

  #skipped(node: string, reason: SkipReason, detail: string, part: RecordPart): SkippedRecord {
    const { batch, index } = this.#record;
    const slice = (start: number, end: number): Buffer | null =>
      batch === null || start < 0 ? null : Buffer.from(batch.buffer.subarray(start, end));
    return {
      applicationId: this.#options.applicationId,
      taskId: this.#taskId,
      node,
      reason,
      detail,
      unreadable: reason === 'deserialization' ? part : null,
      topic: this.#record.topic,
      partition: this.#record.partition,
      offset: this.#record.offset,
      timestamp: batch === null ? -1 : batch.timestamps[index]!,
      key: batch === null ? null : slice(batch.keyStart[index]!, batch.keyEnd[index]!),
      value: batch === null ? null : slice(batch.valueStart[index]!, batch.valueEnd[index]!),
    };
  }
}

function appendDeadLetter(
  appender: RecordAppender,
  { timestamp, key, value }: FailedRecord,
  headers: readonly Header[],
): void {
  appender.append(
    Math.max(0, timestamp),
    key ?? EMPTY_BYTES,
    key === null ? -1 : 0,
    key?.length ?? 0,
    value ?? EMPTY_BYTES,
    value === null ? -1 : 0,
    value?.length ?? 0,
    headers,
  );
}
