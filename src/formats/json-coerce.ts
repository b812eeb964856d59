import { must } from '../common/assert.ts';
import { DataError } from '../common/error.ts';
import { parseBase64 } from '../types/base64.ts';
import { parseBigint, type Bigint } from '../types/bigint.ts';
import { Decimal } from '../types/decimal.ts';
import { parseDouble } from '../types/double-text.ts';
import { bigDecimalText, JsonNumber, type JsonNode, printJson } from '../types/json-node.ts';
import { printType } from '../types/print-type.ts';
import type { SqlType, StructType } from '../types/sql-type.ts';
import type { SqlValue } from '../types/value.ts';
import { wholeRange } from './plain-number.ts';

/** Null gives null. Throws `DataError`. */
export type Coerce = (node: JsonNode) => SqlValue;

/**
 * Compiles how a JSON value becomes a value of `type`. `path` names the field in errors. The rules are ksqlDB's: numbers
 * may be written as strings; a fraction is cut off for whole numbers; STRING takes anything as its text; BOOLEAN only true
 * and false; DECIMAL must fit without rounding; TIME, DATE and TIMESTAMP are numbers. One difference: a whole number
 * beyond its type is refused, where ksqlDB silently wraps it.
 */
export function openCoerce(type: SqlType, path: string): Coerce {
  const inner = openInnerCoerce(type, path);
  return (node) => (node === null ? null : inner(node));
}

function openInnerCoerce(type: SqlType, path: string): Coerce {
  const refuse = (node: JsonNode): never => {
    throw new DataError(`field ${path}: expected ${printType(type)}, found ${describe(node)}`);
  };
  switch (type.kind) {
    case 'boolean':
      return (node) => (typeof node === 'boolean' ? node : refuse(node));
    case 'integer':
    case 'date':
    case 'time':
    case 'timestamp': {
      const { least, most } = must(wholeRange(type));
      return (node) => {
        const value = readBigint(node);
        return typeof value === 'number' && value >= least && value <= most ? value : refuse(node);
      };
    }
    case 'bigint':
      return (node) => readBigint(node) ?? refuse(node);
    case 'double':
      return (node) => readDouble(node) ?? refuse(node);
    case 'decimal':
      return (node) => {
        const value = readDecimal(node) ?? refuse(node);
        return value.fits(type.precision, type.scale) ? value.setScale(type.scale) : refuse(node);
      };
    case 'string':
      return stringOf;
    case 'bytes':
      return (node) => {
        if (typeof node !== 'string') return refuse(node);
        try {
          return parseBase64(node);
        } catch {
          return refuse(node);
        }
      };
    case 'array': {
      const element = openCoerce(type.element, `${path}[]`);
      return (node) => (Array.isArray(node) ? (node as readonly JsonNode[]).map(element) : refuse(node));
    }
    case 'map': {
      const key = openCoerce(type.key, `${path} key`);
      const item = openCoerce(type.value, `${path}{}`);
      return (node) => {
        if (!(node instanceof Map)) return refuse(node);
        const result = new Map<SqlValue, SqlValue>();
        for (const [name, value] of node as ReadonlyMap<string, JsonNode>) result.set(key(name), item(value));
        return result;
      };
    }
    case 'struct': {
      const read = openRecordCoerce(type, path);
      return (node) => (node instanceof Map ? read(node as ReadonlyMap<string, JsonNode>) : refuse(node));
    }
  }
}

/** Compiles how an object becomes field values by position: the exact name first, else the JSON name in upper case. */
function openRecordCoerce(
  type: StructType,
  path: string,
): (node: ReadonlyMap<string, JsonNode>) => SqlValue[] {
  const fields = type.fields.map((field) => ({
    name: field.name,
    coerce: openCoerce(field.type, path === '' ? field.name : `${path}.${field.name}`),
  }));
  return (node) => fields.map((field) => field.coerce(fieldOf(node, field.name)));
}

/** The field of that name, else the last one whose name in upper case is it, else null. */
export function fieldOf(node: ReadonlyMap<string, JsonNode>, name: string): JsonNode {
  const exact = node.get(name);
  if (exact !== undefined) return exact;
  let found: JsonNode = null;
  for (const [key, value] of node) if (key.toUpperCase() === name) found = value;
  return found;
}

function readBigint(node: JsonNode): Bigint | undefined {
  if (typeof node === 'string') return parseBigint(node);
  if (!(node instanceof JsonNumber)) return undefined;
  if (node.isInteger) return parseBigint(node.text);
  const value = readDecimal(node);
  if (value === undefined) return undefined;
  const whole = value.toBigInt();
  return BigInt.asIntN(64, whole) === whole ? parseBigint(whole.toString()) : undefined;
}

function readDouble(node: JsonNode): number | undefined {
  if (typeof node === 'string') return parseDouble(node);
  // Numbers have no negative zero in ksqlDB, which reads them as decimals first.
  return node instanceof JsonNumber ? Number(node.text) + 0 : undefined;
}

function readDecimal(node: JsonNode): Decimal | undefined {
  try {
    if (typeof node === 'string') return Decimal.parse(node.trim());
    return node instanceof JsonNumber ? Decimal.parse(node.text) : undefined;
  } catch {
    return undefined;
  }
}

/** Any value as STRING: scalars by their text, arrays as `[a, b]` of such texts, objects as JSON. */
function stringOf(node: JsonNode): string {
  if (typeof node === 'string') return node;
  if (node instanceof JsonNumber) return bigDecimalText(node);
  if (Array.isArray(node)) return `[${(node as readonly JsonNode[]).map(stringOf).join(', ')}]`;
  if (node instanceof Map) return printJson(node, bigDecimalText);
  return wordOf(node);
}

function describe(node: JsonNode): string {
  if (typeof node === 'string')
    return `text ${JSON.stringify(node.length > 40 ? `${node.slice(0, 40)}…` : node)}`;
  if (node instanceof JsonNumber)
    return `number ${node.text.length > 40 ? `${node.text.slice(0, 40)}…` : node.text}`;
  if (Array.isArray(node)) return 'an array';
  if (node instanceof Map) return 'an object';
  return wordOf(node);
}

/** The values `null`, `true` and `false` as words. */
function wordOf(node: JsonNode): string {
  return node === null ? 'null' : node === true ? 'true' : 'false';
}
