import type { Processor, ProcessorContext } from '../../streams/topology/processor.ts';
import type { RecordKey } from '../../streams/topology/record-key.ts';
import type { DataError } from '../../common/error.ts';
import type { SqlValue } from '../../types/value.ts';
import type { LowerContext } from './lower-context.ts';
import type { FilterNode, ProjectNode } from '../plan/node.ts';
import { compilePredicate, compileProjection } from '../expressions/compile.ts';

/** Where an expression's errors go: the operator that is evaluating it. Null outside of a query (pull queries). */
export interface ErrorTarget {
  context: ProcessorContext | null;
}

/** One filter or project over flat rows, compiled. */
export type RowStep =
  | {
      readonly kind: 'filter';
      readonly errors: ErrorTarget;
      readonly holds: (row: SqlValue[]) => boolean;
      /** Records without a value pass. */
      readonly passesNull: boolean;
    }
  | {
      readonly kind: 'project';
      readonly errors: ErrorTarget;
      /** As many nulls as the step's rows have columns: copied, not filled, for every row. */
      readonly blank: readonly SqlValue[];
      readonly write: (row: SqlValue[], target: SqlValue[]) => void;
    };

export function filterStep(node: FilterNode, context: LowerContext): RowStep {
  const errors: ErrorTarget = { context: null };
  const clause = node.clause.toUpperCase();
  const onError = (error: DataError): void =>
    errors.context?.skip('evaluation', `${clause}: ${error.message}`);
  const holds = compilePredicate(node.predicate, context.functions, context.evaluation, onError);
  return { kind: 'filter', errors, holds, passesNull: node.passesNull === true };
}

export function projectStep(node: ProjectNode, context: LowerContext, needed: ReadonlySet<number>): RowStep {
  const errors: ErrorTarget = { context: null };
  const onError = (item: number, error: DataError): void =>
    errors.context?.skip('evaluation', `${node.columns[item]?.name ?? item}: ${error.message}`);
  const expressions = node.expressions.map((expression, i) =>
    needed.has(i) ? expression : { kind: 'literal' as const, type: expression.type, value: null },
  );
  const write = compileProjection(expressions, context.functions, context.evaluation, onError);
  return { kind: 'project', errors, blank: node.columns.map(() => null), write };
}

/** The row after all steps in a new array, null when a filter drops it. Never writes to `row`. */
export function applySteps(steps: readonly RowStep[], row: SqlValue[]): SqlValue[] | null {
  let current = row;
  for (const step of steps) {
    if (step.kind === 'filter') {
      if (!step.holds(current)) return null;
    } else {
      const target: SqlValue[] = step.blank.slice();
      step.write(current, target);
      current = target;
    }
  }
  return current;
}

/** Filters and projects of a stream, one after the other, within an operator. */
export class RowChain {
  readonly #steps: readonly RowStep[];
  readonly #scratch: readonly SqlValue[][];
  /** Whether records without a value end here: they pass projects and (but for those that say so) no filter. */
  readonly dropsNull: boolean;

  constructor(steps: readonly RowStep[]) {
    this.#steps = steps;
    this.#scratch = steps.map((step) => (step.kind === 'project' ? step.blank.slice() : []));
    this.dropsNull = steps.some((step) => step.kind === 'filter' && !step.passesNull);
  }

  /** The row after all steps, null when a filter drops it. Borrowed: the next row overwrites it. */
  run(row: SqlValue[], context: ProcessorContext): SqlValue[] | null {
    const steps = this.#steps;
    let current = row;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      step.errors.context = context;
      if (step.kind === 'filter') {
        if (!step.holds(current)) return null;
      } else {
        const target = this.#scratch[i]!;
        step.write(current, target);
        current = target;
      }
    }
    return current;
  }
}

/** Filters and projects of a stream as an operator of their own. What it forwards is borrowed. */
export function streamChain(steps: readonly RowStep[]): () => Processor {
  return () => new StreamChain(steps);
}

class StreamChain implements Processor {
  readonly #chain: RowChain;
  #context!: ProcessorContext;

  constructor(steps: readonly RowStep[]) {
    this.#chain = new RowChain(steps);
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (value === null) {
      if (!this.#chain.dropsNull) this.#context.forward(key, null, undefined, timestamp);
      return;
    }
    const row = this.#chain.run(value as SqlValue[], this.#context);
    if (row !== null) this.#context.forward(key, row, undefined, timestamp);
  }
}

/**
 * The same over a table's changes: the old row and the new one each go through. A row that a filter drops is absent,
 * so a change into it is a removal; a change between two absent rows is no change. Without old rows that is not
 * known, and a removal is forwarded.
 */
export function tableChain(steps: readonly RowStep[], sendOldValues: boolean): () => Processor {
  return () => new TableChain(steps, sendOldValues);
}

class TableChain implements Processor {
  readonly #steps: readonly RowStep[];
  readonly #sendOldValues: boolean;
  readonly #filters: boolean;
  #context!: ProcessorContext;

  constructor(steps: readonly RowStep[], sendOldValues: boolean) {
    this.#steps = steps;
    this.#sendOldValues = sendOldValues;
    this.#filters = steps.some((step) => step.kind === 'filter');
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const row = this.#visible(value, this.#context);
    if (!this.#sendOldValues) return this.#context.forward(key, row, undefined, timestamp);
    // Its errors were told when the row was new.
    const before = this.#visible(old, null);
    if (this.#filters && row === null && before === null) return undefined;
    return this.#context.forward(key, row, before, timestamp);
  }

  #visible(value: unknown, context: ProcessorContext | null): SqlValue[] | null {
    if (value === null || value === undefined) return null;
    for (const step of this.#steps) step.errors.context = context;
    return applySteps(this.#steps, value as SqlValue[]);
  }
}
