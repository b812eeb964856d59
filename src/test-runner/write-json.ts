import { JsonNumber, type JsonNode } from '../formats/json-node.ts';

/** The tree as JSON text, numbers as they were written. */
export function writeJson(node: JsonNode): string {
  if (node instanceof JsonNumber) return node.text;
  if (Array.isArray(node)) return `[${(node as readonly JsonNode[]).map(writeJson).join(',')}]`;
  if (node instanceof Map)
    return `{${[...(node as ReadonlyMap<string, JsonNode>)]
      .map(([name, value]) => `${JSON.stringify(name)}:${writeJson(value)}`)
      .join(',')}}`;
  return JSON.stringify(node);
}
