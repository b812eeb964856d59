/**
 * Values as users' code sees them, as JSON text and back: how they cross into an isolated context. A number that JSON
 * has not is `{n}`, a bigint `{i}`, bytes `{b}`, a Map `{m}`, an object `{o}` with its entries.
 */

type Coded = null | boolean | number | string | readonly Coded[] | { readonly [tag: string]: Coded };

export function encodeIsolated(value: unknown): string {
  return JSON.stringify(encode(value));
}

export function decodeIsolated(text: string): unknown {
  return decode(JSON.parse(text) as Coded);
}

function encode(value: unknown): Coded {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { n: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { i: String(value) };
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(encode);
      if (value instanceof Uint8Array) return { b: [...value] };
      if (value instanceof Map) return { m: [...value].map(([key, item]) => [encode(key), encode(item)]) };
      return { o: Object.entries(value).map(([key, item]) => [key, encode(item)]) };
    default:
      return null;
  }
}

function decode(value: Coded): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(decode);
  if ('n' in value) return Number(value['n']);
  if ('i' in value) return BigInt(value['i'] as string);
  if ('b' in value) return Uint8Array.from(value['b'] as readonly number[]);
  if ('m' in value) return new Map(pairs(value['m']!).map(([key, item]) => [decode(key), decode(item)]));
  return Object.fromEntries(pairs(value['o']!).map(([key, item]) => [key, decode(item)]));
}

function isList(value: Coded): value is readonly Coded[] {
  return Array.isArray(value);
}

function pairs(value: Coded): readonly (readonly [Coded & string, Coded])[] {
  return value as unknown as readonly (readonly [Coded & string, Coded])[];
}
