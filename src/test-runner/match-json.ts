import { JsonNumber, type JsonNode, printJson } from '../types/json-node.ts';
import type { SqlType } from '../types/sql-type.ts';

/**
 * Whether a value is the expected one, by the rules of ksqlDB's test executor: null, or where and how they differ.
 * Integers are compared as such (an expected fraction is cut off); a number with a point as a decimal, value and scale,
 * so that 1.0 is not 1.00; names of fields as they stand, or else in upper case; a field that is missing is null.
 * `exact` false: numbers may differ by a millionth. `type`, as far as it is known, tells doubles: those are compared
 * by value, because Java before 19 writes some with more digits than they need.
 */
export function matchJson(
  expected: JsonNode,
  found: JsonNode,
  exact: boolean,
  type: SqlType | null = null,
  path = '',
): string | null {
  const differ = (): string =>
    `${path === '' ? '' : `${path.slice(1)}: `}expected ${brief(expected)}, found ${brief(found)}`;
  if (expected === null || found === null || typeof expected === 'boolean')
    return expected === found ? null : differ();
  if (expected instanceof JsonNumber)
    return found instanceof JsonNumber && sameNumber(expected, found, exact, type) ? null : differ();
  if (typeof expected === 'string') {
    if (expected === found) return null;
    return found instanceof JsonNumber && !found.isInteger && sameDecimal(expected, found.text)
      ? null
      : differ();
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return differ();
    for (const [i, each] of (expected as readonly JsonNode[]).entries()) {
      const reason = matchJson(
        each,
        (found as readonly JsonNode[])[i]!,
        exact,
        elementType(type),
        `${path}.${i}`,
      );
      if (reason !== null) return reason;
    }
    return null;
  }
  if (!(found instanceof Map)) return differ();
  const fields = expected as ReadonlyMap<string, JsonNode>;
  if (found.size !== fields.size) return differ();
  for (const [name, each] of fields) {
    const key = found.has(name) ? name : name.toUpperCase();
    const value = (found as ReadonlyMap<string, JsonNode>).get(key) ?? null;
    const reason = matchJson(each, value, exact, fieldType(type, key), `${path}.${name}`);
    if (reason !== null) return reason;
  }
  return null;
}

function elementType(type: SqlType | null): SqlType | null {
  return type?.kind === 'array' ? type.element : null;
}

function fieldType(type: SqlType | null, name: string): SqlType | null {
  if (type?.kind === 'map') return type.value;
  return type?.kind === 'struct' ? (type.fields.find((field) => field.name === name)?.type ?? null) : null;
}

function sameNumber(expected: JsonNumber, found: JsonNumber, exact: boolean, type: SqlType | null): boolean {
  if (type?.kind === 'double' && Number(expected.text) === Number(found.text)) return !found.isInteger;
  if (!exact) return Math.abs(Number(expected.text) - Number(found.text)) < 1e-6;
  if (found.isInteger) return wholePart(expected.text) === BigInt(found.text);
  if (!expected.isInteger) return sameDecimal(expected.text, found.text);
  const { unscaled, scale } = decimalOf(found.text)!;
  return scale <= 0 && unscaled * 10n ** BigInt(-scale) === BigInt(expected.text);
}

function sameDecimal(expected: string, found: string): boolean {
  const left = decimalOf(expected);
  const right = decimalOf(found);
  return left !== null && right !== null && left.unscaled === right.unscaled && left.scale === right.scale;
}

function wholePart(text: string): bigint {
  const { unscaled, scale } = decimalOf(text)!;
  return scale <= 0 ? unscaled * 10n ** BigInt(-scale) : unscaled / 10n ** BigInt(scale);
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** The digits and the scale that a number's text has, as Java's BigDecimal reads it. */
function decimalOf(text: string): { unscaled: bigint; scale: number } | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const unscaled = BigInt(`${whole}${fraction}`);
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale: fraction.length - Number(exponent) };
}

/** One line, not too long. */
export function brief(node: JsonNode): string {
  const text = printJson(node);
  return text.length <= 160 ? text : `${text.slice(0, 157)}...`;
}
