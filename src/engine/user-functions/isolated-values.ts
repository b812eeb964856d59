import { DataError } from '../../common/error.ts';

/**
 * Values as users' code sees them, and how they cross into an interpreter: plain ones as they are, the others as JSON
 * text. There a number that JSON has not is `{n}`, a bigint `{i}`, bytes `{b}`, a Map `{m}`, an object `{o}` with its
 * entries. What comes back is the work of a stranger, who may have made the text as well: it is held to its form.
 */

/** Levels of lists, maps and objects that a result may have. */
export const DEPTH_MAX = 200;
/** Decimal digits that a bigint may have: reading more of them takes ever longer. */
export const DIGITS_MAX = 1000;
/** Rows that one call of a function of rows may give. */
export const ROWS_MAX = 100_000;

const UNUSABLE = 'it gave nothing that can be used';

/** The first word of an argument's place. Its second is a text's length, its second number a number. */
export const PLAIN = { null: 0, number: 1, text: 2, false: 3, true: 4 } as const;
/** Arguments that may cross plain, in places of 16 bytes behind `PLAIN_START`; texts follow. */
const PLAIN_MAX = 8;
export const PLAIN_START = 16;
const PLACE_BYTES = 16;

/** The memory that arguments are written to. */
export interface Memory {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
}

/** Writes plain arguments, and returns where they end; -1 when one of them is not plain or there is no room. */
export function writePlain({ bytes, words, numbers }: Memory, args: readonly unknown[]): number {
  if (args.length > PLAIN_MAX) return -1;
  let end = PLAIN_START + args.length * PLACE_BYTES;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const place = PLAIN_START + i * PLACE_BYTES;
    if (typeof arg === 'number') {
      words[place >> 2] = PLAIN.number;
      numbers[(place >> 3) + 1] = arg;
    } else if (typeof arg === 'string') {
      // An interpreter takes texts up to their first NUL, and whole characters only: JSON has escapes for both.
      if (arg.length * 3 > bytes.length - end || /[\0\ud800-\udfff]/.test(arg)) return -1;
      const length = bytes.write(arg, end);
      words[place >> 2] = PLAIN.text;
      words[(place >> 2) + 1] = length;
      end += length;
    } else if (arg === null || typeof arg === 'boolean') {
      words[place >> 2] = arg === null ? PLAIN.null : arg ? PLAIN.true : PLAIN.false;
    } else {
      return -1;
    }
  }
  return end;
}

/** Arguments as JSON text. */
export function encodeIsolated(args: readonly unknown[]): string {
  return JSON.stringify(args.map(encode));
}

/** Throws `DataError` for a text that no value is written as. */
export function decodeIsolated(text: string): unknown {
  try {
    return decode(JSON.parse(text) as Coded, 0);
  } catch (error) {
    throw error instanceof DataError ? error : new DataError(UNUSABLE);
  }
}

type Coded = null | boolean | number | string | readonly Coded[] | { readonly [tag: string]: Coded };

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

function decode(value: Coded, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth > DEPTH_MAX) throw new DataError(`its result has more than ${DEPTH_MAX} levels`);
  if (isList(value)) return value.map((item) => decode(item, depth + 1));
  if ('n' in value) return Number(textIn(value['n']));
  if ('i' in value) return toBigint(textIn(value['i']));
  if ('b' in value) return toBytes(listIn(value['b']));
  if ('m' in value)
    return new Map(pairs(value['m']).map(([key, item]) => [decode(key, depth + 1), decode(item, depth + 1)]));
  return Object.fromEntries(pairs(value['o']).map(([key, item]) => [textIn(key), decode(item, depth + 1)]));
}

function toBigint(digits: string): bigint {
  if (digits.length > DIGITS_MAX + 1) throw new DataError(`a bigint of more than ${DIGITS_MAX} digits`);
  return BigInt(digits);
}

function toBytes(values: readonly Coded[]): Uint8Array {
  return Uint8Array.from(values, (value) => (typeof value === 'number' ? value : malformed()));
}

/** Nothing is converted or iterated that only looks like what stands there: it may say any length. */
function textIn(value: Coded | undefined): string {
  return typeof value === 'string' ? value : malformed();
}

function listIn(value: Coded | undefined): readonly Coded[] {
  return Array.isArray(value) ? (value as readonly Coded[]) : malformed();
}

function pairs(value: Coded | undefined): readonly (readonly [Coded, Coded])[] {
  const list = listIn(value);
  for (const pair of list) if (listIn(pair).length !== 2) malformed();
  return list as readonly (readonly [Coded, Coded])[];
}

function malformed(): never {
  throw new DataError(UNUSABLE);
}

function isList(value: Coded): value is readonly Coded[] {
  return Array.isArray(value);
}
