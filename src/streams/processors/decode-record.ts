import { EMPTY_BYTES } from '../../common/bytes.ts';
import { DataError } from '../../common/error.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import { OperatorOf } from './operator.ts';
import type { Processor } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import { readWindowedKey } from '../topology/windowed-key.ts';

export interface DecodeRecordOptions {
  readonly key: Serde;
  readonly value: Serde;
  readonly window: WindowedKeyFormat | undefined;
  /** A record's time from its value (null: none) and key; negative when there is none. Absent: its own. */
  readonly timeOf: ((value: unknown, key: RecordKey, recordTimestamp: number) => number) | undefined;
}

/**
 * Makes a key and a value of a record of bare bytes: for one of several readers of a topic, each in its own way, where a
 * source decodes in one.
 */
export function decodeRecord(options: DecodeRecordOptions): () => Processor {
  return () => new DecodeRecord(options);
}

class DecodeRecord extends OperatorOf<DecodeRecordOptions> {
  readonly #key: RecordKey;

  constructor(options: DecodeRecordOptions) {
    super(options);
    this.#key = new RecordKey(options.key);
  }

  process(bareKey: RecordKey, bytes: unknown, _old: unknown, recordTimestamp: number): void {
    const { value: serde, timeOf } = this.options;
    const key = this.#readKey(bareKey);
    let value: unknown = null;
    let timestamp = recordTimestamp;
    try {
      if (bytes !== null) value = serde.deserialize(bytes as Buffer, 0, (bytes as Buffer).length);
      if (timeOf !== undefined) timestamp = timeOf(value, key, recordTimestamp);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return this.context.skip('deserialization', error.message);
    }
    if (timestamp < 0)
      return this.context.skip('timestamp', `the record has no usable timestamp (${timestamp})`);
    return this.context.forward(key, value, undefined, timestamp);
  }

  #readKey(bare: RecordKey): RecordKey {
    const key = this.#key;
    const { window } = this.options;
    if (bare.present) readWindowedKey(bare.buffer as Buffer, bare.start, bare.end, window, key);
    else key.setBytes(EMPTY_BYTES, -1, -1);
    return key;
  }
}
