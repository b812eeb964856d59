import type { TaskState } from '../../state/store.ts';
import type { Processor } from '../topology/processor.ts';
import type { TaskSource } from './task-source.ts';

/** Operators that can say what of the state a record will read before it comes. */
export class Prefetch {
  readonly #processors: readonly Processor[];

  constructor(processors: readonly Processor[]) {
    this.#processors = processors.filter((each) => each.prefetch !== undefined);
  }

  /** Has them ask for what the next records will read. Returns whether there were any. */
  want(sources: readonly TaskSource[], recordsMax: number, state: TaskState): boolean {
    if (this.#processors.length === 0) return false;
    let planned = 0;
    for (const source of sources) {
      const { batch, index } = source.queue;
      if (batch === null) continue;
      for (let i = index; i < batch.count && planned < recordsMax; i++, planned++) {
        if (batch.keyStart[i]! < 0) continue;
        source.setKey(batch, i);
        for (const processor of this.#processors)
          processor.prefetch!(source.key, batch.timestamps[i]!, state);
      }
    }
    return planned > 0;
  }
}
