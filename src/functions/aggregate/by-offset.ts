import { SqlError } from '../../common/error.ts';
import { array, BIGINT, BOOLEAN, INTEGER, struct, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, AggregateSignature, Aggregator, EvaluationContext } from '../function.ts';
import { ARRAY_OF_T, over, parameter, T } from '../signature.ts';

/**
 * EARLIEST_BY_OFFSET and LATEST_BY_OFFSET. Which of two values came first is known by a sequence number kept beside each:
 * it is what the joining of session windows compares. Numbers go up by one per value, from where the clock stood
 * when the query was opened, so that those given after a restart are larger (as long as fewer than 2048 values come
 * in a millisecond, all the time).
 */
const NUMBERS_PER_MS = 2048;

type Entry = readonly [sequence: number, value: SqlValue];
type End = 'earliest' | 'latest';

function entryType(type: SqlType): SqlType {
  return struct([
    { name: 'SEQ', type: BIGINT },
    { name: 'VAL', type },
  ]);
}

function openSequence(context: EvaluationContext): () => number {
  let last = Math.max(0, Math.floor(context.now())) * NUMBERS_PER_MS;
  return () => ++last;
}

/** One value. The state is null before the first. */
function openOne(type: SqlType, end: End, ignoreNulls: boolean, context: EvaluationContext): Aggregator {
  const next = openSequence(context);
  return {
    stateType: entryType(type),
    initial: () => null,
    add(state: SqlValue, value: SqlValue) {
      if ((ignoreNulls && value === null) || (end === 'earliest' && state !== null)) return state;
      return [next(), value];
    },
    merge(left, right) {
      if (left === null) return right;
      if (right === null) return left;
      const leftFirst = (left as Entry)[0] <= (right as Entry)[0];
      return leftFirst === (end === 'earliest') ? left : right;
    },
    result: (state) => (state === null ? null : (state as Entry)[1]),
  };
}

/** The first or last `size` values, in order of arrival. */
function openMany(
  type: SqlType,
  end: End,
  size: SqlValue,
  ignoreNulls: boolean,
  context: EvaluationContext,
): Aggregator {
  if (typeof size !== 'number' || size < 1)
    throw new SqlError('ML_TYPE', `EARLIEST_BY_OFFSET and LATEST_BY_OFFSET keep at least one value`, {
      hint: 'ask for 1 or more',
    });
  const next = openSequence(context);
  return {
    stateType: array(entryType(type)),
    initial: () => [],
    add(state: SqlValue, value: SqlValue) {
      const entries = state as unknown as readonly Entry[];
      if (ignoreNulls && value === null) return state;
      if (entries.length < size) return [...entries, [next(), value]];
      return end === 'earliest' ? state : [...entries.slice(1), [next(), value]];
    },
    merge(left, right) {
      const entries = [...(left as unknown as readonly Entry[]), ...(right as unknown as readonly Entry[])];
      entries.sort((a, b) => a[0] - b[0]);
      return end === 'earliest' ? entries.slice(0, size) : entries.slice(-size);
    },
    result: (state) => (state as unknown as readonly Entry[]).map((entry) => entry[1]),
  };
}

function signatures(end: End): AggregateSignature[] {
  const parameters = [parameter('value', T)];
  const ignoreNulls = parameter('ignoreNulls', BOOLEAN, 'whether nulls are left out; TRUE when not given');
  const size = parameter('n', INTEGER, 'how many values to keep');
  return [
    { parameters, returns: T, open: ([type], _literals, context) => openOne(type!, end, true, context) },
    {
      parameters,
      literals: [ignoreNulls],
      returns: T,
      open: ([type], [ignore], context) => openOne(type!, end, ignore === true, context),
    },
    {
      parameters,
      literals: [size],
      returns: ARRAY_OF_T,
      open: ([type], [n], context) => openMany(type!, end, n!, true, context),
    },
    {
      parameters,
      literals: [size, ignoreNulls],
      returns: ARRAY_OF_T,
      open: ([type], [n, ignore], context) => openMany(type!, end, n!, ignore === true, context),
    },
  ];
}

export const earliestByOffset: AggregateDefinition = {
  name: 'EARLIEST_BY_OFFSET',
  description: 'The value that came first, or the first n. Not over tables.',
  examples: [
    over('X STRING', ["'a'", "'b'", "'c'", 'NULL'], 'EARLIEST_BY_OFFSET(X)', "'a'"),
    over('X STRING', ["'a'", "'b'", "'c'", 'NULL'], 'EARLIEST_BY_OFFSET(X, 2)', "ARRAY['a', 'b']"),
    over('X STRING', ['NULL', "'b'"], 'EARLIEST_BY_OFFSET(X, FALSE)', 'NULL'),
  ],
  signatures: signatures('earliest'),
};

export const latestByOffset: AggregateDefinition = {
  name: 'LATEST_BY_OFFSET',
  description: 'The value that came last, or the last n in order of arrival. Not over tables.',
  examples: [
    over('X STRING', ["'a'", "'b'", "'c'", 'NULL'], 'LATEST_BY_OFFSET(X)', "'c'"),
    over('X STRING', ["'a'", "'b'", "'c'", 'NULL'], 'LATEST_BY_OFFSET(X, 2)', "ARRAY['b', 'c']"),
    over('X STRING', ["'a'", "'b'", "'c'", 'NULL'], 'LATEST_BY_OFFSET(X, FALSE)', 'NULL'),
  ],
  signatures: signatures('latest'),
};
