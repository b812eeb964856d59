import { DataError } from '../../common/error.ts';
import type { SqlValue } from '../../types/value.ts';
import type { TableFunction } from '../function.ts';
import { ARRAY_OF_T, parameter, T } from '../signature.ts';

type List = readonly SqlValue[];

const NO_ROWS: List = [];

/** 2^20 rows from one record is already a lot. */
const MAX_CUBE_SIZE = 20;

/**
 * Every combination of the items and nulls in their places: the last item varies fastest, null before the value. An item
 * that is null itself has only one choice, so that no combination comes twice.
 */
function cube(list: List): SqlValue[] {
  if (list.length > MAX_CUBE_SIZE)
    throw new DataError(
      `CUBE_EXPLODE of ${list.length} items gives too many rows; ${MAX_CUBE_SIZE} are the most`,
    );
  let rows: SqlValue[][] = [[]];
  for (const item of list)
    rows = rows.flatMap((row) =>
      item === null
        ? [[...row, null]]
        : [
            [...row, null],
            [...row, item],
          ],
    );
  return rows;
}

export const explode: TableFunction = {
  kind: 'table',
  name: 'EXPLODE',
  category: 'TABLE',
  description: 'A row for each item of an array; none for null.',
  examples: [['EXPLODE(ARRAY[1, 2])', ['1', '2']]],
  signatures: [
    {
      parameters: [parameter('list', ARRAY_OF_T)],
      returns: T,
      open: () => (list: SqlValue) => (list === null ? NO_ROWS : (list as List)),
    },
  ],
};

const cubeExplode: TableFunction = {
  kind: 'table',
  name: 'CUBE_EXPLODE',
  category: 'TABLE',
  description: 'A row for each combination of an array’s items and nulls in their places; none for null.',
  examples: [
    [
      'CUBE_EXPLODE(ARRAY[1, 2])',
      ['ARRAY[CAST(NULL AS INTEGER), NULL]', 'ARRAY[NULL, 2]', 'ARRAY[1, NULL]', 'ARRAY[1, 2]'],
    ],
  ],
  signatures: [
    {
      parameters: [parameter('list', ARRAY_OF_T)],
      returns: ARRAY_OF_T,
      open: () => (list: SqlValue) => (list === null ? NO_ROWS : cube(list as List)),
    },
  ],
};

export const tableFunctions: readonly TableFunction[] = [cubeExplode, explode];
