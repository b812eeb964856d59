import { DataError } from '../../common/error.ts';
import type { WrittenKey } from '../../formats/format.ts';
import type { Serde } from '../topology/serde.ts';
import { Operator } from './operator.ts';
import type { Processor, RecordContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/** Writes what of a row does not come from the value: its key's columns, record time and place, window, headers. */
export type FillRow = (row: unknown[], key: RecordKey, timestamp: number, record: RecordContext) => void;

export interface CompleteRowsOptions {
  /** Null when nobody wants any of it: the usual case. */
  readonly fill: FillRow | null;
  /** False: records go on without their key. */
  readonly keyed: boolean;
  /**
   * Tells, without decoding, whether key bytes are surely those that `serde` writes for their value; null where there is
   * only one way to write one. Others are written anew, so that from here on equal keys are equal bytes: in stores,
   * repartition topics and sinks.
   */
  readonly isWritten: WrittenKey | null;
  readonly serde: Serde;
}

/** Completes rows that were decoded from a topic with what their records tell beside the value. */
export function completeRows(options: CompleteRowsOptions): () => Processor {
  return () => new CompleteRows(options);
}

class CompleteRows extends Operator {
  readonly #fill: FillRow | null;
  readonly #keyed: boolean;
  readonly #isWritten: WrittenKey | null;
  /** Forwarded in place of the record's key: a null key, or one written anew. */
  readonly #own: RecordKey;

  constructor({ fill, keyed, isWritten, serde }: CompleteRowsOptions) {
    super();
    this.#fill = fill;
    this.#keyed = keyed;
    this.#isWritten = isWritten;
    this.#own = new RecordKey(serde);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    let forwarded = key;
    if (!this.#keyed) {
      forwarded = this.#own;
    } else if (this.#isWritten !== null && key.present && !this.#isWritten(key.buffer, key.start, key.end)) {
      forwarded = this.#own;
      try {
        forwarded.setValue(key.value);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        return this.context.skip('deserialization', `key: ${error.message}`, error, 'key');
      }
      forwarded.windowStart = key.windowStart;
      forwarded.windowEnd = key.windowEnd;
    }
    if (value !== null && this.#fill !== null)
      this.#fill(value as unknown[], key, timestamp, this.context.record);
    return this.context.forward(forwarded, value, undefined, timestamp);
  }
}
