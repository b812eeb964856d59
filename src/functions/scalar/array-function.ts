import { openEquality } from '../../types/compare-values.ts';
import { type ArrayType, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarSignature } from '../function.ts';
import { ARRAY_OF_T, parameter } from '../signature.ts';

export type List = readonly SqlValue[];

export type Equality = (a: SqlValue, b: SqlValue) => boolean;

export function elementOf(type: SqlType): SqlType {
  return (type as ArrayType).element;
}

/** Equality of items as Java's lists have it: null equals null, NaN equals NaN. */
export function openItemEquality(type: SqlType): Equality {
  const equal = openEquality(type);
  return type.kind === 'double' ? (a, b) => a === b || Object.is(a, b) : equal;
}

/** A signature whose evaluator is made from the type of the first argument's items. */
export function ofList(
  parameters: ScalarSignature['parameters'],
  returns: ScalarSignature['returns'],
  open: (element: SqlType) => ReturnType<ScalarSignature['open']>,
): ScalarSignature {
  return { parameters, returns, open: ([list]) => open(elementOf(list!)) };
}

export const PAIR = [parameter('left', ARRAY_OF_T), parameter('right', ARRAY_OF_T)];
