import { Operator } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** Calls `emit` for each value that a record becomes: none, one or many. */
export type ValueExpander = (
  value: unknown,
  key: RecordKey,
  timestamp: number,
  context: ProcessorContext,
  emit: (value: unknown) => void,
) => void;

/** Any number of values for each stream record, in the order they are emitted; the key stays. */
export function flatMapStream(expand: ValueExpander): () => Processor {
  return () => new FlatMapStream(expand);
}

class FlatMapStream extends Operator {
  readonly #expand: ValueExpander;
  readonly #emit = (value: unknown): void =>
    this.context.forward(this.#key, value, undefined, this.#timestamp);
  #key!: RecordKey;
  #timestamp = 0;

  constructor(expand: ValueExpander) {
    super();
    this.#expand = expand;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.#key = key;
    this.#timestamp = timestamp;
    this.#expand(value, key, timestamp, this.context, this.#emit);
  }
}
