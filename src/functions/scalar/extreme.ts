import { openOrder } from '../../types/compare-values.ts';
import { commonTypeOf } from '../../types/implicit-cast.ts';
import { BIGINT, BYTES, DATE, DOUBLE, INTEGER, STRING, TIME, TIMESTAMP } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ParameterType, ScalarFunction, ScalarSignature } from '../function.ts';
import { ANY_DECIMAL, parameter, scalars, variadic } from '../signature.ts';

/**
 * GREATEST (sign 1) and LEAST (sign -1): the extreme of the arguments that are not null. A DECIMAL comes out as it went
 * in, with its own digits after the point, as in ksqlDB; only the type of the result is as wide as all arguments.
 */
function extreme(type: ParameterType, sign: 1 | -1): ScalarSignature {
  return {
    parameters: [parameter('first', type), variadic('others', type)],
    returns: type.kind === 'any-decimal' ? (args) => commonTypeOf(args)! : type,
    open(_args, returns) {
      const order = openOrder(returns);
      return (...values: SqlValue[]) => {
        let best: SqlValue = null;
        for (const value of values)
          if (value !== null && (best === null || order(value, best) * sign > 0)) best = value;
        return best;
      };
    },
  };
}

const TYPES: readonly ParameterType[] = [
  INTEGER,
  BIGINT,
  DOUBLE,
  STRING,
  BYTES,
  DATE,
  TIME,
  TIMESTAMP,
  ANY_DECIMAL,
];

export const extremeFunctions: readonly ScalarFunction[] = scalars('MATHEMATICAL', [
  {
    name: 'GREATEST',
    description:
      'The largest argument. Nulls are left out; null only if all are. Strings compare by UTF-16 units.',
    examples: [['GREATEST(3, 7, 5)', '7']],
    nulls: 'handled',
    signatures: TYPES.map((type) => extreme(type, 1)),
  },
  {
    name: 'LEAST',
    description:
      'The smallest argument. Nulls are left out; null only if all are. Strings compare by UTF-16 units.',
    examples: [['LEAST(3, 7, 5)', '3']],
    nulls: 'handled',
    signatures: TYPES.map((type) => extreme(type, -1)),
  },
]);
