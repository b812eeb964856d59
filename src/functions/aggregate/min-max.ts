import { openOrder } from '../../types/compare-values.ts';
import {
  BIGINT,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type SqlType,
} from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, AggregateSignature, Aggregator } from '../function.ts';
import { ANY_DECIMAL, over, parameter } from '../signature.ts';

/** Types of which values can be compared by `<` on the carrier itself. NaN of a DOUBLE cannot. */
const PLAIN = new Set(['integer', 'bigint', 'string', 'date', 'time', 'timestamp']);

function openExtreme(type: SqlType, sign: 1 | -1): Aggregator {
  const order = openOrder(type);
  const pick = (state: SqlValue, value: SqlValue): SqlValue => {
    if (value === null) return state;
    if (state === null) return value;
    return order(value, state) * sign > 0 ? value : state;
  };
  const pickLess = (state: SqlValue, value: SqlValue): SqlValue =>
    value !== null && (state === null || (value as number) < (state as number)) ? value : state;
  const pickGreater = (state: SqlValue, value: SqlValue): SqlValue =>
    value !== null && (state === null || (value as number) > (state as number)) ? value : state;
  const add = PLAIN.has(type.kind) ? (sign === 1 ? pickGreater : pickLess) : pick;
  return { stateType: type, initial: () => null, add, merge: add, result: (state) => state };
}

function signatures(sign: 1 | -1): AggregateSignature[] {
  return [
    ...[INTEGER, BIGINT, DOUBLE, DATE, TIME, TIMESTAMP, STRING, BYTES].map((type) => ({
      parameters: [parameter('value', type)],
      returns: type,
      open: () => openExtreme(type, sign),
    })),
    {
      parameters: [parameter('value', ANY_DECIMAL)],
      returns: ([type]) => type!,
      open: ([type]) => openExtreme(type!, sign),
    },
  ];
}

export const min: AggregateDefinition = {
  name: 'MIN',
  description: 'The smallest value; nulls are left out, and null if there is no other. Not over tables.',
  examples: [
    over('X INTEGER', ['3', '1', 'NULL'], 'MIN(X)', '1'),
    over('X STRING', ["'b'", "'a'"], 'MIN(X)', "'a'"),
  ],
  signatures: signatures(-1),
};

export const max: AggregateDefinition = {
  name: 'MAX',
  description: 'The largest value; nulls are left out, and null if there is no other. Not over tables.',
  examples: [
    over('X INTEGER', ['3', '1', 'NULL'], 'MAX(X)', '3'),
    over('X STRING', ["'b'", "'a'"], 'MAX(X)', "'b'"),
  ],
  signatures: signatures(1),
};
