import type { EvaluationContext, FunctionRegistry } from '../../functions/function.ts';
import type { Row } from '../../types/value.ts';

/** What lowering is given besides the plan. */
export interface LowerContext {
  readonly functions: FunctionRegistry;
  readonly evaluation: EvaluationContext;
  /** True: aggregates give one change a key and commit instead of one a record. */
  readonly coalesce: boolean;
  /**
   * Where an output's rows go, in order: what was selected, a row of its own. A tombstone is a table's removal: only
   * the key's columns are there.
   */
  readonly push?: (row: Row, tombstone: boolean) => void;
}
