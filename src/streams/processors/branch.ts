import { Operator } from './operator.ts';
import type { Predicate, Processor } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** Sends each record to the child of the first predicate that holds, or to `otherwise`; null drops it. */
export function branch(
  branches: readonly { readonly child: string; readonly predicate: Predicate }[],
  otherwise: () => string | null,
): () => Processor {
  return () => new Branch(branches, otherwise());
}

class Branch extends Operator {
  readonly #branches: readonly { readonly child: string; readonly predicate: Predicate }[];
  readonly #otherwise: string | null;

  constructor(
    branches: readonly { readonly child: string; readonly predicate: Predicate }[],
    otherwise: string | null,
  ) {
    super();
    this.#branches = branches;
    this.#otherwise = otherwise;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const context = this.context;
    for (const { child, predicate } of this.#branches)
      if (predicate(value, key, timestamp)) return context.forwardTo(child, key, value, undefined, timestamp);
    if (this.#otherwise !== null) context.forwardTo(this.#otherwise, key, value, undefined, timestamp);
    return undefined;
  }
}
