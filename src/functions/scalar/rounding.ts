import { Decimal, powerOfTen } from '../../types/decimal.ts';

/**
 * Rounds to `places` digits after the point, ties toward positive infinity (2.5 is 3, -2.5 is -2), as Java's
 * `Math.round` does. Negative places round before the point and give scale 0.
 */
export function roundDecimal(value: Decimal, places: number): Decimal {
  if (places >= value.scale) return value;
  if (isBeyond(value, places)) return atPlaces(0n, places);
  const unit = powerOfTen(value.scale - places);
  return atPlaces(floorDivide(2n * value.unscaled + unit, 2n * unit), places);
}

/** Cuts off after `places` digits after the point. Negative places cut before the point and give scale 0. */
export function truncateDecimal(value: Decimal, places: number): Decimal {
  if (places >= value.scale) return value;
  if (isBeyond(value, places)) return atPlaces(0n, places);
  return atPlaces(value.unscaled / powerOfTen(value.scale - places), places);
}

/** Whether the place is further left than all digits: its power of ten may be too large to be reckoned. */
function isBeyond(value: Decimal, places: number): boolean {
  return value.scale - places > value.precision + 1;
}

function atPlaces(unscaled: bigint, places: number): Decimal {
  if (unscaled === 0n) return new Decimal(0n, Math.max(places, 0));
  return places >= 0 ? new Decimal(unscaled, places) : new Decimal(unscaled * powerOfTen(-places), 0);
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}
