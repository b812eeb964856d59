import { DataError } from '../../common/error.ts';
import { BOOLEAN } from '../../types/sql-type.ts';
import { hashOrder } from '../../types/map-order.ts';
import type { SqlValue } from '../../types/value.ts';
import type { LambdaValue, ParameterType, ScalarFunction } from '../function.ts';
import { ARRAY_OF_T, fixed, generic, parameter, scalars, T } from '../signature.ts';

const K = generic('K');
const V = generic('V');
const S = generic('S');
const R = generic('R');

type List = readonly SqlValue[];
type Entries = ReadonlyMap<SqlValue, SqlValue>;

function mapOf(key: ParameterType, value: ParameterType): ParameterType {
  return { kind: 'map', key, value };
}

function lambda(parameters: readonly ParameterType[], returns: ParameterType): ParameterType {
  return { kind: 'lambda', parameters, returns };
}

/** As in WHERE, what is null does not hold. */
function decided(verdict: SqlValue): boolean {
  return verdict === true;
}

function transformMap(entries: Entries, keyOf: LambdaValue, valueOf: LambdaValue): SqlValue {
  const result = new Map<SqlValue, SqlValue>();
  for (const [key, value] of entries) {
    const newKey = keyOf(key, value);
    const newValue = valueOf(key, value);
    if (newValue === null) throw new DataError('the value lambda of TRANSFORM gave null');
    if (result.has(newKey)) throw new DataError('the key lambda of TRANSFORM gave one key twice');
    result.set(newKey, newValue);
  }
  return result;
}

export const lambdaFunctions: readonly ScalarFunction[] = scalars('LAMBDA', [
  {
    name: 'FILTER',
    description: 'The items of an array, or the entries of a map, for which a lambda is true.',
    examples: [['FILTER(ARRAY[1, 2, 3], x => x > 1)', 'ARRAY[2, 3]']],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('array', ARRAY_OF_T), parameter('predicate', lambda([T], BOOLEAN))],
        ARRAY_OF_T,
        (items: List | null, predicate: LambdaValue) =>
          items === null ? null : items.filter((item) => decided(predicate(item))),
      ),
      fixed(
        [parameter('map', mapOf(K, V)), parameter('predicate', lambda([K, V], BOOLEAN))],
        mapOf(K, V),
        (entries: Entries | null, predicate: LambdaValue) =>
          entries === null
            ? null
            : new Map([...entries].filter(([key, value]) => decided(predicate(key, value)))),
      ),
    ],
  },
  {
    name: 'REDUCE',
    description:
      'Joins an array’s items, or a map’s entries, into one value: from an initial state, a lambda makes the next state. Null for a null initial state.',
    examples: [['REDUCE(ARRAY[1, 2, 3], 10, (s, x) => s + x)', '16']],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('array', ARRAY_OF_T), parameter('initial', S), parameter('step', lambda([S, T], S))],
        S,
        (items: List | null, initial: SqlValue, step: LambdaValue) => {
          if (initial === null || items === null) return initial;
          let state: SqlValue = initial;
          for (const item of items) state = step(state, item);
          return state;
        },
      ),
      fixed(
        [parameter('map', mapOf(K, V)), parameter('initial', S), parameter('step', lambda([S, K, V], S))],
        S,
        (entries: Entries | null, initial: SqlValue, step: LambdaValue) => {
          if (initial === null || entries === null) return initial;
          let state: SqlValue = initial;
          for (const [key, value] of hashOrder(entries)) state = step(state, key, value);
          return state;
        },
      ),
    ],
  },
  {
    name: 'TRANSFORM',
    description:
      'An array with each item changed by a lambda, or a map with the keys changed by one lambda and the values by another.',
    examples: [['TRANSFORM(ARRAY[1, 2], x => x * 2)', 'ARRAY[2, 4]']],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('array', ARRAY_OF_T), parameter('change', lambda([T], R))],
        { kind: 'array', element: R },
        (items: List | null, change: LambdaValue) =>
          items === null ? null : items.map((item) => change(item)),
      ),
      fixed(
        [
          parameter('map', mapOf(K, V)),
          parameter('changeKey', lambda([K, V], R)),
          parameter('changeValue', lambda([K, V], T)),
        ],
        mapOf(R, T),
        (entries: Entries | null, keyOf: LambdaValue, valueOf: LambdaValue) =>
          entries === null ? null : transformMap(entries, keyOf, valueOf),
      ),
    ],
  },
]);
