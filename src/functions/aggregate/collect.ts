import { openEquality } from '../../types/compare-values.ts';
import { array, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator, EvaluationContext } from '../function.ts';
import { ARRAY_OF_T, over, parameter, T } from '../signature.ts';

type List = readonly SqlValue[];

/** How many items a list may have, by the property `ksql.functions.NAME.limit`; no limit when it is not set. */
function limitOf(name: string, context: EvaluationContext): number {
  const text = context.setting?.(`ksql.functions.${name}.limit`);
  const limit = text === undefined ? Number.NaN : Number(text);
  return Number.isInteger(limit) && limit >= 0 ? limit : Number.MAX_SAFE_INTEGER;
}

function openList(type: SqlType, limit: number): Aggregator {
  const equal = openEquality(type);
  return {
    stateType: array(type),
    initial: () => [],
    add: (state: SqlValue, value: SqlValue) =>
      (state as List).length >= limit ? state : [...(state as List), value],
    undo(state: SqlValue, value: SqlValue) {
      const list = state as List;
      const at = list.findLastIndex((item) => equal(item, value));
      return at < 0 ? state : list.toSpliced(at, 1);
    },
    merge: (left, right) => [...(left as List), ...(right as List)].slice(0, limit),
    result: (state) => state,
  };
}

function openSet(type: SqlType, limit: number): Aggregator {
  const equal = openEquality(type);
  const add = (state: SqlValue, value: SqlValue): SqlValue => {
    const list = state as List;
    if (list.length >= limit) return state;
    for (const item of list) if (equal(item, value) || Object.is(item, value)) return state;
    return [...list, value];
  };
  return {
    stateType: array(type),
    initial: () => [],
    add,
    merge: (left, right) => (right as List).reduce(add, left),
    result: (state) => state,
  };
}

export const collectList: AggregateDefinition = {
  name: 'COLLECT_LIST',
  description:
    'All values in order of arrival, nulls too, up to the limit ksql.functions.collect_list.limit.',
  examples: [over('X INTEGER', ['1', 'NULL', '1'], 'COLLECT_LIST(X)', 'ARRAY[1, NULL, 1]')],
  signatures: [
    {
      parameters: [parameter('value', T)],
      returns: ARRAY_OF_T,
      open: ([type], _literals, context) => openList(type!, limitOf('collect_list', context)),
    },
  ],
};

export const collectSet: AggregateDefinition = {
  name: 'COLLECT_SET',
  description:
    'The different values in order of first arrival, null too, up to the limit ksql.functions.collect_set.limit. Not over tables.',
  examples: [over('X INTEGER', ['2', 'NULL', '2', '1'], 'COLLECT_SET(X)', 'ARRAY[2, NULL, 1]')],
  signatures: [
    {
      parameters: [parameter('value', T)],
      returns: ARRAY_OF_T,
      open: ([type], _literals, context) => openSet(type!, limitOf('collect_set', context)),
    },
  ],
};
