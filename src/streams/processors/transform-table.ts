import { ByteWriter } from '../../common/bytes.ts';
import { NOT_PUT, type TaskState } from '../../state/store.ts';
import { oldAfterPut, OutOfOrder, type TableStore } from './out-of-order.ts';
import { OperatorOf } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { windowedStoreKey } from '../topology/windowed-key.ts';
import type { OpenedTransform, OpenTransform, RowTransform } from './table-view.ts';

export interface TransformTableOptions {
  /** Gives each task its transform; null from it hides the row. */
  readonly open: OpenTransform;
  /** A key-value or versioned store of the results; null where the table is only a view. */
  readonly store: string | null;
  readonly sendOldValues: boolean;
  /** Whether a change from absent to absent is dropped, where old values are known (filters). */
  readonly dropAbsent: boolean;
}

/** A filter or new values for the rows of a table, kept in a store or not. */
export function transformTable(options: TransformTableOptions): () => Processor {
  return () => new TransformTable(options);
}

class TransformTable extends OperatorOf<TransformTableOptions> {
  readonly #writer = new ByteWriter(64);
  #opened!: OpenedTransform;
  #store: TableStore | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#opened = this.options.open(context);
    if (this.options.store !== null) this.#store = context.store(this.options.store) as TableStore;
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    if (this.#store !== null && !key.windowed) state.want(this.#store, key.buffer, key.start, key.end, 0, 0);
  }

  close(): void {
    this.#opened.close?.();
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const { sendOldValues, dropAbsent } = this.options;
    const store = this.#store;
    const { transform, transformAgain = transform } = this.#opened;
    const after = this.#visible(transform, value, key, timestamp);
    const late = old instanceof OutOfOrder;
    let before: unknown = undefined;
    if (sendOldValues) {
      if (store !== null) before = this.#stored(store, key);
      else before = this.#visible(transformAgain, late ? old.latest : old, key, timestamp);
    }
    if (dropAbsent && sendOldValues && after === null && before === null) return undefined;
    if (store === null)
      return this.context.forward(key, after, late ? new OutOfOrder(before) : before, timestamp);
    const validTo = key.windowed
      ? store.put(this.#writer.buffer, 0, windowedStoreKey(key, this.#writer), after, timestamp)
      : store.put(key.buffer, key.start, key.end, after, timestamp);
    if (validTo === NOT_PUT) return undefined;
    return this.context.forward(key, after, oldAfterPut(before, validTo), timestamp);
  }

  #visible(transform: RowTransform, value: unknown, key: RecordKey, timestamp: number): unknown {
    if (value !== null && value !== undefined) return transform(value, key, timestamp);
    return this.#opened.absentToo === true ? transform(null, key, timestamp) : null;
  }

  #stored(store: TableStore, key: RecordKey): unknown {
    const slot = key.windowed
      ? store.find(this.#writer.buffer, 0, windowedStoreKey(key, this.#writer))
      : store.find(key.buffer, key.start, key.end);
    return slot < 0 ? null : store.valueAt(slot);
  }
}
