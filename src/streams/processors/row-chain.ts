import { Operator } from './operator.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import type { OpenTransform } from './table-view.ts';

/**
 * One filter or new row over rows that are arrays of columns. `context` is the operator in which it runs, which is told
 * of what fails; null where nobody is (a row that was told of before, a row that is read back).
 */
export type RowStep =
  | {
      readonly kind: 'filter';
      /** Records without a value pass. */
      readonly passesNull: boolean;
      holds(row: readonly unknown[], context: ProcessorContext | null): boolean;
    }
  | {
      readonly kind: 'project';
      /** As many nulls as the step's rows have columns: copied, not filled, for every row. */
      readonly blank: readonly unknown[];
      write(row: readonly unknown[], target: unknown[], context: ProcessorContext | null): void;
    };

/** The row after all steps in a new array, null when a filter drops it. Never writes to `row`. */
export function applySteps(
  steps: readonly RowStep[],
  row: readonly unknown[],
  context: ProcessorContext | null,
): readonly unknown[] | null {
  let current = row;
  for (const step of steps) {
    if (step.kind === 'filter') {
      if (!step.holds(current, context)) return null;
    } else {
      const target = step.blank.slice();
      step.write(current, target, context);
      current = target;
    }
  }
  return current;
}

/** Steps of a stream, one after the other, within an operator. */
export class RowChain {
  readonly #steps: readonly RowStep[];
  readonly #scratch: readonly unknown[][];
  /** Whether records without a value end here: they pass projects and (but for those that say so) no filter. */
  readonly dropsNull: boolean;

  constructor(steps: readonly RowStep[]) {
    this.#steps = steps;
    this.#scratch = steps.map((step) => (step.kind === 'project' ? step.blank.slice() : []));
    this.dropsNull = steps.some((step) => step.kind === 'filter' && !step.passesNull);
  }

  /** The row after all steps, null when a filter drops it. Borrowed: the next row overwrites it. */
  run(row: readonly unknown[], context: ProcessorContext): readonly unknown[] | null {
    const steps = this.#steps;
    let current = row;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (step.kind === 'filter') {
        if (!step.holds(current, context)) return null;
      } else {
        const target = this.#scratch[i]!;
        step.write(current, target, context);
        current = target;
      }
    }
    return current;
  }
}

/** Steps of a stream as an operator of their own. What it forwards is borrowed. */
export function streamChain(steps: readonly RowStep[]): () => Processor {
  return () => new StreamChain(steps);
}

class StreamChain extends Operator {
  readonly #chain: RowChain;

  constructor(steps: readonly RowStep[]) {
    super();
    this.#chain = new RowChain(steps);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (value === null) {
      if (!this.#chain.dropsNull) this.context.forward(key, null, undefined, timestamp);
      return;
    }
    const row = this.#chain.run(value as readonly unknown[], this.context);
    if (row !== null) this.context.forward(key, row, undefined, timestamp);
  }
}

/** Steps of a table, for `transformTable` and views of it. */
export function tableChain(steps: readonly RowStep[]): OpenTransform {
  return (context) => ({
    transform: (row) => applySteps(steps, row as readonly unknown[], context),
    transformAgain: (row) => applySteps(steps, row as readonly unknown[], null),
  });
}
