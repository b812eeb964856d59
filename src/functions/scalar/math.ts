import { doubleToBigint, negateBigint, type Bigint } from '../../types/bigint.ts';
import { Decimal } from '../../types/decimal.ts';
import { BIGINT, decimal, DOUBLE, INTEGER, type DecimalType, type SqlType } from '../../types/sql-type.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { ANY_DECIMAL, fixed, parameter, type ScalarDefinition, scalars } from '../signature.ts';
import { cubeRoot } from './cube-root.ts';
import { exponential, power } from './exponential.ts';
import { naturalLog } from './natural-log.ts';
import { roundDecimal, truncateDecimal } from './rounding.ts';

/** Java multiplies by these doubles, which differs from dividing and multiplying in the last digit. */
const DEGREES_PER_RADIAN = 57.29577951308232;
const RADIANS_PER_DEGREE = 0.017453292519943295;

/** A function of one number that gives a DOUBLE, with an overload for each type that is not DECIMAL. */
function ofDouble(
  name: string,
  description: string,
  evaluate: (x: number) => number,
  examples: ScalarFunction['examples'],
): ScalarDefinition {
  const wide = (x: Bigint): number => evaluate(Number(x));
  return {
    name,
    description,
    examples,
    nulls: 'propagate',
    signatures: [
      fixed([parameter('value', INTEGER)], DOUBLE, evaluate),
      fixed([parameter('value', BIGINT)], DOUBLE, wide),
      fixed([parameter('value', DOUBLE)], DOUBLE, evaluate),
    ],
  };
}

/** The same for two numbers. */
function ofDoubles(
  names: readonly [string, string],
  evaluate: (a: number, b: number) => number,
): ScalarSignature[] {
  const parameters = (type: SqlType) => names.map((name) => parameter(name, type));
  return [
    fixed(parameters(INTEGER), DOUBLE, evaluate),
    fixed(parameters(BIGINT), DOUBLE, (a: Bigint, b: Bigint) => evaluate(Number(a), Number(b))),
    fixed(parameters(DOUBLE), DOUBLE, evaluate),
  ];
}

/** Gives the argument's own type, also for DECIMAL, whose scale it keeps. */
function keepingType(
  integer: (x: number) => number,
  bigint: (x: Bigint) => Bigint,
  double: (x: number) => number,
  exact: (x: Decimal) => Decimal,
): ScalarSignature[] {
  return [
    fixed([parameter('value', INTEGER)], INTEGER, integer),
    fixed([parameter('value', BIGINT)], BIGINT, bigint),
    fixed([parameter('value', DOUBLE)], DOUBLE, double),
    {
      parameters: [parameter('value', ANY_DECIMAL)],
      returns: ([type]) => type!,
      open: () => (x: Decimal) => exact(x).setScale(x.scale),
    },
  ];
}

/** The rules that ROUND and TRUNC share: without places a whole number, with places the argument's own type. */
function rounding(
  whole: (x: number) => number,
  toPlaces: (value: Decimal, places: number) => Decimal,
): ScalarSignature[] {
  const identity = <V>(x: V): V => x;
  return [
    fixed([parameter('value', BIGINT)], BIGINT, identity),
    fixed([parameter('value', INTEGER)], BIGINT, identity),
    fixed([parameter('value', DOUBLE)], BIGINT, (x: number) => doubleToBigint(whole(x))),
    fixed([parameter('value', DOUBLE), parameter('places', INTEGER)], DOUBLE, (x: number, places: number) =>
      // The shortest decimal text of the double is what gets rounded, so that 1.005 to two places is 1.01.
      toPlaces(Decimal.parse(String(x)), places).toNumber(),
    ),
    {
      parameters: [parameter('value', ANY_DECIMAL)],
      returns: ([type]) => {
        const { precision, scale } = type as DecimalType;
        return decimal(Math.max(1, precision - scale), 0);
      },
      open: () => (x: Decimal) => toPlaces(x, 0),
    },
    {
      parameters: [parameter('value', ANY_DECIMAL), parameter('places', INTEGER)],
      returns: ([type]) => type!,
      open: () => (x: Decimal, places: number) => toPlaces(x, places).setScale(x.scale),
    },
  ];
}

function logarithm(base: number, value: number): number {
  return base <= 0 || base === 1 ? Number.NaN : naturalLog(value) / naturalLog(base);
}

export const mathFunctions: readonly ScalarFunction[] = scalars('MATHEMATICAL', [
  {
    name: 'ABS',
    description: 'The absolute value. The smallest INTEGER and BIGINT have none and stay negative.',
    examples: [
      ['ABS(-5)', '5'],
      ['ABS(-1.50)', '1.50'],
    ],
    nulls: 'propagate',
    signatures: keepingType(
      (x) => Math.abs(x) | 0,
      (x) => (x < 0 ? negateBigint(x) : x),
      Math.abs,
      (x) => x.abs(),
    ),
  },
  ofDouble('ACOS', 'The angle in radians whose cosine is the value; NaN outside -1 to 1.', Math.acos, [
    ['ACOS(1)', '0E0'],
  ]),
  ofDouble('ASIN', 'The angle in radians whose sine is the value; NaN outside -1 to 1.', Math.asin, [
    ['ASIN(0)', '0E0'],
  ]),
  ofDouble('ATAN', 'The angle in radians whose tangent is the value.', Math.atan, [['ATAN(0)', '0E0']]),
  {
    name: 'ATAN2',
    description:
      'The angle in radians of the point (x, y), seen from the origin. The arguments are y, then x.',
    examples: [['ATAN2(0, 1)', '0E0']],
    nulls: 'propagate',
    signatures: ofDoubles(['y', 'x'], Math.atan2),
  },
  ofDouble('CBRT', 'The cube root.', cubeRoot, [['CBRT(27)', '3E0']]),
  {
    name: 'CEIL',
    description: 'The smallest whole number that is not less than the value, in the type of the value.',
    examples: [['CEIL(1.2)', '2.0']],
    nulls: 'propagate',
    signatures: keepingType(
      (x) => x,
      (x) => x,
      Math.ceil,
      (x) => x.ceil(),
    ),
  },
  ofDouble('COS', 'The cosine of an angle in radians.', Math.cos, [['COS(0)', '1E0']]),
  ofDouble('COSH', 'The hyperbolic cosine.', Math.cosh, [['COSH(0)', '1E0']]),
  ofDouble('COT', 'The cotangent of an angle in radians.', (x) => 1 / Math.tan(x), [
    ['ROUND(COT(1), 2)', '0.64E0'],
  ]),
  ofDouble('DEGREES', 'Turns radians into degrees.', (x) => x * DEGREES_PER_RADIAN, [
    ['DEGREES(PI())', '180E0'],
  ]),
  ofDouble('EXP', 'Euler’s number raised to the value.', exponential, [['EXP(0)', '1E0']]),
  {
    name: 'FLOOR',
    description: 'The largest whole number that is not greater than the value, in the type of the value.',
    examples: [['FLOOR(1.8)', '1.0']],
    nulls: 'propagate',
    signatures: keepingType(
      (x) => x,
      (x) => x,
      Math.floor,
      (x) => x.floor(),
    ),
  },
  ofDouble('LN', 'The natural logarithm: -Infinity for 0, NaN below.', naturalLog, [['LN(1)', '0E0']]),
  {
    name: 'LOG',
    description:
      'With one argument the natural logarithm. With two the logarithm of the second to the base of the first; NaN for a base that is not positive or is 1.',
    examples: [['LOG(2, 8)', '3E0']],
    nulls: 'propagate',
    signatures: [
      ...ofDouble('LOG', '', naturalLog, []).signatures,
      ...ofDoubles(['base', 'value'], logarithm),
    ],
  },
  {
    name: 'PI',
    description: 'The ratio of a circle’s circumference to its diameter.',
    examples: [['ROUND(PI(), 4)', '3.1416E0']],
    nulls: 'propagate',
    signatures: [fixed([], DOUBLE, () => Math.PI)],
  },
  {
    name: 'POWER',
    description: 'The first argument raised to the second.',
    examples: [['POWER(2, 10)', '1024E0']],
    nulls: 'propagate',
    signatures: ofDoubles(['base', 'exponent'], power),
  },
  ofDouble('RADIANS', 'Turns degrees into radians.', (x) => x * RADIANS_PER_DEGREE, [['RADIANS(0)', '0E0']]),
  {
    name: 'RANDOM',
    description: 'A random number from 0 (inclusive) to 1 (exclusive), another one for each call.',
    examples: [['RANDOM() < 1', 'TRUE']],
    nulls: 'propagate',
    volatile: true,
    signatures: [
      { parameters: [], returns: DOUBLE, open: (_args, _returns, context) => () => context.random() },
    ],
  },
  {
    name: 'ROUND',
    description:
      'Rounds to the nearest whole number, or to a number of places after the point (before it, if negative). Ties go up: 2.5 becomes 3, -2.5 becomes -2.',
    examples: [
      ['ROUND(2.5)', '3'],
      ['ROUND(-2.5)', '-2'],
      ['ROUND(12.345, 2)', '12.350'],
    ],
    nulls: 'propagate',
    signatures: rounding(Math.round, roundDecimal),
  },
  {
    name: 'SIGN',
    description: '-1 for negative values, 1 for positive ones, 0 for zero.',
    examples: [['SIGN(-3)', '-1']],
    nulls: 'propagate',
    signatures: [INTEGER, BIGINT, DOUBLE].map((type) =>
      fixed([parameter('value', type)], INTEGER, (x: Bigint) => (x > 0 ? 1 : x < 0 ? -1 : 0)),
    ),
  },
  ofDouble('SIN', 'The sine of an angle in radians.', Math.sin, [['SIN(0)', '0E0']]),
  ofDouble('SINH', 'The hyperbolic sine.', Math.sinh, [['SINH(0)', '0E0']]),
  ofDouble('SQRT', 'The square root; NaN for negative values.', Math.sqrt, [['SQRT(16)', '4E0']]),
  ofDouble('TAN', 'The tangent of an angle in radians.', Math.tan, [['TAN(0)', '0E0']]),
  ofDouble('TANH', 'The hyperbolic tangent.', Math.tanh, [['TANH(0)', '0E0']]),
  {
    name: 'TRUNC',
    description:
      'Cuts off the fraction, or everything after a number of places after the point (before it, if negative).',
    examples: [
      ['TRUNC(2.9)', '2'],
      ['TRUNC(-2.9)', '-2'],
      ['TRUNC(12.349, 2)', '12.340'],
    ],
    nulls: 'propagate',
    signatures: rounding(Math.trunc, truncateDecimal),
  },
]);
