import { must } from '../../common/assert.ts';
import type { KeyValueStore, TaskState } from '../../state/store.ts';
import type { Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import type { TableReader, TableView } from './table-view.ts';

export interface JoinStreamTableOptions {
  /** The table's store; or `table`. */
  readonly store?: string;
  /** How the table is read, where it is more than rows of one store. */
  readonly table?: TableView;
  readonly join: 'inner' | 'left';
  /** An inner join drops records without a key without a word. */
  readonly quiet?: boolean;
  readonly joiner: ValueJoiner;
  /** What the table shows of a stored value, where the table is a view on the store; null hides the row. */
  readonly view?: (value: unknown, key: RecordKey, timestamp: number) => unknown;
}

/**
 * Looks each stream record's key up in a table, as the table is now, or as it was at the record's time where the table
 * knows (versioned stores). Records without a value are dropped, those
 * without a key too unless it is a left join (KIP-962). Changes of the table emit nothing.
 */
export function joinStreamTable(options: JoinStreamTableOptions): () => Processor {
  return () => new JoinStreamTable(options);
}

class JoinStreamTable implements Processor {
  readonly #options: JoinStreamTableOptions;
  #context!: ProcessorContext;
  #store: KeyValueStore | null = null;
  #table: TableReader | null = null;

  constructor(options: JoinStreamTableOptions) {
    this.#options = options;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    const { store, table } = this.#options;
    if (table !== undefined) this.#table = table.open(context);
    else this.#store = context.store(must(store)) as KeyValueStore;
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#table?.prefetch(key, timestamp, state);
    if (this.#store !== null) state.want(this.#store, key.buffer, key.start, key.end, 0, 0);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { join, joiner } = this.#options;
    if (value === null) return this.#context.skip('null-value', 'a join needs a value');
    if (!key.present && join === 'inner') {
      if (this.#options.quiet !== true) this.#context.skip('null-key', 'a join needs a key');
      return undefined;
    }
    const right = key.present ? this.#lookUp(key, timestamp) : null;
    if (right === null && join === 'inner') return undefined;
    return this.#context.forward(key, joiner(value, right, key), undefined, timestamp);
  }

  #lookUp(key: RecordKey, timestamp: number): unknown {
    const store = this.#store;
    if (store === null) {
      const table = must(this.#table);
      return table.getAsOf === undefined ? table.get(key) : table.getAsOf(key, timestamp);
    }
    const slot = store.find(key.buffer, key.start, key.end);
    if (slot < 0) return null;
    const value = store.valueAt(slot);
    const { view } = this.#options;
    return view === undefined ? value : view(value, key, store.timestampAt(slot));
  }
}
