import { DataError } from '../../common/error.ts';
import { describeType } from '../../functions/describe.ts';
import type { FunctionRegistry, SqlFunction } from '../../functions/function.ts';
import { Decimal } from '../../types/decimal.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { Expression } from '../expressions/expression.ts';
import type { PlanNode } from './node.ts';
import type { Column } from '../../types/schema.ts';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Writes things that stand in several places of a plan once, and names them by their number from then on. */
export interface PlanWriter {
  type(type: SqlType): number;
  columns(columns: readonly Column[]): number;
  expression(expression: Expression): number;
  node(node: PlanNode): number;
  readonly functions: FunctionRegistry;
}

/** The same by number. Throws `DataError` for a number that was not given yet. */
export interface PlanReader {
  type(at: Json): SqlType;
  columns(at: Json): readonly Column[];
  expression(at: Json): Expression;
  node(at: Json): PlanNode;
  readonly functions: FunctionRegistry;
}

/** How one field is written and read. `owner`: the object that it stands in. Undefined: the field is left out. */
export interface Field<T> {
  write(value: T, writer: PlanWriter, owner: object): Json | undefined;
  /** Throws `DataError` for what `write` does not give. */
  read(json: Json | undefined, reader: PlanReader, owner: JsonObject): T;
}

/** A codec for each field of an object: one that is forgotten does not compile. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

export function wrong(what: string): DataError {
  return new DataError(`a stored plan cannot be read: ${what}`);
}

function expected(what: string, json: Json | undefined): DataError {
  return wrong(`${what} was expected, not ${json === undefined ? 'nothing' : JSON.stringify(json)}`);
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

export const text: Field<string> = {
  write: (value) => value,
  read(json) {
    if (typeof json !== 'string') throw expected('a text', json);
    return json;
  },
};

export const flag: Field<boolean> = {
  write: (value) => value,
  read(json) {
    if (typeof json !== 'boolean') throw expected('true or false', json);
    return json;
  },
};

/** A position, a count, a time in milliseconds. */
export const whole: Field<number> = {
  write: (value) => value,
  read(json) {
    if (typeof json !== 'number' || !Number.isSafeInteger(json)) throw expected('a whole number', json);
    return json;
  },
};

export function oneOf<T extends string>(...names: readonly T[]): Field<T> {
  return {
    write: (value) => value,
    read(json) {
      const found = names.find((name) => name === json);
      if (found === undefined) throw expected(names.join(' or '), json);
      return found;
    },
  };
}

export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    write: (value, writer, owner) => (value === null ? null : field.write(value, writer, owner)),
    read: (json, reader, owner) => (json === null ? null : field.read(json, reader, owner)),
  };
}

export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    write: (value, writer, owner) => (value === undefined ? undefined : field.write(value, writer, owner)),
    read: (json, reader, owner) => (json === undefined ? undefined : field.read(json, reader, owner)),
  };
}

export function list<T>(field: Field<T>): Field<readonly T[]> {
  return {
    write: (values, writer, owner) => values.map((value) => field.write(value, writer, owner)!),
    read(json, reader, owner) {
      if (!Array.isArray(json)) throw expected('a list', json);
      return (json as readonly Json[]).map((each) => field.read(each, reader, owner));
    },
  };
}

export function pair<A, B>(first: Field<A>, second: Field<B>): Field<readonly [A, B]> {
  return {
    write: ([a, b], writer, owner) => [first.write(a, writer, owner)!, second.write(b, writer, owner)!],
    read(json, reader, owner) {
      if (!Array.isArray(json) || json.length !== 2) throw expected('a pair', json);
      const [a, b] = json as unknown as readonly [Json, Json];
      return [first.read(a, reader, owner), second.read(b, reader, owner)];
    },
  };
}

export function record<T extends object>(fields: Fields<T>): Field<T> {
  return {
    write: (value, writer) => writeFields(value, fields, writer),
    read(json, reader) {
      if (!isObject(json)) throw expected('an object', json);
      return readFields(json, fields, reader, []);
    },
  };
}

/** One of several shapes, told apart by `kind`. */
export function union<T extends { readonly kind: string }>(variants: {
  readonly [K in T['kind']]: Fields<Omit<Extract<T, { kind: K }>, 'kind'>>;
}): Field<T> {
  return {
    write: (value, writer) => writeVariant(value, variants, writer),
    read: (json, reader) => readVariant<T>(json, variants, reader),
  };
}

function writeFields(value: object, fields: Fields<object>, writer: PlanWriter): JsonObject {
  const json: Record<string, Json> = {};
  for (const [name, field] of Object.entries(fields as Record<string, Field<unknown>>)) {
    const written = field.write((value as Record<string, unknown>)[name], writer, value);
    if (written !== undefined) json[name] = written;
  }
  return json;
}

/** `others`: names in `json` that are read elsewhere. */
export function readFields<T extends object>(
  json: JsonObject,
  fields: Fields<T>,
  reader: PlanReader,
  others: readonly string[],
): T {
  for (const name of Object.keys(json))
    if (!Object.hasOwn(fields, name) && !others.includes(name)) throw wrong(`${name} is not known here`);
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields as Record<string, Field<unknown>>)) {
    const read = field.read(json[name], reader, json);
    if (read !== undefined) value[name] = read;
  }
  return value as T;
}

export function writeVariant(
  value: { readonly kind: string },
  variants: Readonly<Record<string, Fields<object>>>,
  writer: PlanWriter,
): JsonObject {
  return { kind: value.kind, ...writeFields(value, variants[value.kind]!, writer) };
}

export function readVariant<T extends { readonly kind: string }>(
  json: Json | undefined,
  variants: Readonly<Record<string, Fields<object>>>,
  reader: PlanReader,
): T {
  if (!isObject(json)) throw expected('an object', json);
  const { kind } = json;
  if (typeof kind !== 'string' || !Object.hasOwn(variants, kind))
    throw wrong(`${JSON.stringify(kind ?? null)} is not known to this release`);
  return { kind, ...readFields(json, variants[kind]!, reader, ['kind']) } as unknown as T;
}

/** Numbers that JSON has not, and what is no plain data, are objects of one field. */
export const value: Field<SqlValue> = {
  write: writeValue,
  read: (json) => readValue(json),
};

function writeValue(of: SqlValue): Json {
  switch (typeof of) {
    case 'number':
      return Number.isFinite(of) && !Object.is(of, -0)
        ? of
        : { number: Object.is(of, -0) ? '-0' : String(of) };
    case 'bigint':
      return { bigint: of.toString() };
    case 'object':
      break;
    default:
      return of;
  }
  if (of === null) return null;
  if (of instanceof Decimal) return { decimal: [of.unscaled.toString(), of.scale] };
  if (of instanceof Uint8Array) return { bytes: Buffer.from(of).toString('base64') };
  if (of instanceof Map)
    return { map: [...(of as ReadonlyMap<SqlValue, SqlValue>)].map((entry) => entry.map(writeValue)) };
  return (of as readonly SqlValue[]).map(writeValue);
}

const NUMBERS = new Set(['-0', 'NaN', 'Infinity', '-Infinity']);
const WHOLE = /^-?\d+$/;

function readValue(json: Json | undefined): SqlValue {
  if (json === undefined) throw expected('a value', json);
  if (json === null || typeof json !== 'object') return json;
  if (Array.isArray(json)) return (json as readonly Json[]).map(readValue);
  const [[tag, content] = ['', null], ...more] = Object.entries(json as JsonObject);
  if (more.length === 0) {
    if (tag === 'number' && NUMBERS.has(content as string)) return Number(content);
    if (tag === 'bigint' && typeof content === 'string' && WHOLE.test(content)) return BigInt(content);
    if (tag === 'bytes' && typeof content === 'string') return Buffer.from(content, 'base64');
    if (tag === 'decimal' && Array.isArray(content)) {
      const [unscaled, scale] = content as readonly Json[];
      if (typeof unscaled === 'string' && WHOLE.test(unscaled) && Number.isSafeInteger(scale))
        return new Decimal(BigInt(unscaled), scale as number);
    }
    if (tag === 'map' && Array.isArray(content))
      return new Map(
        (content as readonly Json[]).map((entry) => {
          if (!Array.isArray(entry) || entry.length !== 2) throw expected('an entry of a MAP', entry);
          return [readValue((entry as Json[])[0]), readValue((entry as Json[])[1])];
        }),
      );
  }
  throw expected('a value', json);
}

export const type: Field<SqlType> = {
  write: (of, writer) => writer.type(of),
  read: (json, reader) => reader.type(json ?? null),
};

export const columns: Field<readonly Column[]> = {
  write: (of, writer) => writer.columns(of),
  read: (json, reader) => reader.columns(json ?? null),
};

export const expression: Field<Expression> = {
  write: (of, writer) => writer.expression(of),
  read: (json, reader) => reader.expression(json ?? null),
};

export const node: Field<PlanNode> = {
  write: (of, writer) => writer.node(of),
  read: (json, reader) => reader.node(json ?? null),
};

/**
 * The signature of a call, whose function's name stands beside it. Its number is for one release: what is stored is its
 * text, and where several read alike, which of them.
 */
export const signature: Field<number> = {
  write(at, { functions }, owner) {
    const { name } = owner as { readonly name: string };
    const texts = signatureTexts(functions, name);
    const found = texts[at];
    if (found === undefined) throw wrong(`${name} has no signature ${at}`);
    const before = texts.slice(0, at).filter((each) => each === found).length;
    return before === 0 ? found : `${found} #${before + 1}`;
  },
  read(json, { functions }, owner) {
    const name = text.read(owner['name'], null as never, owner);
    const [wanted, turn] = text.read(json, null as never, owner).split(' #');
    const places = signatureTexts(functions, name).flatMap((each, at) => (each === wanted ? [at] : []));
    const at = places[turn === undefined ? 0 : Number(turn) - 1];
    if (at === undefined) throw wrong(`there is no function ${name}(${wanted}) any more`);
    return at;
  },
};

const texts = new WeakMap<SqlFunction, readonly string[]>();

function signatureTexts(functions: FunctionRegistry, name: string): readonly string[] {
  const found = functions.get(name);
  if (found === undefined) throw wrong(`there is no function ${name}`);
  const known = texts.get(found);
  if (known !== undefined) return known;
  const listed = found.signatures.map((each) => {
    const literals = 'literals' in each ? (each.literals ?? []) : [];
    return [...each.parameters, ...literals]
      .map((parameter) => `${describeType(parameter.type)}${parameter.variadic === true ? '[]' : ''}`)
      .join(', ');
  });
  texts.set(found, listed);
  return listed;
}
