import { DataError } from '../../common/error.ts';
import { LogError } from '../../log/log.ts';
import type { Header } from '../../log/record-batch.ts';
import type { SkippedRecord } from './skipped-record.ts';

/** A record that could not be read, processed or written, with what was thrown. */
export interface FailedRecord extends SkippedRecord {
  readonly error: unknown;
  readonly headers: readonly Header[];
}

/**
 * The fate of a record that failed: `fail` stops the application before the record is committed, `continue`
 * drops and counts it, `dead-letter` writes it to the application's `deadLetterTopic`, in the commit that steps
 * over it, then drops and counts it.
 */
export type ErrorVerdict = 'fail' | 'continue' | 'dead-letter';

/**
 * Decides about one failed record. Called in the middle of processing, so it must not wait for anything. A failed assertion and an error of the log are
 * never the record's fault and stop the application without asking.
 */
export type ErrorHandler = (failed: FailedRecord) => ErrorVerdict;

/** The default, as in Kafka Streams. */
export const failOnError: ErrorHandler = () => 'fail';

/** Goes on whatever it was, mistakes in the application's own functions included. */
export const continueOnError: ErrorHandler = () => 'continue';

/**
 * Goes on when the data is at fault, or the log refuses what came of it; what else is thrown is a mistake of the program and
 * stops it.
 */
export const continueOnDataError: ErrorHandler = ({ error }) =>
  error instanceof DataError || (error instanceof LogError && error.refusesRecord) ? 'continue' : 'fail';

/** Keeps what failed in the application's `deadLetterTopic`, and goes on. */
export const sendToDeadLetterTopic: ErrorHandler = () => 'dead-letter';

/** One handler for each step of a record's way. Without one the record fails. */
export interface ErrorHandlers {
  /** Bytes that the source's serdes, or a timestamp that its extractor, cannot read. */
  readonly deserialization?: ErrorHandler;
  /** For errors that an operator or a punctuation throws. */
  readonly processing?: ErrorHandler;
  /** For records that cannot be serialized, or that the log refuses: too large, say. */
  readonly production?: ErrorHandler;
}

/** Stops the application; `message` says where the record lies, `cause` is what was thrown. */
export class RecordFailure extends Error {
  override readonly name = 'RecordFailure';
  readonly node: string;
  readonly taskId: string;
  /** Empty in a punctuation, with partition and offset -1. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;

  constructor(
    place: Pick<RecordFailure, 'node' | 'taskId' | 'topic' | 'partition' | 'offset'>,
    detail: string,
    cause: unknown,
  ) {
    const { node, taskId, topic, partition, offset } = place;
    const where = topic === '' ? 'a punctuation' : `the record at ${topic}-${partition}, offset ${offset}`;
    super(`${node} of task ${taskId} failed on ${where}: ${detail}`, { cause });
    this.node = node;
    this.taskId = taskId;
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
  }
}

/**
 * The headers of a dead letter: the record's own, then where it came from and why it failed. Names are those of
 * KIP-1034, so that tools for Kafka Streams' dead letters read ours; `node` and `task` are added.
 */
export function deadLetterHeaders(failed: FailedRecord): Header[] {
  const { error } = failed;
  return [
    ...failed.headers,
    text('exception', error instanceof Error ? error.name : typeof error),
    text('message', failed.detail),
    text('node', failed.node),
    text('task', failed.taskId),
    text('topic', failed.topic),
    text('partition', String(failed.partition)),
    text('offset', String(failed.offset)),
  ];
}

/** Of a dead letter that is too large with its value: how large that was. */
export function valueLeftOutHeader(sizeBytes: number): Header {
  return text('value.bytes', String(sizeBytes));
}

function text(key: string, value: string): Header {
  return { key: `__streams.errors.${key}`, value: Buffer.from(value, 'utf8') };
}
