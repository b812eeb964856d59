import type { SqlType } from '../types/sql-type.ts';
import type {
  Example,
  Parameter,
  ParameterType,
  ScalarEvaluator,
  ScalarFunction,
  ScalarSignature,
} from './function.ts';

/** Short forms for writing functions down. */

export function parameter(name: string, type: ParameterType, description?: string): Parameter {
  return description === undefined ? { name, type } : { name, type, description };
}

/** A parameter that not every value fits: see `Parameter.check`. */
export function checked(of: Parameter, check: (value: never) => unknown): Parameter {
  return { ...of, check };
}

export function variadic(name: string, type: ParameterType): Parameter {
  return { name, type, variadic: true };
}

export function generic(name: string): ParameterType {
  return { kind: 'generic', name };
}

export const T: ParameterType = generic('T');
export const ARRAY_OF_T: ParameterType = { kind: 'array', element: T };
export const ANY_DECIMAL: ParameterType = { kind: 'any-decimal' };

/** An example of an aggregate over rows of these columns. */
export function over(columns: string, rows: readonly string[], sql: string, result: string): Example {
  return [sql, result, { columns, rows }];
}

/** A signature whose evaluator is the same whatever the argument types are. */
export function fixed(
  parameters: readonly Parameter[],
  returns: SqlType | ParameterType,
  evaluate: ScalarEvaluator,
): ScalarSignature {
  return { parameters, returns, open: () => evaluate };
}

/** A scalar function in the list of its topic. */
export type ScalarDefinition = Omit<ScalarFunction, 'kind' | 'category'>;

/** The functions of a topic, all of one category. */
export function scalars(
  category: string,
  definitions: readonly ScalarDefinition[],
): readonly ScalarFunction[] {
  return definitions.map((definition) => ({ kind: 'scalar', category, ...definition }));
}

/** A function with one example. */
export function scalar(
  name: string,
  description: string,
  example: Example,
  nulls: ScalarFunction['nulls'],
  ...signatures: readonly ScalarSignature[]
): ScalarDefinition {
  return { name, description, examples: [example], nulls, signatures };
}
