import type { EvaluationContext, FunctionRegistry } from '../../functions/function.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** Given to the analysis of any statement, which is a pure function of it and the statement. */
export interface AnalyzeContext {
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly evaluation: EvaluationContext;
  /** Session properties by full name, without `ksql.streams.`. */
  readonly properties: ReadonlyMap<string, string>;
  /** The statement, for the catalog. */
  readonly statementText: string;
  /** It was accepted once: what topics are like today is not asked again. Default false. */
  readonly replayed?: boolean;
}
