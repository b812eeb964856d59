import { Operator } from './operator.ts';
import type { Processor, ValueMapper } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** A new value for each stream record; the key stays. `mapper` sees null values too. */
export function mapStream(mapper: ValueMapper): () => Processor {
  return () => new MapStream(mapper);
}

class MapStream extends Operator {
  readonly #mapper: ValueMapper;

  constructor(mapper: ValueMapper) {
    super();
    this.#mapper = mapper;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const mapped = this.#mapper(value, key, timestamp);
    this.context.forward(key, mapped, undefined, timestamp);
  }
}
