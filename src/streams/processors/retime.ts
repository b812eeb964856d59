import { Operator } from './operator.ts';
import type { Processor } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** A new time for each record that has a value; one below 0 drops the record. */
export function retime(timeOf: (value: unknown) => number): () => Processor {
  return () => new Retime(timeOf);
}

class Retime extends Operator {
  readonly #timeOf: (value: unknown) => number;

  constructor(timeOf: (value: unknown) => number) {
    super();
    this.#timeOf = timeOf;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const time = value === null ? timestamp : this.#timeOf(value);
    if (time < 0) return this.context.skip('timestamp', 'the column for the timestamp holds none');
    return this.context.forward(key, value, old, time);
  }
}
