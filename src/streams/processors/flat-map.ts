import type { Serde } from '../topology/serde.ts';
import { Operator } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/** Calls `emit` for each record that a record becomes: none, one or many. */
export type RecordExpander = (
  key: RecordKey,
  value: unknown,
  timestamp: number,
  context: ProcessorContext,
  emit: (key: unknown, value: unknown) => void,
) => void;

/** Any number of records with keys of their own for each stream record, in the order they are emitted. */
export function flatMapRecords(expand: RecordExpander, serde: Serde): () => Processor {
  return () => new FlatMapRecords(expand, serde);
}

class FlatMapRecords extends Operator {
  readonly #expand: RecordExpander;
  readonly #key: RecordKey;
  readonly #emit: (key: unknown, value: unknown) => void;
  #timestamp = 0;

  constructor(expand: RecordExpander, serde: Serde) {
    super();
    this.#expand = expand;
    this.#key = new RecordKey(serde);
    this.#emit = (key, value) => {
      this.#key.setValue(key);
      this.context.forward(this.#key, value, undefined, this.#timestamp);
    };
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.#timestamp = timestamp;
    this.#expand(key, value, timestamp, this.context, this.#emit);
  }
}
