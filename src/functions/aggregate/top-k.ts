import { SqlError } from '../../common/error.ts';
import { openOrder } from '../../types/compare-values.ts';
import {
  array,
  BIGINT,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
  type SqlType,
  type StructType,
} from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { ANY_DECIMAL, over, parameter, variadic } from '../signature.ts';

type List = readonly SqlValue[];
type Order = (a: SqlValue, b: SqlValue) => number;

const K = parameter('k', INTEGER, 'how many to keep');

function sizeOf(k: SqlValue): number {
  if (typeof k === 'number' && k > 0) return k;
  throw new SqlError('ML_TYPE', `TOPK and TOPKDISTINCT keep at least one value`, {
    hint: 'ask for 1 or more',
  });
}

/** `list`, in descending order, with `item` after all that are not smaller; the list itself if it has no room. */
function insert(list: List, item: SqlValue, size: number, order: Order, distinct: boolean): List {
  let at = list.length;
  while (at > 0 && order(list[at - 1]!, item) < 0) at--;
  if (at >= size || (distinct && at > 0 && order(list[at - 1]!, item) === 0)) return list;
  const longer = list.toSpliced(at, 0, item);
  if (longer.length > size) longer.pop();
  return longer;
}

function openTop(itemType: SqlType, size: number, order: Order, distinct: boolean): Aggregator {
  return {
    stateType: array(itemType),
    initial: () => [],
    add: (state: SqlValue, ...values: SqlValue[]) => {
      if (values[0] === null) return state;
      return insert(state as List, values.length === 1 ? values[0]! : values, size, order, distinct);
    },
    merge: (left, right) =>
      (right as List).reduce<List>((list, item) => insert(list, item, size, order, distinct), left as List),
    result: (state) => state,
  };
}

function rowType(types: readonly SqlType[]): StructType {
  // Lower-case names: what ksqlDB's clients read.
  return struct(types.map((type, i) => ({ name: i === 0 ? 'sort_col' : `col${i - 1}`, type })));
}

const SORTABLE = [INTEGER, BIGINT, DOUBLE, STRING];

export const topK: AggregateDefinition = {
  name: 'TOPK',
  description:
    'The k largest values, largest first; of equal ones the earlier first. With more columns structs of them, by the first column. Not over tables.',
  examples: [
    over('X INTEGER', ['3', '7', 'NULL', '5', '7'], 'TOPK(X, 3)', 'ARRAY[7, 7, 5]'),
    over(
      'X INTEGER, Y STRING',
      ["3, 'a'", "7, 'b'", "5, 'c'"],
      'TOPK(X, Y, 2)',
      "ARRAY[STRUCT(`sort_col` := 7, `col0` := 'b'), STRUCT(`sort_col` := 5, `col0` := 'c')]",
    ),
  ],
  signatures: [
    ...SORTABLE.map((type) => ({
      parameters: [parameter('value', type)],
      literals: [K],
      returns: array(type),
      open: (_args: readonly SqlType[], [k]: readonly SqlValue[]) =>
        openTop(type, sizeOf(k!), openOrder(type), false),
    })),
    ...SORTABLE.map((type) => ({
      parameters: [
        parameter('sortColumn', type),
        parameter('first', { kind: 'any' }),
        variadic('others', { kind: 'any' }),
      ],
      literals: [K],
      returns: (args: readonly SqlType[]) => array(rowType(args)),
      open: (args: readonly SqlType[], [k]: readonly SqlValue[]) => {
        const order = openOrder(type);
        return openTop(rowType(args), sizeOf(k!), (a, b) => order((a as List)[0]!, (b as List)[0]!), false);
      },
    })),
  ],
};

export const topKDistinct: AggregateDefinition = {
  name: 'TOPKDISTINCT',
  description: 'The k largest different values, largest first. Not over tables.',
  examples: [over('X INTEGER', ['3', '7', 'NULL', '5', '7'], 'TOPKDISTINCT(X, 2)', 'ARRAY[7, 5]')],
  signatures: [
    ...[...SORTABLE, DATE, TIME, TIMESTAMP, BYTES].map((type) => ({
      parameters: [parameter('value', type)],
      literals: [K],
      returns: array(type),
      open: (_args: readonly SqlType[], [k]: readonly SqlValue[]) =>
        openTop(type, sizeOf(k!), openOrder(type), true),
    })),
    {
      parameters: [parameter('value', ANY_DECIMAL)],
      literals: [K],
      returns: ([type]) => array(type!),
      open: ([type], [k]) => openTop(type!, sizeOf(k!), openOrder(type!), true),
    },
  ],
};
