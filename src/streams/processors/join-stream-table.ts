import type { KeyValueStore, TaskState } from '../../state/store.ts';
import type { Processor, ProcessorContext, ValueJoiner } from './processor.ts';
import type { RecordKey } from './record-key.ts';

export interface JoinStreamTableOptions {
  /** The table's store. */
  readonly store: string;
  readonly join: 'inner' | 'left';
  readonly joiner: ValueJoiner;
  /** What the table shows of a stored value, where the table is a view on the store; null hides the row. */
  readonly view?: (value: unknown, key: RecordKey, timestamp: number) => unknown;
}

/**
 * Looks each stream record's key up in a table, as the table is now. Records without a value are dropped, those
 * without a key too unless it is a left join (KIP-962). Changes of the table emit nothing.
 */
export function joinStreamTable(options: JoinStreamTableOptions): () => Processor {
  return () => new JoinStreamTable(options);
}

class JoinStreamTable implements Processor {
  readonly #options: JoinStreamTableOptions;
  #context!: ProcessorContext;
  #store!: KeyValueStore;

  constructor(options: JoinStreamTableOptions) {
    this.#options = options;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    this.#store = context.store(this.#options.store) as KeyValueStore;
  }

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    state.want(this.#store, key.buffer, key.start, key.end, 0, 0);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { join, joiner } = this.#options;
    if (value === null) return this.#context.skip('null-value', 'a join needs a value');
    if (!key.present && join === 'inner') return this.#context.skip('null-key', 'an inner join needs a key');
    const right = key.present ? this.#lookUp(key) : null;
    if (right === null && join === 'inner') return undefined;
    return this.#context.forward(key, joiner(value, right, key), undefined, timestamp);
  }

  #lookUp(key: RecordKey): unknown {
    const slot = this.#store.find(key.buffer, key.start, key.end);
    if (slot < 0) return null;
    const value = this.#store.valueAt(slot);
    const { view } = this.#options;
    return view === undefined ? value : view(value, key, this.#store.timestampAt(slot));
  }
}
