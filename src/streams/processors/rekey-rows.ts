import type { Serde } from '../topology/serde.ts';
import { OperatorOf } from './operator.ts';
import type { Processor, RecordContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import { RowChain, type RowStep } from './row-chain.ts';

export interface RekeyRowsOptions {
  /** Done to a row before its new key is made: here, so that it costs no operator of its own. */
  readonly steps: readonly RowStep[];
  /** The new key of a row after the steps; null is the null key. */
  readonly keyOf: (row: readonly unknown[]) => unknown;
  /** The row after the steps of a record without a value, in which only columns of its key are filled, or null. */
  readonly rowOfKey: (key: RecordKey, timestamp: number, record: RecordContext) => readonly unknown[] | null;
  readonly serde: Serde;
  /** Parts of a record without which the next operator would drop it, in the order in which it looks at them. */
  readonly needs: readonly { readonly part: 'key' | 'value'; readonly detail: string }[];
}

/** A new key for each row of a stream. */
export function rekeyRows(options: RekeyRowsOptions): () => Processor {
  return () => new RekeyRows(options);
}

class RekeyRows extends OperatorOf<RekeyRowsOptions> {
  readonly #chain: RowChain;
  readonly #key: RecordKey;

  constructor(options: RekeyRowsOptions) {
    super(options);
    this.#chain = new RowChain(options.steps);
    this.#key = new RecordKey(options.serde);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { keyOf, rowOfKey, needs } = this.options;
    const context = this.context;
    const done = value === null ? null : this.#chain.run(value as readonly unknown[], context);
    if (done === null && (value !== null || this.#chain.dropsNull)) return undefined;
    const row = done ?? rowOfKey(key, timestamp, context.record);
    const newKey = row === null ? null : keyOf(row);
    for (let i = 0; i < needs.length; i++) {
      const { part, detail } = needs[i]!;
      if (part === 'key' && newKey === null) return context.skip('null-key', detail);
      if (part === 'value' && done === null) return context.skip('null-value', detail);
    }
    this.#key.setValue(newKey);
    return context.forward(this.#key, done, undefined, timestamp);
  }
}
