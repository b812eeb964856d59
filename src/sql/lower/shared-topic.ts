import { EMPTY_BYTES } from '../../common/bytes.ts';
import { DataError } from '../../common/error.ts';
import type { Processor, ProcessorContext } from '../../streams/topology/processor.ts';
import { RecordKey } from '../../streams/topology/record-key.ts';
import { readStoredKey } from '../../streams/processors/stored-key.ts';
import type { WindowedKeyFormat } from '../../streams/topology/topology.ts';
import type { RowKeySerde } from './row-key-serde.ts';
import type { SourceSerde } from './source-serde.ts';

/** A record's time from its row (null: no value) and key; negative when there is none. */
export type RowTimestamp = (row: unknown, key: RecordKey, recordTimestamp: number) => number;

export interface SharedTopicOptions {
  readonly key: RowKeySerde;
  readonly value: SourceSerde;
  readonly window: WindowedKeyFormat | null;
  readonly extractor: RowTimestamp | null;
}

/** Makes of a record's bare bytes (a key and a value) what one of the sources over its topic declares. */
export function readSharedTopic(options: SharedTopicOptions): () => Processor {
  return () => new ReadSharedTopic(options);
}

class ReadSharedTopic implements Processor {
  readonly #options: SharedTopicOptions;
  readonly #key: RecordKey;
  #context!: ProcessorContext;

  constructor(options: SharedTopicOptions) {
    this.#options = options;
    this.#key = new RecordKey(options.key);
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(bareKey: RecordKey, bytes: unknown, _old: unknown, recordTimestamp: number): void {
    const { value, extractor } = this.#options;
    const key = this.#readKey(bareKey);
    let row: unknown = null;
    let timestamp = recordTimestamp;
    try {
      if (bytes !== null) row = value.deserialize(bytes as Buffer, 0, (bytes as Buffer).length);
      if (extractor !== null) timestamp = extractor(row, key, recordTimestamp);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return this.#context.skip('deserialization', error.message);
    }
    if (timestamp < 0)
      return this.#context.skip('timestamp', `the record has no usable timestamp (${timestamp})`);
    return this.#context.forward(key, row, undefined, timestamp);
  }

  #readKey(bare: RecordKey): RecordKey {
    const key = this.#key;
    const { window } = this.#options;
    if (!bare.present) {
      key.setBytes(EMPTY_BYTES, -1, -1);
    } else {
      const suffix = window === null ? 'none' : window.kind;
      const sizeMs = window?.kind === 'time' ? window.sizeMs : 0;
      readStoredKey(bare.buffer as Buffer, bare.start, bare.end, suffix, sizeMs, key);
    }
    return key;
  }
}
