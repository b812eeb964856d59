import { DataError, SqlError } from '../../common/error.ts';
import { addBigint, subBigint, type Bigint } from '../../types/bigint.ts';
import { Decimal } from '../../types/decimal.ts';
import { printType } from '../../types/print-type.ts';
import { array, BIGINT, DOUBLE, INTEGER, type DecimalType, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { AggregateDefinition, Aggregator } from '../function.ts';
import { ANY_DECIMAL, over, parameter } from '../signature.ts';

type Operation = (a: SqlValue, b: SqlValue) => SqlValue;

interface Arithmetic {
  readonly zero: SqlValue;
  readonly add: Operation;
  readonly sub: Operation;
}

/** Sums in the type itself: whole numbers wrap as ksqlDB's do, a DECIMAL that does not fit raises `SqlError` ML_DATA. */
export function openArithmetic(type: SqlType): Arithmetic {
  switch (type.kind) {
    case 'integer':
      return {
        zero: 0,
        add: (a, b) => ((a as number) + (b as number)) | 0,
        sub: (a, b) => ((a as number) - (b as number)) | 0,
      };
    case 'bigint':
      return {
        zero: 0,
        add: (a, b) => addBigint(a as Bigint, b as Bigint),
        sub: (a, b) => subBigint(a as Bigint, b as Bigint),
      };
    case 'decimal': {
      return {
        zero: new Decimal(0n, (type as DecimalType).scale),
        add: (a, b) => asTotal((a as Decimal).add(b as Decimal), type as DecimalType),
        sub: (a, b) => asTotal((a as Decimal).sub(b as Decimal), type as DecimalType),
      };
    }
    default:
      return {
        zero: 0,
        add: (a, b) => (a as number) + (b as number),
        sub: (a, b) => (a as number) - (b as number),
      };
  }
}

/** Without the record that outgrows it every later total would be wrong, so this stops the query, as in ksqlDB. */
function asTotal(exact: Decimal, type: DecimalType): Decimal {
  try {
    return exact.withType(type.precision, type.scale);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new SqlError('ML_DATA', `a total of ${exact.toString()} does not fit in ${printType(type)}`, {
      hint: 'CAST what is added up to a wider DECIMAL',
    });
  }
}

function openSum(type: SqlType): Aggregator {
  const { zero, add, sub } = openArithmetic(type);
  return {
    stateType: type,
    initial: () => zero,
    add: (state: SqlValue, value: SqlValue) => (value === null ? state : add(state, value)),
    undo: (state: SqlValue, value: SqlValue) => (value === null ? state : sub(state, value)),
    merge: add,
    result: (state) => state,
  };
}

function openSumList(element: SqlType): Aggregator {
  const { zero, add, sub } = openArithmetic(element);
  const over =
    (step: Operation) =>
    (state: SqlValue, list: SqlValue): SqlValue => {
      if (list === null) return state;
      let total = state;
      for (const item of list as readonly SqlValue[]) if (item !== null) total = step(total, item);
      return total;
    };
  return {
    stateType: element,
    initial: () => zero,
    add: over(add),
    undo: over(sub),
    merge: add,
    result: (state) => state,
  };
}

export const sum: AggregateDefinition = {
  name: 'SUM',
  description: 'The sum of the values that are not null, in their type; 0 if there are none.',
  examples: [
    over('X INTEGER', ['1', '2', 'NULL'], 'SUM(X)', '3'),
    over('X DECIMAL(4, 2)', ['1.50', '2.25'], 'SUM(X)', '3.75'),
  ],
  signatures: [
    ...[INTEGER, BIGINT, DOUBLE].map((type) => ({
      parameters: [parameter('value', type)],
      returns: type,
      open: () => openSum(type),
    })),
    {
      parameters: [parameter('value', ANY_DECIMAL)],
      returns: ([type]) => type!,
      open: ([type]) => openSum(type!),
    },
  ],
};

export const sumList: AggregateDefinition = {
  name: 'SUM_LIST',
  description: 'The sum of all items, that are not null, of all arrays.',
  examples: [over('X ARRAY<INTEGER>', ['ARRAY[1, 2]', 'ARRAY[3, NULL]', 'NULL'], 'SUM_LIST(X)', '6')],
  signatures: [INTEGER, BIGINT, DOUBLE].map((type) => ({
    parameters: [parameter('list', array(type))],
    returns: type,
    open: () => openSumList(type),
  })),
};
