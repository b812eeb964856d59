import { compareStrings } from '../../types/compare-values.ts';
import { hashOrder } from '../../types/map-order.ts';
import { array, BIGINT, BOOLEAN, DOUBLE, INTEGER, map, STRING, struct } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ParameterType, ScalarFunction } from '../function.ts';
import { ARRAY_OF_T, fixed, parameter, scalar, scalars, T } from '../signature.ts';

type Entries = ReadonlyMap<string | null, SqlValue>;

const MAP_OF_T: ParameterType = { kind: 'map', key: STRING, value: T };

function entries(values: Entries, sorted: boolean): SqlValue {
  const list = hashOrder(values) as readonly [string | null, SqlValue][];
  // A map that the query made may have the null key, which comes first.
  return sorted
    ? list.toSorted(([a], [b]) => (a === null ? -1 : b === null ? 1 : compareStrings(a, b)))
    : list;
}

export const mapFunctions: readonly ScalarFunction[] = scalars('MAP', [
  scalar(
    'AS_MAP',
    'A map of keys and values that stand at the same positions of two arrays. Missing values are null.',
    ["AS_MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "MAP('a' := 1, 'b' := 2)"],
    'propagate',
    fixed(
      [parameter('keys', array(STRING)), parameter('values', ARRAY_OF_T)],
      MAP_OF_T,
      (keys: readonly string[], values: readonly SqlValue[]) =>
        new Map(keys.map((key, i) => [key, values[i] ?? null])),
    ),
  ),
  scalar(
    'ENTRIES',
    'The entries of a map as structs of K and V, sorted by key if asked.',
    ["ENTRIES(MAP('b' := 2, 'a' := 1), TRUE)[1]->K", "'a'"],
    'propagate',
    ...[INTEGER, BIGINT, DOUBLE, BOOLEAN, STRING].map((type) =>
      fixed(
        [parameter('map', map(STRING, type)), parameter('sorted', BOOLEAN)],
        array(
          struct([
            { name: 'K', type: STRING },
            { name: 'V', type },
          ]),
        ),
        entries,
      ),
    ),
  ),
  scalar(
    'MAP_KEYS',
    'The keys of a map, in no particular order.',
    ["MAP_KEYS(MAP('a' := 1))", "ARRAY['a']"],
    'propagate',
    fixed([parameter('map', MAP_OF_T)], array(STRING), (values: Entries) =>
      hashOrder(values).map(([key]) => key),
    ),
  ),
  scalar(
    'MAP_UNION',
    'The entries of both maps; for equal keys the second’s. A null map counts as empty; null if both are.',
    ["MAP_UNION(MAP('a' := 1), MAP('a' := 2))", "MAP('a' := 2)"],
    'handled',
    fixed(
      [parameter('left', MAP_OF_T), parameter('right', MAP_OF_T)],
      MAP_OF_T,
      (left: Entries | null, right: Entries | null) =>
        left === null ? right : right === null ? left : new Map([...left, ...right]),
    ),
  ),
  scalar(
    'MAP_VALUES',
    'The values of a map, in no particular order.',
    ["MAP_VALUES(MAP('a' := 1))", 'ARRAY[1]'],
    'propagate',
    fixed([parameter('map', MAP_OF_T)], ARRAY_OF_T, (values: Entries) =>
      hashOrder(values).map(([, value]) => value),
    ),
  ),
]);
