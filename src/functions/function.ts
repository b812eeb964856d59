import type { SqlType } from '../types/sql-type.ts';
import type { SqlValue } from '../types/value.ts';

/**
 * A function is one literal in one file: documentation, types, null rule and code. The registry lists them;
 * SHOW FUNCTIONS, DESCRIBE FUNCTION, the reference pages and the example tests read nothing else.
 */

/** A parameter's type: a type, a generic name that unifies across parameters, a family, or a lambda. */
export type ParameterType =
  | SqlType
  | { readonly kind: 'generic'; readonly name: string }
  | { readonly kind: 'array'; readonly element: ParameterType }
  | { readonly kind: 'map'; readonly key: ParameterType; readonly value: ParameterType }
  | { readonly kind: 'any-decimal' }
  | { readonly kind: 'any-struct' }
  | { readonly kind: 'any' }
  | { readonly kind: 'interval-unit' }
  | {
      readonly kind: 'lambda';
      readonly parameters: readonly ParameterType[];
      readonly returns: ParameterType;
    };

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly description?: string;
  /**
   * Throws `DataError` for a value that no call can use (an unknown unit, a pattern that is none). A literal is held
   * to it when the statement is analyzed; evaluation is to throw the same for values that come with the data.
   */
  readonly check?: (value: never) => unknown;
  /** True on at most one parameter of a signature: it may be given any number of times, also none. */
  readonly variadic?: boolean;
}

/** Given to evaluation beside the arguments. */
export interface EvaluationContext {
  readonly now: () => number;
  readonly random: () => number;
  /** The text of a property such as `ksql.functions.collect_list.limit`, where the query sets it. */
  readonly setting?: (name: string) => string | undefined;
}

/** A compiled lambda argument. */
export type LambdaValue = (...args: SqlValue[]) => SqlValue;

/** How one call is evaluated, made once per call site when the query is compiled. */
export type ScalarEvaluator = (...args: never[]) => SqlValue;

export interface ScalarSignature {
  readonly parameters: readonly Parameter[];
  /** The result's type, or how it follows from the argument types. Throws `SqlError` ML_TYPE. */
  readonly returns: SqlType | ParameterType | ((args: readonly SqlType[]) => SqlType);
  /**
   * Makes the evaluator for a call whose arguments have these types: work that does not depend on the row is
   * done here. The evaluator throws `DataError` when the values have no result.
   */
  open(args: readonly SqlType[], returns: SqlType, context: EvaluationContext): ScalarEvaluator;
}

/**
 * A call and what comes of it, as SQL text. A table function's result is a list: one text a row. What an aggregate is
 * given: its columns as in CREATE STREAM (`X INTEGER, Y STRING`) and the values of each row (`1, 'a'`).
 */
export type Example = readonly [
  sql: string,
  result: string | readonly string[],
  given?: { readonly columns: string; readonly rows: readonly string[] },
];

export interface FunctionDocumentation {
  readonly name: string;
  readonly category: string;
  readonly description: string;
  /** Shown by DESCRIBE FUNCTION and run as tests. */
  readonly examples: readonly Example[];
}

export interface ScalarFunction extends FunctionDocumentation {
  readonly kind: 'scalar';
  /** `propagate`: any null argument gives null without a call. `handled`: the evaluator sees nulls. */
  readonly nulls: 'propagate' | 'handled';
  /** Not a pure function of its arguments (RANDOM, UUID): never folded, pushed or evaluated twice. */
  readonly volatile?: boolean;
  readonly signatures: readonly ScalarSignature[];
}

/**
 * The running state of an aggregate is a SQL value of `state`'s type (so that it can be stored), replaced, not
 * changed, by `add`. With `columns.length` inputs, `add` gets that many values.
 */
export interface Aggregator {
  readonly stateType: SqlType;
  initial(): SqlValue;
  add(state: SqlValue, ...inputs: SqlValue[]): SqlValue;
  /** Takes back an earlier `add` of the same inputs. Needed over tables. */
  undo?(state: SqlValue, ...inputs: SqlValue[]): SqlValue;
  /** Joins two states. Needed in session windows. */
  merge?(left: SqlValue, right: SqlValue): SqlValue;
  result(state: SqlValue): SqlValue;
}

export interface AggregateSignature {
  /** Column arguments. */
  readonly parameters: readonly Parameter[];
  /** Literal arguments after them (`TOPK(x, 3)`): constant per query. */
  readonly literals?: readonly Parameter[];
  readonly returns:
    | SqlType
    | ParameterType
    | ((args: readonly SqlType[], literals: readonly SqlValue[]) => SqlType);
  open(args: readonly SqlType[], literals: readonly SqlValue[], context: EvaluationContext): Aggregator;
}

/** An aggregate in its file: all are of one category. */
export type AggregateDefinition = Omit<AggregateFunction, 'kind' | 'category'>;

export interface AggregateFunction extends FunctionDocumentation {
  readonly kind: 'aggregate';
  readonly signatures: readonly AggregateSignature[];
}

/** Gives any number of rows for one call. */
export interface TableSignature {
  readonly parameters: readonly Parameter[];
  readonly returns: SqlType | ParameterType | ((args: readonly SqlType[]) => SqlType);
  open(args: readonly SqlType[], context: EvaluationContext): (...args: SqlValue[]) => readonly SqlValue[];
}

export interface TableFunction extends FunctionDocumentation {
  readonly kind: 'table';
  readonly signatures: readonly TableSignature[];
}

export type SqlFunction = ScalarFunction | AggregateFunction | TableFunction;

/** Functions by upper-case name. The built-in ones and the user's make one registry. */
export type FunctionRegistry = ReadonlyMap<string, SqlFunction>;
