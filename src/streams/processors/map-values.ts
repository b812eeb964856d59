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
    const mapped = this.#mapper(value, key, timestamp, this.#context.record);
    this.#context.forward(key, mapped, undefined, timestamp);
  }
}

/**
 * A new value for each row of a table. Absent stays absent: `mapper` is not called for null. The old row is
 * mapped again where it is sent, so `mapper` gives equal results for equal rows; the old row is mapped first, and
 * a mapper that lends its result (a scratch row) must not be used with old values.
 */
export function mapTable(mapper: ValueMapper, options: { sendOldValues: boolean }): () => Processor {
  return () => new MapTable(mapper, options.sendOldValues);
}

class MapTable implements Processor {
  readonly #mapper: ValueMapper;
  readonly #sendOldValues: boolean;
  #context!: ProcessorContext;

  constructor(mapper: ValueMapper, sendOldValues: boolean) {
    this.#mapper = mapper;
    this.#sendOldValues = sendOldValues;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const before = this.#sendOldValues ? this.#map(old, key, timestamp) : undefined;
    this.#context.forward(key, this.#map(value, key, timestamp), before, timestamp);
  }

  #map(value: unknown, key: RecordKey, timestamp: number): unknown {
    if (value === null || value === undefined) return null;
    return this.#mapper(value, key, timestamp, this.#context.record);
  }
}
