import { ByteWriter } from '../../common/bytes.ts';
import type { KeyValueStore, TaskState } from '../../state/store.ts';
import type { PersistedNumber, Processor, ProcessorContext, ValueJoiner } from './processor.ts';
import { RecordKey } from './record-key.ts';
import { readStoredKey, type WindowSuffix, writeStoredKey } from './stored-key.ts';
import type { TableReader, TableView } from './table-view.ts';

export interface JoinBufferedStreamTableOptions {
  /** A table that knows its history. */
  readonly table: TableView;
  readonly join: 'inner' | 'left';
  readonly joiner: ValueJoiner;
  /** A key-value store of the values that wait, by [time][key][sequence]. */
  readonly buffer: string;
  readonly graceMs: number;
  /** How windowed keys of the stream are kept; `windowSizeMs` is the size of time windows. */
  readonly suffix: WindowSuffix;
  readonly windowSizeMs: number;
}

/**
 * Joins each stream record with the row that a table had at the record's time (KIP-923). A record waits until the
 * stream has moved on by the grace period, so that changes of the table that come late are not missed; then it is
 * joined, in the order of (time, key, arrival). What comes later than that is joined at once.
 */
export function joinBufferedStreamTable(options: JoinBufferedStreamTableOptions): () => Processor {
  return () => new JoinBufferedStreamTable(options);
}

class JoinBufferedStreamTable implements Processor {
  readonly #options: JoinBufferedStreamTableOptions;
  readonly #writer = new ByteWriter(256);
  #context!: ProcessorContext;
  #table!: TableReader;
  #buffer!: KeyValueStore;
  #streamTime!: PersistedNumber;
  #sequence!: PersistedNumber;
  #released: RecordKey | null = null;

  constructor(options: JoinBufferedStreamTableOptions) {
    this.#options = options;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    this.#table = this.#options.table.open(context);
    this.#buffer = context.store(this.#options.buffer) as KeyValueStore;
    this.#streamTime = context.persisted('stream-time', -1);
    this.#sequence = context.persisted('sequence', 0);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#table.prefetch(key, timestamp, state);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const context = this.#context;
    if (timestamp > this.#streamTime.value) this.#streamTime.value = timestamp;
    if (value === null) return context.skip('null-value', 'a join needs a value');
    if (!key.present) {
      const { join, joiner } = this.#options;
      if (join === 'inner') return context.skip('null-key', 'an inner join needs a key');
      return context.forward(key, joiner(value, null, key), undefined, timestamp);
    }
    this.#hold(key, value, timestamp);
    return this.#release(key);
  }

  #hold(key: RecordKey, value: unknown, timestamp: number): void {
    const writer = this.#writer;
    writer.length = 0;
    writer.writeSafeInt64(timestamp);
    writeStoredKey(key, this.#options.suffix, writer);
    writer.writeInt32(this.#sequence.value | 0);
    this.#sequence.value = (this.#sequence.value + 1) & 0x7fff_ffff;
    this.#buffer.put(writer.buffer, 0, writer.length, value, timestamp);
  }

  #release(like: RecordKey): void {
    const { graceMs, suffix, windowSizeMs, join, joiner } = this.#options;
    const until = this.#streamTime.value - graceMs;
    const key = (this.#released ??= new RecordKey(like.serde));
    key.serde = like.serde;
    for (;;) {
      const first = this.#first();
      if (first === null || first.timestamp > until) return;
      const { bytes, value, timestamp } = first;
      this.#buffer.put(bytes, 0, bytes.length, null, timestamp);
      readStoredKey(bytes, 8, bytes.length - 4, suffix, windowSizeMs, key);
      const table = this.#table;
      const right = table.getAsOf === undefined ? table.get(key) : table.getAsOf(key, timestamp);
      if (right === null && join === 'inner') continue;
      this.#context.forward(key, joiner(value, right, key), undefined, timestamp);
    }
  }

  #first(): { readonly bytes: Buffer; readonly value: unknown; readonly timestamp: number } | null {
    const found: { readonly bytes: Buffer; readonly value: unknown; readonly timestamp: number }[] = [];
    this.#buffer.range(null, null, false, (bytes, start, end, value, timestamp) => {
      found.push({ bytes: Buffer.from(bytes.subarray(start, end)), value, timestamp });
      return false;
    });
    return found[0] ?? null;
  }
}
