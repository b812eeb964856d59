import type { Span } from '../../common/error.ts';
import type { AggregateFunction, FunctionRegistry, TableFunction } from '../../functions/function.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Expression } from '../expressions/expression.ts';
import type * as ast from '../parser/ast.ts';
import type { Scope } from './scope.ts';

/** Where an expression stands: what it may name, and what may stand in it. */
export interface ExpressionContext {
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly scope: Scope;
  /** Which clause, for messages: `WHERE`, `SELECT`, … */
  readonly clause: string;
  /** Takes over an aggregate call; undefined where aggregates may not stand. */
  readonly aggregate?: (call: ast.FunctionCall, fn: AggregateFunction) => Expression;
  /** Takes over a call of a table function; undefined where they may not stand. */
  readonly table?: (call: ast.FunctionCall, fn: TableFunction) => Expression;
  /** Where each column was named, for messages about columns that turn out not to be allowed. */
  readonly spans?: Map<Expression, Span>;
}

export interface LambdaParameter {
  readonly name: string;
  readonly id: number;
  readonly type: SqlType;
}

export interface AnalyzedLambda {
  readonly within: readonly LambdaParameter[];
  readonly types: readonly SqlType[];
  readonly lambda: Extract<Expression, { kind: 'lambda' }>;
}

/** What the analysis of one kind of expression needs of that of the others. */
export interface ExpressionAnalysis {
  readonly context: ExpressionContext;
  /** Parameters of the lambdas around, innermost last. */
  readonly parameters: LambdaParameter[];
  /**
   * The analyses of each lambda, by the types of its parameters and of those around it. Finding the signature of a call
   * asks for its lambdas' types again and again, and each of them for those of the lambdas in it.
   */
  readonly lambdas: Map<ast.Lambda, AnalyzedLambda[]>;
  nextParameterId(): number;
  analyze(node: ast.Expression): Expression;
  /** As `analyze`, but NULL becomes a null of the type that its surroundings need. */
  analyzeOrNull(node: ast.Expression, type: SqlType): Expression;
}
