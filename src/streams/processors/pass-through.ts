import { type ChangeOptions, type Changes, openChanges } from './changes.ts';
import { Operator } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** Joins branches (merge), or makes a table the stream of its changes: old values end here. */
export function passThrough(): () => Processor {
  return () => new PassThrough();
}

class PassThrough extends Operator {
  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.context.forward(key, value, undefined, timestamp);
  }
}

/** Joins branches of changes of one table, each with its old value. */
export function passChanges(options: () => ChangeOptions): () => Processor {
  return () => new PassChanges(options());
}

class PassChanges implements Processor {
  readonly #options: ChangeOptions;
  #changes!: Changes;

  constructor(options: ChangeOptions) {
    this.#options = options;
  }

  init(context: ProcessorContext): void {
    this.#changes = openChanges(context, this.#options);
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    return this.#changes.add(key, value, old, timestamp);
  }

  flush(): void {
    this.#changes.flush();
  }
}
