/**
 * SQL values as the laws know them, with none of the engine's code: BIGINT is always a bigint, a decimal is its digits,
 * a struct an object. What the engine computes is compared as text (`modelText`).
 */
export type ModelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Fixed
  | readonly ModelValue[]
  | ReadonlyMap<string, ModelValue>
  | { readonly [field: string]: ModelValue };

/** A decimal: `digits / 10 ** scale`. */
export class Fixed {
  readonly digits: bigint;
  readonly scale: number;

  constructor(digits: bigint, scale: number) {
    this.digits = digits;
    this.scale = scale;
  }

  toString(): string {
    const text = String(this.digits < 0n ? -this.digits : this.digits).padStart(this.scale + 1, '0');
    const point = text.length - this.scale;
    const sign = this.digits < 0n ? '-' : '';
    return `${sign}${text.slice(0, point)}${this.scale === 0 ? '' : `.${text.slice(point)}`}`;
  }
}

/** Evaluation went wrong: the item is null, the row does not pass. */
export class Raised extends Error {}

/** One text a value; as `textOf` of the runner makes it of the engine's values. */
export function modelText(value: ModelValue): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (value instanceof Fixed) return `d${value.toString()}`;
  if (value instanceof Map)
    return `{${[...(value as ReadonlyMap<string, ModelValue>)]
      .map(([key, item]) => `${JSON.stringify(key)}:${modelText(item)}`)
      .toSorted()
      .join(',')}}`;
  if (Array.isArray(value)) return `[${(value as readonly ModelValue[]).map(modelText).join(',')}]`;
  return `[${Object.values(value as Record<string, ModelValue>)
    .map(modelText)
    .join(',')}]`;
}

/** As the JSON format writes it. */
export function jsonText(value: ModelValue): string {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Fixed) return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly ModelValue[]).map(jsonText).join(',')}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${(entries as [string, ModelValue][]).map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`).join(',')}}`;
}

/** Java's `Double.toString`. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (size === 0 || (size >= 1e-3 && size < 1e7))
    return `${sign}${size}${Number.isInteger(size) ? '.0' : ''}`;
  const [digits, exponent] = size.toExponential().split('e') as [string, string];
  return `${sign}${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

/** Whether two values of one type are the same, null included. */
export function same(a: ModelValue, b: ModelValue): boolean {
  return modelText(a) === modelText(b) || (a === 0 && b === 0);
}

/** -1, 0, 1 for values of comparable types that are not null; NaN where nothing holds. */
export function compare(a: ModelValue, b: ModelValue): number {
  if (isNumber(a) && isNumber(b)) {
    if (typeof a === 'number' && typeof b === 'number')
      return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
    const [x, y] = [exact(a), exact(b)];
    const scale = Math.max(x.scale, y.scale);
    const difference = rescale(x, scale) - rescale(y, scale);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  if (typeof a === 'boolean' || typeof a === 'string') return a === b ? 0 : a! < b! ? -1 : 1;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Math.sign(Buffer.compare(a, b));
  return same(a, b) ? 0 : Number.NaN;
}

function isNumber(value: ModelValue): value is number | bigint | Fixed {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Fixed;
}

/** Whole numbers and decimals; doubles with a fraction are not mixed with them. */
export function exact(value: number | bigint | Fixed): Fixed {
  return value instanceof Fixed ? value : new Fixed(BigInt(value), 0);
}

export function rescale({ digits, scale }: Fixed, to: number): bigint {
  return digits * 10n ** BigInt(to - scale);
}

/** To DECIMAL(precision, scale), half up. Raises when it does not fit. */
export function fit(value: Fixed, precision: number, scale: number): Fixed {
  let digits = value.digits;
  if (value.scale <= scale) digits *= 10n ** BigInt(scale - value.scale);
  else {
    const unit = 10n ** BigInt(value.scale - scale);
    const size = digits < 0n ? -digits : digits;
    const rounded = size / unit + (2n * (size % unit) >= unit ? 1n : 0n);
    digits = digits < 0n ? -rounded : rounded;
  }
  if ((digits < 0n ? -digits : digits) >= 10n ** BigInt(precision)) throw new Raised('overflow');
  return new Fixed(digits, scale);
}
