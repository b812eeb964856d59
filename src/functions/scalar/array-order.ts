import { SqlError } from '../../common/error.ts';
import { openOrder } from '../../types/compare-values.ts';
import { printType } from '../../types/print-type.ts';
import { array, STRING, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { ARRAY_OF_T, parameter, scalar, scalars } from '../signature.ts';
import { type List, elementOf } from './array-function.ts';

function ordered(type: SqlType): SqlType {
  const element = elementOf(type);
  if (element.kind === 'array' || element.kind === 'map' || element.kind === 'struct')
    throw new SqlError('ML_TYPE', `items of type ${printType(element)} have no order`, {
      hint: 'use an array of simple values',
    });
  return element;
}

function extreme(sign: 1 | -1): ScalarSignature {
  return {
    parameters: [parameter('array', ARRAY_OF_T)],
    returns: ([list]) => ordered(list!),
    open: ([list]) => {
      const order = openOrder(elementOf(list!));
      return (items: List) => {
        let best: SqlValue = null;
        for (const item of items)
          if (item !== null && (best === null || order(item, best) * sign > 0)) best = item;
        return best;
      };
    },
  };
}

function directionOf(text: string): 1 | -1 | null {
  switch (text.toUpperCase()) {
    case 'ASC':
    case 'ASCENDING':
      return 1;
    case 'DESC':
    case 'DESCENDING':
      return -1;
    default:
      return null;
  }
}

/** A sorted copy, nulls last in both directions. */
function openSort(type: SqlType): (items: List, sign: 1 | -1) => SqlValue[] {
  const order = openOrder(type);
  return (items, sign) => {
    const nulls = items.filter((item) => item === null);
    const values = items.filter((item) => item !== null);
    values.sort((a, b) => order(a, b) * sign);
    return [...values, ...nulls];
  };
}

export const arrayOrderFunctions: readonly ScalarFunction[] = scalars('ARRAY', [
  scalar(
    'ARRAY_MAX',
    'The largest item that is not null.',
    ['ARRAY_MAX(ARRAY[1, 3, 2])', '3'],
    'propagate',
    extreme(1),
  ),
  scalar(
    'ARRAY_MIN',
    'The smallest item that is not null.',
    ['ARRAY_MIN(ARRAY[2, 1, 3])', '1'],
    'propagate',
    extreme(-1),
  ),
  scalar(
    'ARRAY_SORT',
    'The items in ascending order, or in the order given: ASC or DESC. Nulls are last.',
    ["ARRAY_SORT(ARRAY[1, 3, 2], 'DESC')", 'ARRAY[3, 2, 1]'],
    'propagate',
    {
      parameters: [parameter('array', ARRAY_OF_T)],
      returns: ([list]) => array(ordered(list!)),
      open: ([list]) => {
        const sort = openSort(elementOf(list!));
        return (items: List) => sort(items, 1);
      },
    },
    {
      parameters: [parameter('array', ARRAY_OF_T), parameter('direction', STRING)],
      returns: ([list]) => array(ordered(list!)),
      open: ([list]) => {
        const sort = openSort(elementOf(list!));
        return (items: List, direction: string) => {
          const sign = directionOf(direction);
          return sign === null ? null : sort(items, sign);
        };
      },
    },
  ),
]);
