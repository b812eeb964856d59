import { openEquality } from '../../types/compare-values.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction } from '../function.ts';
import { fixed, parameter, scalars, T, variadic } from '../signature.ts';

export const conditionalFunctions: readonly ScalarFunction[] = scalars('CONDITIONAL', [
  {
    name: 'COALESCE',
    description: 'The first argument that is not null.',
    examples: [['COALESCE(NULL, 7, 8)', '7']],
    nulls: 'handled',
    signatures: [
      fixed([parameter('first', T), variadic('others', T)], T, (...values: SqlValue[]) => {
        for (const value of values) if (value !== null) return value;
        return null;
      }),
    ],
  },
  {
    name: 'IFNULL',
    description: 'The first argument, or the second if the first is null.',
    examples: [['IFNULL(NULL, 7)', '7']],
    nulls: 'handled',
    signatures: [
      fixed([parameter('value', T), parameter('substitute', T)], T, (value: SqlValue, other: SqlValue) =>
        value === null ? other : value,
      ),
    ],
  },
  {
    name: 'NULLIF',
    description: 'Null if both arguments are equal, else the first.',
    examples: [['NULLIF(7, 8)', '7']],
    nulls: 'handled',
    signatures: [
      {
        parameters: [parameter('value', T), parameter('unwanted', T)],
        returns: T,
        open(_args, returns) {
          const equal = openEquality(returns);
          return (value: SqlValue, unwanted: SqlValue) => (equal(value, unwanted) ? null : value);
        },
      },
    ],
  },
]);

export const otherFunctions: readonly ScalarFunction[] = scalars('OTHER', [
  {
    name: 'AS_VALUE',
    description: 'The argument itself. In a projection it copies a key column into the value.',
    examples: [['AS_VALUE(7)', '7']],
    nulls: 'handled',
    signatures: [fixed([parameter('column', T)], T, (value: SqlValue) => value)],
  },
]);
