import type { Serde } from '../topology/serde.ts';
import { Operator } from './operator.ts';
import type { Processor, ValueMapper } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/**
 * A new key for each stream record. Grouping or joining by it needs a repartition in between, which the builder of the
 * topology adds. `mapper` may return null, the null key.
 */
export function selectKey(mapper: ValueMapper, serde: Serde): () => Processor {
  return () => new SelectKey(mapper, serde);
}

class SelectKey extends Operator {
  readonly #mapper: ValueMapper;
  readonly #key: RecordKey;

  constructor(mapper: ValueMapper, serde: Serde) {
    super();
    this.#mapper = mapper;
    this.#key = new RecordKey(serde);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.#key.setValue(this.#mapper(value, key, timestamp));
    this.context.forward(this.#key, value, undefined, timestamp);
  }
}
