import type { TaskState } from '../../state/store.ts';
import { OperatorOf } from './operator.ts';
import type { Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import type { TableReader, TableView } from './table-view.ts';

export interface JoinStreamTableOptions {
  readonly table: TableView;
  readonly join: 'inner' | 'left';
  /** An inner join drops records without a key without a word. */
  readonly quiet?: boolean | undefined;
  readonly joiner: ValueJoiner;
}

/**
 * Looks each stream record's key up in a table, as the table is now, or as it was at the record's time where the table
 * knows (versioned stores). Records without a value are dropped, those without a key too unless it is a left join
 * (KIP-962). Changes of the table emit nothing.
 */
export function joinStreamTable(options: JoinStreamTableOptions): () => Processor {
  return () => new JoinStreamTable(options);
}

class JoinStreamTable extends OperatorOf<JoinStreamTableOptions> {
  #table!: TableReader;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#table = this.options.table.open(context);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#table.prefetch(key, timestamp, state);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { join, joiner } = this.options;
    if (value === null) return this.context.skip('null-value', 'a join needs a value');
    if (!key.present && join === 'inner') {
      if (this.options.quiet !== true) this.context.skip('null-key', 'a join needs a key');
      return undefined;
    }
    const right = key.present ? this.#lookUp(key, timestamp) : null;
    if (right === null && join === 'inner') return undefined;
    return this.context.forward(key, joiner(value, right, key), undefined, timestamp);
  }

  #lookUp(key: RecordKey, timestamp: number): unknown {
    const table = this.#table;
    return table.getAsOf === undefined ? table.get(key) : table.getAsOf(key, timestamp);
  }
}
