import { Operator } from './operator.ts';
import type { Predicate, Processor } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** Keeps the stream records for which `predicate` holds. */
export function filterStream(predicate: Predicate): () => Processor {
  return () => new FilterStream(predicate);
}

class FilterStream extends Operator {
  readonly #predicate: Predicate;

  constructor(predicate: Predicate) {
    super();
    this.#predicate = predicate;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (this.#predicate(value, key, timestamp)) this.context.forward(key, value, undefined, timestamp);
  }
}
