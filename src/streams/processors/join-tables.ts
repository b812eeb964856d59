import { ByteWriter } from '../../common/bytes.ts';
import { NOT_PUT, type TaskState } from '../../state/store.ts';
import { oldAfterPut, OutOfOrder, type TableStore } from './out-of-order.ts';
import { OperatorOf } from './operator.ts';
import type { Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { windowedStoreKey } from '../topology/windowed-key.ts';
import type { TableJoinKind, TableReader, TableView } from './table-view.ts';

export interface JoinTablesOptions {
  /** The table on the other side. */
  readonly other: TableView;
  /** `right` is the mirrored side of a left join: without a row on the other side there is no result. */
  readonly join: TableJoinKind;
  /** Called with this side's row first. */
  readonly joiner: ValueJoiner;
  readonly sendOldValues: boolean;
}

/**
 * One side of a join of two tables: a change here is joined with the other side's row as it is now. The result's
 * time is the greater of the two rows'. Changes that are not their key's newest version are left out. Where the other side has no row, an inner join had no result that would
 * have to be taken back, so nothing is forwarded.
 */
export function joinTables(options: JoinTablesOptions): () => Processor {
  return () => new JoinTables(options);
}

class JoinTables extends OperatorOf<JoinTablesOptions> {
  #other!: TableReader;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#other = this.options.other.open(context);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#other.prefetch(key, timestamp, state);
  }

  process(key: RecordKey, value: unknown, oldValue: unknown, timestamp: number): void {
    const { join, joiner, sendOldValues } = this.options;
    if (!key.present) return this.context.skip('null-key', 'a join of tables needs a key');
    if (oldValue instanceof OutOfOrder) return undefined;
    const old = oldValue ?? null;
    const other = this.#other.get(key);
    if (other === null) {
      if (join === 'inner' || join === 'right') return undefined;
      if (value === null && old === null) return undefined;
    }
    const time = other === null ? timestamp : Math.max(timestamp, this.#other.timestamp);
    const joins = (own: unknown): boolean =>
      own !== null || join === 'right' || (join === 'outer' && other !== null);
    const after = joins(value) ? joiner(value, other, key) : null;
    let before: unknown = undefined;
    if (sendOldValues) before = joins(old) ? joiner(old, other, key) : null;
    return this.context.forward(key, after, before, time);
  }
}

export interface MergeTableOptions {
  /** A key-value or versioned store of the results, or null. */
  readonly store: string | null;
  readonly sendOldValues: boolean;
}

/** Brings both sides of a join together, and keeps the result in a store where that is wanted. */
export function mergeTable(options: MergeTableOptions): () => Processor {
  return () => new MergeTable(options);
}

class MergeTable extends OperatorOf<MergeTableOptions> {
  readonly #writer = new ByteWriter(64);
  #store: TableStore | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    if (this.options.store !== null) this.#store = context.store(this.options.store) as TableStore;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const store = this.#store;
    const before = this.options.sendOldValues ? old : undefined;
    if (store === null) return this.context.forward(key, value, before, timestamp);
    const validTo = key.windowed
      ? store.put(this.#writer.buffer, 0, windowedStoreKey(key, this.#writer), value, timestamp)
      : store.put(key.buffer, key.start, key.end, value, timestamp);
    if (validTo === NOT_PUT) return undefined;
    return this.context.forward(key, value, oldAfterPut(before, validTo), timestamp);
  }
}
