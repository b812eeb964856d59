import type { ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/**
 * The functions of an aggregation, for every kind of aggregate. States are immutable values, as stores have
 * them; `add` gives a new one. The output is the change of the state: map it with `transformTable`.
 */
export interface Aggregation {
  readonly initial: () => unknown;
  /**
   * May give null, which removes the key's state (and must then be expected by what follows). `context` is told of what fails;
   * null where the value's failures were told of before: with another of its windows, or when it was added.
   */
  readonly add: (
    state: unknown,
    value: unknown,
    key: RecordKey,
    timestamp: number,
    context: ProcessorContext | null,
  ) => unknown;
}
