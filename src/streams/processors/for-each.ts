import { Operator } from './operator.ts';
import type { Processor, RecordContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** The end of a branch: hands each record to `action`, which copies what it keeps. */
export type RecordAction = (
  key: RecordKey,
  value: unknown,
  old: unknown,
  timestamp: number,
  record: RecordContext,
) => void;

export function forEach(action: RecordAction): () => Processor {
  return () => new ForEach(action);
}

class ForEach extends Operator {
  readonly #action: RecordAction;

  constructor(action: RecordAction) {
    super();
    this.#action = action;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    this.#action(key, value, old, timestamp, this.context.record);
  }
}
