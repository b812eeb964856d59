import { DataError } from '../../common/error.ts';
import { toBigint } from '../../types/bigint.ts';
import { BIGINT, BYTES, DOUBLE, INTEGER, STRING, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction } from '../function.ts';
import { checked, fixed, parameter, type ScalarDefinition, scalars } from '../signature.ts';

function isLittleEndian(order: string): boolean {
  const upper = order.toUpperCase();
  if (upper === 'BIG_ENDIAN') return false;
  if (upper === 'LITTLE_ENDIAN') return true;
  throw new DataError(`${JSON.stringify(order)} is not a byte order (BIG_ENDIAN or LITTLE_ENDIAN)`);
}

function fromBytes(
  name: string,
  returns: SqlType,
  size: number,
  read: (view: DataView, littleEndian: boolean) => SqlValue,
  example: readonly [string, string],
): ScalarDefinition {
  const evaluate = (bytes: Uint8Array, order = 'BIG_ENDIAN'): SqlValue => {
    if (bytes.length !== size) throw new DataError(`${name} needs ${size} bytes, not ${bytes.length}`);
    return read(new DataView(bytes.buffer, bytes.byteOffset, size), isLittleEndian(order));
  };
  return {
    name,
    description: `The number that ${size} bytes stand for. The order is BIG_ENDIAN when not given, or LITTLE_ENDIAN.`,
    examples: [example],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('value', BYTES)], returns, evaluate),
      fixed(
        [parameter('value', BYTES), checked(parameter('order', STRING), isLittleEndian)],
        returns,
        evaluate,
      ),
    ],
  };
}

export const bytesFunctions: readonly ScalarFunction[] = scalars('CONVERSIONS', [
  fromBytes('BIGINT_FROM_BYTES', BIGINT, 8, (view, little) => toBigint(view.getBigInt64(0, little)), [
    "BIGINT_FROM_BYTES(TO_BYTES('AAAAASoF8gA=', 'base64'))",
    '5000000000',
  ]),
  fromBytes('DOUBLE_FROM_BYTES', DOUBLE, 8, (view, little) => view.getFloat64(0, little), [
    "DOUBLE_FROM_BYTES(TO_BYTES('3ff8000000000000', 'hex'))",
    '1.5E0',
  ]),
  fromBytes('INT_FROM_BYTES', INTEGER, 4, (view, little) => view.getInt32(0, little), [
    "INT_FROM_BYTES(TO_BYTES('AAAH5Q==', 'base64'))",
    '2021',
  ]),
]);
