import { DataError } from '../common/error.ts';

/**
 * An exact decimal number: `unscaled / 10^scale`. Immutable. The scale is part of the value's text (1.0 and 1.00
 * print differently) but not of its order (they compare as equal).
 *
 * Rounding is half up, away from zero, as ksqlDB rounds. Which scale and precision an operation's result has is a matter of types
 * (`decimalResultType` in implicit-cast.ts); `withType` brings a raw result there and checks that it fits.
 */
export class Decimal {
  readonly unscaled: bigint;
  /** Digits after the point, never negative. */
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /**
   * Reads `12`, `-1.50`, `.5`, `1e3`; blanks around it are not accepted. Digits after the point make the scale
   * (trailing zeros count). Throws `DataError` for anything else, and for exponents beyond ±`MAX_EXPONENT`.
   */
  static parse(text: string): Decimal {
    const match = NUMBER.exec(text);
    if (match === null) throw new DataError(`${JSON.stringify(shorten(text))} is not a decimal number`);
    const whole = match[2] ?? '';
    const fraction = match[3] ?? match[4] ?? '';
    if (whole.length + fraction.length > MAX_DIGITS)
      throw new DataError(`a decimal number of ${whole.length + fraction.length} digits is too long`);
    const digits = BigInt(whole + fraction);
    const unscaled = match[1] === '-' ? -digits : digits;
    const exponent = match[5] === undefined ? 0 : Number(match[5]);
    if (Math.abs(exponent) > MAX_EXPONENT)
      throw new DataError(`the exponent of ${shorten(text)} is too large`);
    const scale = fraction.length - exponent;
    return scale >= 0 ? new Decimal(unscaled, scale) : new Decimal(unscaled * powerOfTen(-scale), 0);
  }

  /** A whole number, of scale 0. */
  static fromInteger(value: number | bigint): Decimal {
    return new Decimal(BigInt(value), 0);
  }

  /** The exact binary value of a double (0.1 is 0.1000000000000000055…). Throws `DataError` for NaN and infinities. */
  static fromDouble(value: number): Decimal {
    if (!Number.isFinite(value)) throw new DataError(`${value} cannot be a DECIMAL`);
    if (Number.isInteger(value)) return new Decimal(BigInt(value), 0);
    DOUBLE_VIEW.setFloat64(0, value);
    const bits = DOUBLE_VIEW.getBigUint64(0);
    const biased = Number((bits >> 52n) & 0x7ffn);
    const fraction = bits & 0xf_ffff_ffff_ffffn;
    let mantissa = biased === 0 ? fraction : fraction | 0x10_0000_0000_0000n;
    let exponent = biased === 0 ? -1074 : biased - 1075;
    // Not an integer, so the exponent stays negative while trailing zero bits are removed.
    while ((mantissa & 1n) === 0n) {
      mantissa >>= 1n;
      exponent++;
    }
    const unscaled = mantissa * 5n ** BigInt(-exponent);
    return new Decimal(value < 0 ? -unscaled : unscaled, -exponent);
  }

  /** Digits of the unscaled value without sign: at least 1. */
  get precision(): number {
    return digitCount(this.unscaled);
  }

  /** Plain text without exponent, with exactly `scale` digits after the point. */
  toString(): string {
    const { unscaled, scale } = this;
    if (scale === 0) return unscaled.toString();
    const negative = unscaled < 0n;
    const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
    const point = digits.length - scale;
    return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
  }

  /** The nearest double. */
  toNumber(): number {
    return Number(this.toString());
  }

  /** The whole part, truncated toward zero. */
  toBigInt(): bigint {
    return this.unscaled / powerOfTen(this.scale);
  }

  /** Exact; the scale is the larger one. */
  add(other: Decimal): Decimal {
    if (this.scale === other.scale) return new Decimal(this.unscaled + other.unscaled, this.scale);
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.unscaledAt(scale) + other.unscaledAt(scale), scale);
  }

  /** Exact; the scale is the larger one. */
  sub(other: Decimal): Decimal {
    if (this.scale === other.scale) return new Decimal(this.unscaled - other.unscaled, this.scale);
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.unscaledAt(scale) - other.unscaledAt(scale), scale);
  }

  /** Exact; the scales add up. */
  mul(other: Decimal): Decimal {
    return new Decimal(this.unscaled * other.unscaled, this.scale + other.scale);
  }

  /** The quotient rounded half up to `scale` digits after the point. Throws `DataError` when `other` is zero. */
  div(other: Decimal, scale: number): Decimal {
    if (other.unscaled === 0n) throw new DataError('division by zero');
    const shift = scale + other.scale - this.scale;
    return shift >= 0
      ? new Decimal(divideHalfUp(this.unscaled * powerOfTen(shift), other.unscaled), scale)
      : new Decimal(divideHalfUp(this.unscaled, other.unscaled * powerOfTen(-shift)), scale);
  }

  /** The remainder, with the sign of this; the scale is the larger one. Throws `DataError` when `other` is zero. */
  mod(other: Decimal): Decimal {
    if (other.unscaled === 0n) throw new DataError('division by zero');
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.unscaledAt(scale) % other.unscaledAt(scale), scale);
  }

  negate(): Decimal {
    return new Decimal(-this.unscaled, this.scale);
  }

  abs(): Decimal {
    return this.unscaled < 0n ? this.negate() : this;
  }

  sign(): -1 | 0 | 1 {
    return this.unscaled < 0n ? -1 : this.unscaled > 0n ? 1 : 0;
  }

  /** Toward negative infinity, of scale 0. */
  floor(): Decimal {
    const whole = this.toBigInt();
    return new Decimal(
      this.unscaled < 0n && whole * powerOfTen(this.scale) !== this.unscaled ? whole - 1n : whole,
      0,
    );
  }

  /** Toward positive infinity, of scale 0. */
  ceil(): Decimal {
    return this.negate().floor().negate();
  }

  /** Negative, zero or positive, by numeric value: 1.0 and 1.00 are equal. */
  compare(other: Decimal): number {
    if (this.scale === other.scale)
      return this.unscaled < other.unscaled ? -1 : this.unscaled > other.unscaled ? 1 : 0;
    const scale = Math.max(this.scale, other.scale);
    const left = this.unscaledAt(scale);
    const right = other.unscaledAt(scale);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  /** Same numeric value. */
  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  /** Rounded half up, or padded with zeros, to `scale` digits after the point. A negative scale rounds before it. */
  setScale(scale: number): Decimal {
    if (scale === this.scale) return this;
    if (scale > this.scale) return new Decimal(this.unscaledAt(scale), scale);
    const rounded = divideHalfUp(this.unscaled, powerOfTen(this.scale - scale));
    return scale >= 0 ? new Decimal(rounded, scale) : new Decimal(rounded * powerOfTen(-scale), 0);
  }

  /** Rounded half up to `digits` significant digits. */
  setPrecision(digits: number): Decimal {
    const excess = this.precision - digits;
    if (excess <= 0) return this;
    const target = this.scale - excess;
    const rounded = this.setScale(target);
    // 9.96 became 10.0, which has a digit too many; only a zero falls off.
    return target > 0 && rounded.precision > digits ? rounded.setScale(target - 1) : rounded;
  }

  /** Whether DECIMAL(precision, scale) holds the value without rounding. */
  fits(precision: number, scale: number): boolean {
    if (this.scale <= scale) return digitCount(this.unscaledAt(scale)) <= precision;
    const rounded = this.setScale(scale);
    return rounded.equals(this) && rounded.precision <= precision;
  }

  /** The value as DECIMAL(precision, scale), rounded half up. Throws `DataError` when its whole part is too long. */
  withType(precision: number, scale: number): Decimal {
    const result = this.setScale(scale);
    if (!isShorter(result.unscaled, precision))
      throw new DataError(
        `numeric overflow: ${this.toString()} does not fit in DECIMAL(${precision}, ${scale})`,
      );
    return result;
  }

  private unscaledAt(scale: number): bigint {
    return scale === this.scale ? this.unscaled : this.unscaled * powerOfTen(scale - this.scale);
  }
}

/** Exponents beyond this would make numbers of that many digits from a few bytes of input. */
const MAX_EXPONENT = 10_000;
const MAX_DIGITS = 100_000;

const NUMBER = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;

const DOUBLE_VIEW = new DataView(new ArrayBuffer(8));

const POWERS: bigint[] = Array.from({ length: 80 }, (_, exponent) => 10n ** BigInt(exponent));

/** 10^exponent, for exponents from 0. */
export function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

function isShorter(unscaled: bigint, precision: number): boolean {
  const limit = powerOfTen(precision);
  return unscaled < limit && -unscaled < limit;
}

function digitCount(unscaled: bigint): number {
  return (unscaled < 0n ? -unscaled : unscaled).toString().length;
}

function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  if (rest === 0n) return quotient;
  const twice = rest < 0n ? -rest * 2n : rest * 2n;
  if (twice < (divisor < 0n ? -divisor : divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
