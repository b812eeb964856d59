import { openCast } from '../../../src/types/cast.ts';
import type { SqlType } from '../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../src/types/value.ts';
import type {
  AggregateFunction,
  Aggregator,
  EvaluationContext,
  ScalarFunction,
} from '../../../src/functions/function.ts';
import { builtinFunctions } from '../../../src/functions/registry.ts';
import type { ArgumentType } from '../../../src/functions/match-signature.ts';
import { resolveAggregate, resolveScalar } from '../../../src/functions/resolve.ts';

export const context: EvaluationContext = { now: () => 1_526_075_913_000, random: () => 0.5 };

/** An argument with its type; a bare null is the NULL literal, 'DAYS'-like units go as `unit('DAYS')`. */
export type Given = readonly [type: ArgumentType, value: SqlValue] | null;

export function unit(name: string): Given {
  return [{ kind: 'interval-unit' }, name];
}

export function scalar(name: string): ScalarFunction {
  return builtinFunctions.get(name) as ScalarFunction;
}

/** Resolves, casts and calls as the engine does. */
export function call(name: string, ...given: Given[]): SqlValue {
  const fn = scalar(name);
  const resolved = resolveScalar(
    fn,
    given.map((each) => (each === null ? null : each[0])),
  );
  const values = given.map((each, i) => {
    if (each === null) return null;
    const from = each[0];
    if (from === null || from.kind === 'lambda' || from.kind === 'interval-unit') return each[1];
    const source: SqlType = from.kind === 'text' ? { kind: 'string' } : from;
    return openCast(source, resolved.argumentTypes[i]!)!(each[1]);
  });
  if (fn.nulls === 'propagate' && values.includes(null)) return null;
  const evaluator = resolved.signature.open(resolved.argumentTypes, resolved.returns, context);
  return (evaluator as (...args: SqlValue[]) => SqlValue)(...values);
}

/** Opens an aggregate for columns of these types and literals. */
export function aggregator(
  name: string,
  types: readonly SqlType[],
  literals: readonly (readonly [SqlType, SqlValue])[] = [],
  using: EvaluationContext = context,
): Aggregator {
  const fn = builtinFunctions.get(name) as AggregateFunction;
  const resolved = resolveAggregate(fn, [
    ...types.map((type) => ({ type })),
    ...literals.map(([type, literal]) => ({ type, literal })),
  ]);
  return resolved.signature.open(resolved.argumentTypes, resolved.literals, using);
}

/** The state after adding each row. */
export function addAll(fn: Aggregator, rows: readonly (readonly SqlValue[])[]): SqlValue {
  return rows.reduce<SqlValue>((state, row) => fn.add(state, ...row), fn.initial());
}
