import { base64Text } from '../../types/base64.ts';
import { doubleText } from '../../types/double-text.ts';
import {
  bigDecimalText,
  JsonNumber,
  type JsonNode,
  parseFirstJson,
  printJson,
} from '../../types/json-node.ts';
import { jsonText } from '../../types/json-value.ts';
import { DataError } from '../../common/error.ts';
import { compareStrings } from '../../types/compare-values.ts';
import { openPrint } from '../../types/print-value.ts';
import { array, BOOLEAN, INTEGER, map, STRING, type SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction } from '../function.ts';
import { checked, fixed, parameter, scalar, scalars, T, variadic } from '../signature.ts';
import { parseJsonPath } from './json-path.ts';

type Text = string | null;

/** Compact JSON as Jackson writes it. */
function compact(node: JsonNode): string {
  return printJson(node, bigDecimalText);
}

/** A string without its quotes, anything else as JSON text. */
function plainText(node: JsonNode): string {
  return typeof node === 'string' ? node : compact(node);
}

function isObject(node: JsonNode | undefined): node is ReadonlyMap<string, JsonNode> {
  return node instanceof Map;
}

function isArray(node: JsonNode | undefined): node is readonly JsonNode[] {
  return Array.isArray(node);
}

/** Follows the path through a tree of `JSON.parse`; undefined where there is nothing. */
function follow(root: unknown, steps: readonly string[]): unknown {
  let node = root;
  for (const step of steps) {
    if (Array.isArray(node)) node = /^\d+$/.test(step) ? (node as unknown[])[Number(step)] : undefined;
    else if (typeof node === 'object' && node !== null)
      node = Object.hasOwn(node, step) ? (node as Record<string, unknown>)[step] : undefined;
    else return undefined;
  }
  return node;
}

function followExactly(root: JsonNode | undefined, steps: readonly string[]): JsonNode | undefined {
  let node = root;
  for (const step of steps) {
    if (isArray(node)) node = /^\d+$/.test(step) ? node[Number(step)] : undefined;
    else if (isObject(node)) node = node.get(step);
    else return undefined;
  }
  return node;
}

function extract(text: string, steps: readonly string[]): Text {
  try {
    // The fast way, good for everything but numbers, whose text it loses, and text after the value.
    const found = follow(JSON.parse(text), steps);
    if (typeof found === 'string') return found;
    if (found === undefined || found === null || typeof found === 'boolean')
      return found === undefined ? null : String(found);
  } catch {
    // Malformed, or text after the value: the reader below knows.
  }
  const node = followExactly(parseFirstJson(text), steps);
  return node === undefined ? null : plainText(node);
}

function isJson(text: Text): boolean {
  if (text === null) return false;
  try {
    return parseFirstJson(text) !== undefined;
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
}

/** Whether an item equals a SQL value of the type: whole numbers only INTEGER and BIGINT, others only DOUBLE. */
function openItemMatch(type: SqlType): (item: JsonNode, value: SqlValue) => boolean {
  switch (type.kind) {
    case 'integer':
    case 'bigint':
      return (item, value) =>
        item instanceof JsonNumber
          ? item.isInteger && value !== null && BigInt(item.text) === BigInt(value as number)
          : item === null && value === null;
    case 'double':
      return (item, value) =>
        item instanceof JsonNumber
          ? !item.isInteger && Number(item.text) === value
          : item === null && value === null;
    case 'string':
    case 'boolean':
      return (item, value) => item === value;
    default:
      return (item, value) => item === null && value === null;
  }
}

function contains(text: Text, matches: (item: JsonNode) => boolean): boolean {
  if (text === null) return false;
  try {
    const node = parseFirstJson(text);
    return isArray(node) && node.some(matches);
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
}

/** Objects only: their fields together, later ones win. Otherwise all in one array, objects and scalars as items. */
function concat(texts: readonly Text[]): Text {
  const nodes: JsonNode[] = [];
  for (const text of texts) {
    const node = text === null ? undefined : parseFirstJson(text);
    if (node === undefined) return null;
    nodes.push(node);
  }
  if (nodes.length === 0) return null;
  if (nodes.every(isObject)) return compact(new Map(nodes.flatMap((node) => [...node])));
  return compact(nodes.flatMap((node) => (isArray(node) ? node : [node])));
}

/** The JSON text of SQL values for TO_JSON_STRING: fields and keys in alphabetical order. */
function openSortedJson(type: SqlType): (value: SqlValue) => string {
  const inner = openSortedInner(type);
  return (value) => (value === null ? 'null' : inner(value));
}

function openSortedInner(type: SqlType): (value: SqlValue) => string {
  switch (type.kind) {
    case 'double':
      return (value) =>
        Number.isFinite(value) ? doubleText(value as number) : `"${doubleText(value as number)}"`;
    case 'bytes':
      return (value) => `"${base64Text(value as Uint8Array)}"`;
    case 'array': {
      const item = openSortedJson(type.element);
      return (value) => `[${(value as readonly SqlValue[]).map(item).join(',')}]`;
    }
    case 'map': {
      const key = openPrint(type.key);
      const item = openSortedJson(type.value);
      return (value) => {
        const entries = [...(value as ReadonlyMap<SqlValue, SqlValue>)].map(
          ([k, v]) => [key(k), item(v)] as const,
        );
        entries.sort(([a], [b]) => compareStrings(a, b));
        return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${v}`).join(',')}}`;
      };
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: fieldType }, i) => ({
        name,
        i,
        text: openSortedJson(fieldType),
      }));
      fields.sort((a, b) => compareStrings(a.name, b.name));
      return (value) =>
        `{${fields.map(({ name, i, text }) => `${JSON.stringify(name)}:${text((value as readonly SqlValue[])[i]!)}`).join(',')}}`;
    }
    default:
      return jsonText(type);
  }
}

/** Positions below 0 lead nowhere, in every text; ksqlDB's own cases have null for them. */
function checkPath(path: string): void {
  parseJsonPath(path.replaceAll(/\[\s*-\d+\s*\]/g, '[0]'));
}

const JSON_TEXT = parameter('json', STRING);

export const jsonFunctions: readonly ScalarFunction[] = scalars('JSON', [
  scalar(
    'EXTRACTJSONFIELD',
    'What a path such as $.a[0] leads to in JSON text: a string as it is, anything else as JSON text.',
    ['EXTRACTJSONFIELD(\'{"a": [1.50, "x"]}\', \'$.a[0]\')', "'1.50'"],
    'propagate',
    {
      parameters: [JSON_TEXT, checked(parameter('path', STRING), checkPath)],
      returns: STRING,
      open: () => {
        let last: string | undefined;
        let steps: readonly string[] = [];
        return (text: string, path: string) => {
          if (path !== last) {
            steps = parseJsonPath(path);
            last = path;
          }
          return extract(text, steps);
        };
      },
    },
  ),
  scalar(
    'IS_JSON_STRING',
    'Whether a text is JSON.',
    ["IS_JSON_STRING('[1, 2]')", 'TRUE'],
    'handled',
    fixed([JSON_TEXT], BOOLEAN, isJson),
  ),
  scalar(
    'JSON_ARRAY_CONTAINS',
    'Whether a JSON array has an item equal to a value. Numbers are equal only if both or neither are whole by their type.',
    ["JSON_ARRAY_CONTAINS('[1, 2]', 2)", 'TRUE'],
    'handled',
    {
      parameters: [JSON_TEXT, parameter('value', T)],
      returns: BOOLEAN,
      open: ([, type]) => {
        const matches = openItemMatch(type!);
        return (text: Text, value: SqlValue) => contains(text, (item) => matches(item, value));
      },
    },
  ),
  scalar(
    'JSON_ARRAY_LENGTH',
    'How many items a JSON array has; null for other JSON.',
    ["JSON_ARRAY_LENGTH('[1, 2]')", '2'],
    'propagate',
    fixed([JSON_TEXT], INTEGER, (text: string) => {
      const node = parseFirstJson(text);
      return isArray(node) ? node.length : null;
    }),
  ),
  scalar(
    'JSON_CONCAT',
    'JSON objects merged (for equal names the last), or JSON values put together in one array. Null if any is null.',
    ["JSON_CONCAT('[1, 2]', '[3]')", "'[1,2,3]'"],
    'handled',
    fixed([variadic('json', STRING)], STRING, (...texts: Text[]) => concat(texts)),
  ),
  scalar(
    'JSON_ITEMS',
    'The items of a JSON array as JSON text.',
    ['JSON_ITEMS(\'[1, {"a": 2}]\')', "ARRAY['1', '{\"a\":2}']"],
    'propagate',
    fixed([JSON_TEXT], array(STRING), (text: string) => {
      const node = parseFirstJson(text);
      if (!isArray(node)) throw new DataError('JSON_ITEMS needs a JSON array');
      return node.map(compact);
    }),
  ),
  scalar(
    'JSON_KEYS',
    'The names of a JSON object’s fields; null for other JSON.',
    ['JSON_KEYS(\'{"a": 1, "b": 2}\')', "ARRAY['a', 'b']"],
    'propagate',
    fixed([JSON_TEXT], array(STRING), (text: string) => {
      const node = parseFirstJson(text);
      return isObject(node) ? [...node.keys()] : null;
    }),
  ),
  scalar(
    'JSON_RECORDS',
    'The fields of a JSON object: strings as they are, anything else as JSON text; null for other JSON.',
    ['JSON_RECORDS(\'{"a": 1, "b": "x"}\')', "MAP('a' := '1', 'b' := 'x')"],
    'propagate',
    fixed([JSON_TEXT], map(STRING, STRING), (text: string) => {
      const node = parseFirstJson(text);
      return isObject(node) ? new Map([...node].map(([name, value]) => [name, plainText(value)])) : null;
    }),
  ),
  scalar(
    'TO_JSON_STRING',
    'Any value as JSON text, names in alphabetical order.',
    ['TO_JSON_STRING(ARRAY[1, 2])', "'[1,2]'"],
    'handled',
    {
      parameters: [parameter('value', { kind: 'any' })],
      returns: STRING,
      open: ([type]) => openSortedJson(type!),
    },
  ),
]);
