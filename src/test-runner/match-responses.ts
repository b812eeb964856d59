import { JsonNumber, type JsonNode, printJson } from '../types/json-node.ts';
import { brief } from './match-json.ts';

type JsonObject = ReadonlyMap<string, JsonNode>;

/** One answer of a server: to an administrative statement, or all that came for a query. */
export interface RestResponse {
  readonly kind: 'admin' | 'query';
  readonly node: JsonNode;
}

/**
 * Null when the answers hold what is expected, else where they do not. Only what is named is compared: `name|starts_with`
 * the beginning of a text, `{STATEMENT}` in a text the statement of the same number. Rows may come in any order.
 */
export function matchResponses(
  expected: readonly JsonObject[],
  found: readonly RestResponse[],
  statementOf: (index: number) => string,
): string | null {
  if (found.length < expected.length) return `expected ${expected.length} responses, found ${found.length}`;
  for (const [i, each] of expected.entries()) {
    const [kind, wanted] = [...each][0] ?? ['admin', new Map()];
    const { kind: foundKind, node } = found[i]!;
    if (kind !== foundKind) return `response ${i}: expected one to ${kind}, found one to ${foundKind}`;
    const reason =
      kind === 'query'
        ? matchRows(wanted as readonly JsonNode[], node as readonly JsonNode[])
        : matchNode(wanted, node, statementOf(i), '');
    if (reason !== null) return `response ${i}: ${reason}`;
  }
  return null;
}

function matchRows(expected: readonly JsonNode[], found: readonly JsonNode[]): string | null {
  if (expected.length !== found.length)
    return `expected ${expected.length} elements, found ${found.length}: ${brief(found)}`;
  const rest = found.flatMap(columnsOf).map(normal);
  for (const [i, each] of expected.entries()) {
    const columns = columnsOf(each);
    if (columns.length === 0) {
      const reason = matchNode(each, found[i]!, '', `${i}`);
      if (reason !== null) return reason;
      continue;
    }
    const at = rest.indexOf(normal(columns[0]!));
    if (at < 0) return `expected a row ${brief(columns[0]!)} among ${rest.join(' ')}`;
    rest.splice(at, 1);
  }
  return null;
}

/** The columns of an element that is a row. */
function columnsOf(node: JsonNode): readonly JsonNode[] {
  const row = node instanceof Map ? (node as JsonObject).get('row') : undefined;
  const columns = row instanceof Map ? (row as JsonObject).get('columns') : undefined;
  return columns === undefined ? [] : [columns];
}

function matchNode(expected: JsonNode, found: JsonNode, statement: string, path: string): string | null {
  if (expected instanceof Map) {
    if (!(found instanceof Map)) return `${path}: expected ${brief(expected)}, found ${brief(found)}`;
    for (const [name, wanted] of expected as JsonObject) {
      const [key, how] = name.split('|') as [string, string | undefined];
      const node = (found as JsonObject).get(key);
      if (node === undefined) return `${path}.${key} is not there`;
      if (how === 'starts_with') {
        if (typeof node !== 'string' || typeof wanted !== 'string' || !node.startsWith(wanted))
          return `${path}.${key}: expected ${brief(wanted)} and more, found ${brief(node)}`;
        continue;
      }
      const reason = matchNode(wanted, node, statement, `${path}.${key}`);
      if (reason !== null) return reason;
    }
    return null;
  }
  const wanted = typeof expected === 'string' ? expected.replaceAll('{STATEMENT}', statement) : expected;
  return normal(wanted) === normal(found)
    ? null
    : `${path}: expected ${brief(wanted)}, found ${brief(found)}`;
}

/** Text that is the same for equal values: fields sorted, numbers with a point as the double they are. */
function normal(node: JsonNode): string {
  if (node instanceof JsonNumber) return node.isInteger ? node.text : `${Number(node.text)}d`;
  if (Array.isArray(node)) return `[${(node as readonly JsonNode[]).map(normal).join(',')}]`;
  if (node instanceof Map) {
    const fields = [...(node as JsonObject)].map(
      ([name, value]) => `${JSON.stringify(name)}:${normal(value)}`,
    );
    return `{${fields.sort().join(',')}}`;
  }
  return printJson(node);
}
