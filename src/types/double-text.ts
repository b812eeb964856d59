/**
 * The text of a double as Java's `Double.toString` gives it (JDK 19 and later: the shortest digits that read back
 * as the same value, which JavaScript prints too): plain with at least one digit after the point from 10^-3 up to 10^7,
 * otherwise `d.ddE±n` without a plus sign.
 */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return Number.isInteger(value) ? `${text}.0` : text;
  }
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (!Number.isFinite(value)) return String(value);
  let text = value.toExponential();
  // Java weighs all texts of one or two digits, which differ only where doubles are coarse: 5e-324 is 4.9E-324.
  if (size < 1e-307 && text[size === value ? 1 : 2] === 'e') text = value.toExponential(1);
  const mark = text.indexOf('e');
  const digits = text.slice(0, mark);
  const exponent = text.slice(text[mark + 1] === '+' ? mark + 2 : mark + 1);
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent}`;
}

/**
 * Reads a double as Java's `Double.parseDouble` does, blanks around it allowed: decimal forms, `NaN`, `Infinity`.
 * Undefined for anything else (hexadecimal and `1d` too).
 */
export function parseDouble(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed);
  if (trimmed === 'NaN') return Number.NaN;
  if (trimmed === 'Infinity' || trimmed === '+Infinity') return Number.POSITIVE_INFINITY;
  if (trimmed === '-Infinity') return Number.NEGATIVE_INFINITY;
  return undefined;
}
