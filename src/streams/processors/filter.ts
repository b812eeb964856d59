import type { Predicate, Processor, ProcessorContext } from './processor.ts';
import type { RecordKey } from './record-key.ts';

/** Keeps the stream records for which `predicate` holds. */
export function filterStream(predicate: Predicate): () => Processor {
  return () => new FilterStream(predicate);
}

class FilterStream implements Processor {
  readonly #predicate: Predicate;
  #context!: ProcessorContext;

  constructor(predicate: Predicate) {
    this.#predicate = predicate;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (this.#predicate(value, key, timestamp, this.#context.record))
      this.#context.forward(key, value, undefined, timestamp);
  }
}

/**
 * Keeps the rows of a table for which `predicate` holds: a row that held and no longer does becomes a removal.
 * With old values, a change between two rows that are both filtered out is dropped; without them a removal is
 * forwarded even for a key that was never visible (as Kafka Streams does).
 */
export function filterTable(predicate: Predicate, options: { sendOldValues: boolean }): () => Processor {
  return () => new FilterTable(predicate, options.sendOldValues);
}

class FilterTable implements Processor {
  readonly #predicate: Predicate;
  readonly #sendOldValues: boolean;
  #context!: ProcessorContext;

  constructor(predicate: Predicate, sendOldValues: boolean) {
    this.#predicate = predicate;
    this.#sendOldValues = sendOldValues;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const row = this.#visible(value, key, timestamp);
    if (!this.#sendOldValues) return this.#context.forward(key, row, undefined, timestamp);
    const before = this.#visible(old, key, timestamp);
    if (row === null && before === null) return undefined;
    return this.#context.forward(key, row, before, timestamp);
  }

  #visible(value: unknown, key: RecordKey, timestamp: number): unknown {
    if (value === null || value === undefined) return null;
    return this.#predicate(value, key, timestamp, this.#context.record) ? value : null;
  }
}
