import { ByteWriter } from '../../common/bytes.ts';
import { NOT_PUT, type TaskState } from '../../state/store.ts';
import { oldAfterPut, type TableStore } from './out-of-order.ts';
import { OperatorOf } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { windowedStoreKey } from '../topology/windowed-key.ts';

export interface TableSourceOptions {
  /** A key-value or versioned store; null for a table that nobody reads back: its changes carry no old values. */
  readonly store: string | null;
  readonly sendOldValues: boolean;
  /** Copies a value that the source only lends. Identity when it does not. */
  readonly keep: (value: unknown) => unknown;
}

/**
 * Turns records into changes of a table: a null value removes the key, a null key is dropped. Records apply in
 * offset order, whatever their timestamps, as Kafka Streams does for plain tables; in a versioned store by their
 * timestamps (KIP-914), where what comes too late is dropped. Rows of a windowed table are told apart by key and window.
 */
export function tableSource(options: TableSourceOptions): () => Processor {
  return () => new TableSource(options);
}

class TableSource extends OperatorOf<TableSourceOptions> {
  readonly #writer = new ByteWriter(64);
  #store: TableStore | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    if (this.options.store !== null) this.#store = context.store(this.options.store) as TableStore;
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    if (this.#store !== null && !key.windowed) state.want(this.#store, key.buffer, key.start, key.end, 0, 0);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (!key.present) return this.context.skip('null-key', 'a table needs a key');
    const store = this.#store;
    if (store === null) return this.context.forward(key, value, undefined, timestamp);
    const writer = this.#writer;
    const end = key.windowed ? windowedStoreKey(key, writer) : key.end;
    const buffer = key.windowed ? writer.buffer : key.buffer;
    const start = key.windowed ? 0 : key.start;
    const slot = store.find(buffer, start, end);
    const old = slot < 0 ? null : store.valueAt(slot);
    const kept = value === null ? null : this.options.keep(value);
    const validTo = store.put(buffer, start, end, kept, timestamp);
    if (validTo === NOT_PUT)
      return this.context.skip('late', 'the history of the table does not reach back so far');
    const before = oldAfterPut(this.options.sendOldValues ? old : undefined, validTo);
    return this.context.forward(key, kept, before, timestamp);
  }
}
