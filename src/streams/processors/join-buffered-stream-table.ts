import { ByteWriter } from '../../common/bytes.ts';
import type { Header } from '../../log/record-batch.ts';
import type { KeyValueStore, TaskState, ValueCodec } from '../../state/store.ts';
import { readKeptHeaders, writeKeptHeaders } from './kept-headers.ts';
import { OperatorOf } from './operator.ts';
import type { PersistedNumber, Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import { readWindowedKey, writeWindowedKey } from '../topology/windowed-key.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import type { TableReader, TableView } from './table-view.ts';
import { withHeaders } from './with-headers.ts';

export interface JoinBufferedStreamTableOptions {
  /** A table that knows its history. */
  readonly table: TableView;
  readonly join: 'inner' | 'left';
  readonly joiner: ValueJoiner;
  /** A key-value store of `WaitingRecord`s, by [time][key][sequence]. */
  readonly buffer: string;
  readonly graceMs: number;
  /** The size of the windows of a windowed stream. */
  readonly window: WindowedKeyFormat | undefined;
}

/** A value that waits, with the headers that go along with what becomes of it. */
export interface WaitingRecord {
  readonly value: unknown;
  readonly headers: readonly Header[];
}

/**
 * Joins each stream record with the row that a table had at the record's time (KIP-923). A record waits until the
 * stream has moved on by the grace period, so that changes of the table that come late are not missed; then it is
 * joined, in the order of (time, key, arrival). What comes later than that is joined at once. The time of the stream is
 * that of the records that take part, as in Kafka Streams.
 */
export function joinBufferedStreamTable(options: JoinBufferedStreamTableOptions): () => Processor {
  return () => new JoinBufferedStreamTable(options);
}

class JoinBufferedStreamTable extends OperatorOf<JoinBufferedStreamTableOptions> {
  readonly #writer = new ByteWriter(256);
  #table!: TableReader;
  #buffer!: KeyValueStore;
  #streamTime!: PersistedNumber;
  #sequence!: PersistedNumber;
  #released: RecordKey | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#table = this.options.table.open(context);
    this.#buffer = context.store(this.options.buffer) as KeyValueStore;
    this.#streamTime = context.persisted('stream-time', -1);
    this.#sequence = context.persisted('sequence', 0);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#table.prefetch(key, timestamp, state);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const context = this.context;
    if (value === null) return context.skip('null-value', 'a join needs a value');
    if (!key.present) {
      const { join, joiner } = this.options;
      if (join === 'inner') return context.skip('null-key', 'an inner join needs a key');
      return context.forward(key, joiner(value, null, key), undefined, timestamp);
    }
    if (timestamp > this.#streamTime.value) this.#streamTime.value = timestamp;
    this.#hold(key, value, timestamp);
    return this.#release(key);
  }

  #hold(key: RecordKey, value: unknown, timestamp: number): void {
    const writer = this.#writer;
    writer.length = 0;
    writer.writeSafeInt64(timestamp);
    writeWindowedKey(key, this.options.window, writer);
    writer.writeInt32(this.#sequence.value | 0);
    this.#sequence.value = (this.#sequence.value + 1) & 0x7fff_ffff;
    const waiting: WaitingRecord = { value, headers: this.context.record.headers() };
    this.#buffer.put(writer.buffer, 0, writer.length, waiting, timestamp);
  }

  #release(like: RecordKey): void {
    const { graceMs, window, join, joiner } = this.options;
    const until = this.#streamTime.value - graceMs;
    const key = (this.#released ??= new RecordKey(like.serde));
    key.serde = like.serde;
    for (;;) {
      const first = this.#first();
      if (first === null || first.timestamp > until) return;
      const { bytes, timestamp } = first;
      const { value, headers } = first.waiting;
      this.#buffer.put(bytes, 0, bytes.length, null, timestamp);
      readWindowedKey(bytes, 8, bytes.length - 4, window, key);
      const table = this.#table;
      const right = table.getAsOf === undefined ? table.get(key) : table.getAsOf(key, timestamp);
      if (right === null && join === 'inner') continue;
      const joined = joiner(value, right, key);
      withHeaders(this.context.record, headers, () =>
        this.context.forward(key, joined, undefined, timestamp),
      );
    }
  }

  #first(): First | null {
    const found: First[] = [];
    this.#buffer.range(null, null, false, (bytes, start, end, value, timestamp) => {
      const waiting = value as WaitingRecord;
      found.push({ bytes: Buffer.from(bytes.subarray(start, end)), waiting, timestamp });
      return false;
    });
    return found[0] ?? null;
  }
}

interface First {
  readonly bytes: Buffer;
  readonly waiting: WaitingRecord;
  readonly timestamp: number;
}

/** The headers, then the value. */
export function waitingRecordCodec(values: ValueCodec): ValueCodec {
  return {
    encode(waiting, writer) {
      const { value, headers } = waiting as WaitingRecord;
      writeKeptHeaders(headers, writer);
      values.encode(value, writer);
    },
    decode(bytes, start, end): WaitingRecord {
      const kept = readKeptHeaders(bytes as Buffer, start);
      return { headers: kept.headers, value: values.decode(bytes, kept.end, end) };
    },
  };
}
