import type { Processor, ProcessorContext, ValueMapper } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** A new value for each stream record; the key stays. `mapper` sees null values too. */
export function mapStream(mapper: ValueMapper): () => Processor {
  return () => new MapStream(mapper);
}

class MapStream implements Processor {
  readonly #mapper: ValueMapper;
  #context!: ProcessorContext;

  constructor(mapper: ValueMapper) {
    this.#mapper = mapper;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const mapped = this.#mapper(value, key, timestamp);
    this.#context.forward(key, mapped, undefined, timestamp);
  }
}
