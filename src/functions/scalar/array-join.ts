import { SqlError } from '../../common/error.ts';
import { printType } from '../../types/print-type.ts';
import { openPrint } from '../../types/print-value.ts';
import { STRING } from '../../types/sql-type.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { ARRAY_OF_T, parameter, scalar, scalars } from '../signature.ts';
import { type List, elementOf } from './array-function.ts';

/** Types of items that ARRAY_JOIN prints. */
const JOINABLE = new Set(['boolean', 'integer', 'bigint', 'double', 'decimal', 'string']);

function join(parameters: ScalarSignature['parameters']): ScalarSignature {
  return {
    parameters,
    returns([list]) {
      const element = elementOf(list!);
      if (JOINABLE.has(element.kind)) return STRING;
      throw new SqlError('ML_TYPE', `ARRAY_JOIN does not join items of type ${printType(element)}`, {
        hint: 'CAST the items to STRING with TRANSFORM first',
      });
    },
    open: ([list]) => {
      const print = openPrint(elementOf(list!));
      return (items: List | null, delimiter: string | null = ',') =>
        items === null
          ? null
          : items.map((item) => (item === null ? 'null' : print(item))).join(delimiter ?? '');
    },
  };
}

export const arrayJoinFunctions: readonly ScalarFunction[] = scalars('ARRAY', [
  scalar(
    'ARRAY_JOIN',
    'The items as text, with a delimiter (a comma when not given) between them. A null item is the text null.',
    ["ARRAY_JOIN(ARRAY[1, 2], '; ')", "'1; 2'"],
    'handled',
    join([parameter('array', ARRAY_OF_T)]),
    join([parameter('array', ARRAY_OF_T), parameter('delimiter', STRING)]),
  ),
]);
