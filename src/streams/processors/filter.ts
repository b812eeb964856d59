import type { Predicate, Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

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
    if (this.#predicate(value, key, timestamp)) this.#context.forward(key, value, undefined, timestamp);
  }
}
