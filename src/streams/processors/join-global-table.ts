import { must } from '../../common/assert.ts';
import type { Serde } from '../topology/serde.ts';
import { OperatorOf } from './operator.ts';
import type { Processor, ProcessorContext, ValueJoiner, ValueMapper } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import type { TableReader, TableView } from './table-view.ts';

export interface JoinGlobalTableOptions {
  readonly table: TableView;
  /** The key to look up, from the stream's record; null joins nothing. */
  readonly keyOf: ValueMapper;
  /** The serde of the table's keys. */
  readonly keySerde: Serde;
  readonly join: 'inner' | 'left';
  readonly joiner: ValueJoiner;
}

/**
 * Looks a key made of each stream record up in a table that every instance holds whole. The record keeps its own
 * key. A record without a value is dropped; without a looked-up key it joins nothing in a left join (KIP-962).
 */
export function joinGlobalTable(options: JoinGlobalTableOptions): () => Processor {
  return () => new JoinGlobalTable(options);
}

class JoinGlobalTable extends OperatorOf<JoinGlobalTableOptions> {
  readonly #lookUp: RecordKey;
  #table: TableReader | null = null;

  constructor(options: JoinGlobalTableOptions) {
    super(options);
    this.#lookUp = new RecordKey(options.keySerde);
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#table = this.options.table.open(context);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { keyOf, join, joiner } = this.options;
    const context = this.context;
    if (value === null) return context.skip('null-value', 'a join needs a value');
    const lookUp = this.#lookUp;
    lookUp.setValue(keyOf(value, key, timestamp));
    if (!lookUp.present && join === 'inner')
      return context.skip('null-key', 'an inner join needs a key to look up');
    const right = lookUp.present ? must(this.#table).get(lookUp) : null;
    if (right === null && join === 'inner') return undefined;
    return context.forward(key, joiner(value, right, key), undefined, timestamp);
  }
}
