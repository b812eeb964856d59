import { DataError, SqlError } from '../../common/error.ts';
import { addBigint, compareBigint, type Bigint } from '../../types/bigint.ts';
import { openEquality, openOrder } from '../../types/compare-values.ts';
import { printType } from '../../types/print-type.ts';
import { openPrint } from '../../types/print-value.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  INTEGER,
  STRING,
  type ArrayType,
  type SqlType,
} from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { ARRAY_OF_T, fixed, parameter, T } from '../signature.ts';

const CATEGORY = 'ARRAY';

type List = readonly SqlValue[];
type Equality = (a: SqlValue, b: SqlValue) => boolean;

function elementOf(type: SqlType): SqlType {
  return (type as ArrayType).element;
}

/** Equality of items as Java's lists have it: null equals null, NaN equals NaN. */
export function openItemEquality(type: SqlType): Equality {
  const equal = openEquality(type);
  return type.kind === 'double' ? (a, b) => a === b || Object.is(a, b) : equal;
}

/** Types whose equality is that of a JavaScript Set. */
const HASHABLE = new Set(['boolean', 'integer', 'bigint', 'double', 'string', 'date', 'time', 'timestamp']);

/** Tells, one after another, whether an item was not there before. */
function openSeen(type: SqlType): () => { add(item: SqlValue): boolean; has(item: SqlValue): boolean } {
  if (HASHABLE.has(type.kind))
    return () => {
      const seen = new Set<SqlValue>();
      return {
        add: (item) => seen.size !== seen.add(item).size,
        has: (item) => seen.has(item),
      };
    };
  const equal = openItemEquality(type);
  return () => {
    const seen: SqlValue[] = [];
    const has = (item: SqlValue): boolean => seen.some((other) => equal(other, item));
    return {
      add(item) {
        if (has(item)) return false;
        seen.push(item);
        return true;
      },
      has,
    };
  };
}

/** A signature whose evaluator is made from the type of the first argument's items. */
function ofList(
  parameters: ScalarSignature['parameters'],
  returns: ScalarSignature['returns'],
  open: (element: SqlType) => ReturnType<ScalarSignature['open']>,
): ScalarSignature {
  return { parameters, returns, open: ([list]) => open(elementOf(list!)) };
}

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

/** More items than this from one record is a mistake. */
const MAX_SERIES = 10_000_000;

function series(start: Bigint, end: Bigint, step: number): Bigint[] {
  if (step === 0) throw new DataError('GENERATE_SERIES cannot go in steps of 0');
  const direction = compareBigint(end, start);
  if (direction !== 0 && direction > 0 !== step > 0)
    throw new DataError(`GENERATE_SERIES cannot get from ${start} to ${end} in steps of ${step}`);
  if (Math.abs((Number(end) - Number(start)) / step) > MAX_SERIES)
    throw new DataError(`GENERATE_SERIES of more than ${MAX_SERIES} items`);
  const items: Bigint[] = [];
  for (let at = start; step > 0 ? at <= end : at >= end; at = addBigint(at, step)) {
    items.push(at);
    // The next step would wrap around.
    if (at === end) break;
  }
  return items;
}

const autoSeries = (start: Bigint, end: Bigint): Bigint[] => series(start, end, end < start ? -1 : 1);

const PAIR = [parameter('left', ARRAY_OF_T), parameter('right', ARRAY_OF_T)];

function arrayFunction(
  name: string,
  description: string,
  example: readonly [string, string],
  nulls: ScalarFunction['nulls'],
  ...signatures: ScalarSignature[]
): ScalarFunction {
  return { kind: 'scalar', name, category: CATEGORY, description, examples: [example], nulls, signatures };
}

export const arrayFunctions: readonly ScalarFunction[] = [
  arrayFunction(
    'ARRAY_CONCAT',
    'The items of both arrays, one after another. A null array counts as empty; null if both are.',
    ['ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2])', 'ARRAY[1, 2, 2]'],
    'handled',
    fixed(PAIR, ARRAY_OF_T, (left: List | null, right: List | null) =>
      left === null ? right : right === null ? left : [...left, ...right],
    ),
  ),
  arrayFunction(
    'ARRAY_CONTAINS',
    'Whether a value is among the items.',
    ['ARRAY_CONTAINS(ARRAY[1, 2], 2)', 'TRUE'],
    'handled',
    ofList([parameter('array', ARRAY_OF_T), parameter('value', T)], BOOLEAN, (element) => {
      const equal = openItemEquality(element);
      return (items: List | null, value: SqlValue) =>
        items !== null && items.some((item) => equal(item, value));
    }),
  ),
  arrayFunction(
    'ARRAY_DISTINCT',
    'The different items, in order of first appearance.',
    ['ARRAY_DISTINCT(ARRAY[1, 2, 1])', 'ARRAY[1, 2]'],
    'propagate',
    ofList([parameter('array', ARRAY_OF_T)], ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (items: List) => {
        const seen = openSet();
        return items.filter((item) => seen.add(item));
      };
    }),
  ),
  arrayFunction(
    'ARRAY_EXCEPT',
    'The different items of the first array that are not in the second.',
    ['ARRAY_EXCEPT(ARRAY[1, 2, 3, 1], ARRAY[2])', 'ARRAY[1, 3]'],
    'propagate',
    ofList(PAIR, ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (left: List, right: List) => {
        const seen = openSet();
        for (const item of right) seen.add(item);
        return left.filter((item) => seen.add(item));
      };
    }),
  ),
  arrayFunction(
    'ARRAY_INTERSECT',
    'The different items of the first array that are also in the second.',
    ['ARRAY_INTERSECT(ARRAY[1, 2, 3, 2], ARRAY[3, 2])', 'ARRAY[2, 3]'],
    'propagate',
    ofList(PAIR, ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (left: List, right: List) => {
        const others = openSet();
        for (const item of right) others.add(item);
        const seen = openSet();
        return left.filter((item) => others.has(item) && seen.add(item));
      };
    }),
  ),
  arrayFunction(
    'ARRAY_JOIN',
    'The items as text, with a delimiter (a comma when not given) between them. A null item is the text null.',
    ["ARRAY_JOIN(ARRAY[1, 2], '; ')", "'1; 2'"],
    'handled',
    join([parameter('array', ARRAY_OF_T)]),
    join([parameter('array', ARRAY_OF_T), parameter('delimiter', STRING)]),
  ),
  arrayFunction(
    'ARRAY_LENGTH',
    'How many items there are.',
    ['ARRAY_LENGTH(ARRAY[1, 2])', '2'],
    'propagate',
    fixed([parameter('array', ARRAY_OF_T)], INTEGER, (items: List) => items.length),
  ),
  arrayFunction(
    'ARRAY_MAX',
    'The largest item that is not null.',
    ['ARRAY_MAX(ARRAY[1, 3, 2])', '3'],
    'propagate',
    extreme(1),
  ),
  arrayFunction(
    'ARRAY_MIN',
    'The smallest item that is not null.',
    ['ARRAY_MIN(ARRAY[2, 1, 3])', '1'],
    'propagate',
    extreme(-1),
  ),
  arrayFunction(
    'ARRAY_REMOVE',
    'The items that are not equal to a value; NULL removes nulls.',
    ['ARRAY_REMOVE(ARRAY[1, 2, 1], 1)', 'ARRAY[2]'],
    'handled',
    ofList([parameter('array', ARRAY_OF_T), parameter('unwanted', T)], ARRAY_OF_T, (element) => {
      const equal = openItemEquality(element);
      return (items: List | null, unwanted: SqlValue) =>
        items === null ? null : items.filter((item) => !equal(item, unwanted));
    }),
  ),
  arrayFunction(
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
  arrayFunction(
    'ARRAY_UNION',
    'The different items of both arrays, in order of first appearance.',
    ['ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])', 'ARRAY[1, 2, 3]'],
    'propagate',
    ofList(PAIR, ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (left: List, right: List) => {
        const seen = openSet();
        return [...left.filter((item) => seen.add(item)), ...right.filter((item) => seen.add(item))];
      };
    }),
  ),
  arrayFunction(
    'GENERATE_SERIES',
    'The whole numbers from a start to an end, both included, in steps (of 1 or -1 when not given).',
    ['GENERATE_SERIES(1, 7, 3)', 'ARRAY[1, 4, 7]'],
    'propagate',
    ...[INTEGER, BIGINT].flatMap((type) => {
      const ends = [parameter('start', type), parameter('end', type)];
      return [
        fixed(ends, array(type), autoSeries),
        fixed([...ends, parameter('step', INTEGER)], array(type), series),
      ];
    }),
  ),
  arrayFunction(
    'SLICE',
    'The items from one position to another, both counted from 1 and included. A null position is the array’s end; null if out of range.',
    ['SLICE(ARRAY[1, 2, 3, 4], 2, 3)', 'ARRAY[2, 3]'],
    'handled',
    fixed(
      [parameter('array', ARRAY_OF_T), parameter('from', INTEGER), parameter('to', INTEGER)],
      ARRAY_OF_T,
      (items: List | null, from: number | null, to: number | null) => {
        if (items === null) return null;
        const start = from === null ? 0 : from - 1;
        const end = to ?? items.length;
        return start < 0 || end > items.length || start > end ? null : items.slice(start, end);
      },
    ),
  ),
];
