import type { RecordPart, SkipReason } from '../topology/processor.ts';

/** A record that an operator dropped, with where it came from. Bytes are copies; null where there are none. */
export interface SkippedRecord {
  readonly applicationId: string;
  readonly taskId: string;
  readonly node: string;
  readonly reason: SkipReason;
  readonly detail: string;
  /** The part of it that cannot be read, where that is the reason (`deserialization`). */
  readonly unreadable: RecordPart | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
