import type { EvaluationContext, FunctionRegistry } from '../../functions/function.ts';
import type { Row } from '../../types/value.ts';

/** Given to lowering beside the plan. */
export interface LowerContext {
  readonly functions: FunctionRegistry;
  readonly evaluation: EvaluationContext;
  /** True: aggregates give one change a key and commit instead of one a record. */
  readonly coalesce: boolean;
  /**
   * Takes an output's rows in order: the selected columns, in a new row each. A tombstone is a table's removal: only
   * the key's columns are there.
   */
  readonly push?: (row: Row, tombstone: boolean) => void;
}
