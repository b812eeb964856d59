import { type JsonNode, JsonNumber } from '../types/json-node.ts';
import { resolveType } from '../sql/analyzer/resolve-type.ts';
import type { Catalog } from '../sql/catalog/catalog.ts';
import { type CatalogSource, columnsOfSource, type SideFormat } from '../sql/catalog/source.ts';
import { parseStatements } from '../sql/parser/parse.ts';
import { printIdentifier, printType } from '../types/print-type.ts';
import type { CasePost } from './case.ts';
import { textOf } from './read-cases.ts';

type JsonObject = ReadonlyMap<string, JsonNode>;

export interface PostState {
  readonly catalog: Catalog;
  /** Topics by name, with how many partitions they have: those of sources, and what queries made for themselves. */
  readonly topics: ReadonlyMap<string, number>;
  /** The name here of an internal topic that a case names as ksqlDB does; null when it has no counterpart. */
  readonly internalTopic: (name: string) => string | null;
}

/** Null when the catalog and the topics are as the case says; else what is not. */
export function checkPost(post: CasePost, state: PostState): string | null {
  for (const expected of post.sources) {
    const reason = checkSource(expected, state.catalog);
    if (reason !== null) return `post: ${textOf(expected.get('name'))} ${reason}`;
  }
  for (const expected of post.topics) {
    const reason = checkTopic(expected, state);
    if (reason !== null) return `post: topic ${textOf(expected.get('name'))} ${reason}`;
  }
  if (post.blacklist === null) return null;
  const pattern = new RegExp(post.blacklist);
  const unwanted = [...state.topics.keys()].find((name) => pattern.test(name));
  return unwanted === undefined ? null : `post: there must be no topic ${unwanted}`;
}

function checkSource(expected: JsonObject, catalog: Catalog): string | null {
  const source = catalog.get(textOf(expected.get('name')));
  if (source === undefined) return 'is not in the catalog';
  const type = textOf(expected.get('type')).toLowerCase();
  if (source.type !== type) return `is a ${source.type}, not a ${type}`;
  const schema = expected.get('schema');
  if (typeof schema === 'string') {
    const wanted = schemaText(schema, catalog);
    const found = schemaOfSource(source);
    if (wanted !== found) return `has the schema ${found}, not ${wanted}`;
  }
  const key = expected.get('keyFormat');
  if (key instanceof Map) {
    const reason = checkKeyFormat(key as JsonObject, source);
    if (reason !== null) return reason;
  }
  const value = expected.get('valueFormat');
  if (typeof value === 'string' && value.toUpperCase() !== source.valueFormat.name)
    return `has the value format ${source.valueFormat.name}, not ${value}`;
  const features =
    checkFeatures(expected.get('keyFeatures'), source.keyFormat, source.schema.key.length, 'key') ??
    checkFeatures(expected.get('valueFeatures'), source.valueFormat, source.schema.value.length, 'value');
  if (features !== null) return features;
  const isSource = expected.get('isSource');
  return typeof isSource === 'boolean' && isSource !== source.sourceOnly
    ? `is ${source.sourceOnly ? '' : 'not '}read-only`
    : null;
}

function checkKeyFormat(expected: JsonObject, source: CatalogSource): string | null {
  const format = expected.get('format');
  if (typeof format === 'string' && format.toUpperCase() !== source.keyFormat.name)
    return `has the key format ${source.keyFormat.name}, not ${format}`;
  const kind = expected.get('windowType');
  const wantedKind = typeof kind === 'string' ? kind.toLowerCase() : null;
  const foundKind = source.window?.kind ?? null;
  if (wantedKind !== foundKind) return `has the window type ${foundKind}, not ${wantedKind}`;
  const size = expected.get('windowSize');
  const wantedSize = size instanceof JsonNumber ? Number(size.text) : null;
  const foundSize = foundKind === 'session' ? null : (source.window?.sizeMs ?? null);
  return wantedSize === foundSize ? null : `has the window size ${foundSize}, not ${wantedSize}`;
}

/** Features are told when given: the catalog does not keep whether wrapping was asked for or is the usual. */
function checkFeatures(
  expected: JsonNode | undefined,
  format: SideFormat,
  columns: number,
  side: string,
): string | null {
  if (!Array.isArray(expected) || columns !== 1) return null;
  const wanted = (expected as readonly JsonNode[]).map(textOf);
  if (wanted.includes('WRAP_SINGLES') && !format.wrapped) return `does not wrap its ${side}`;
  if (wanted.includes('UNWRAP_SINGLES') && format.wrapped) return `wraps its ${side}`;
  return null;
}

function checkTopic(expected: JsonObject, { catalog, topics, internalTopic }: PostState): string | null {
  const name = textOf(expected.get('name'));
  const source = catalog.sources().find((each) => each.topic === name);
  if (source === undefined) {
    const internal = internalTopic(name);
    return internal === null || topics.has(internal) ? null : `(here ${internal}) does not exist`;
  }
  for (const [field, format] of [
    ['keyFormat', source.keyFormat],
    ['valueFormat', source.valueFormat],
  ] as const) {
    const node = expected.get(field);
    const wanted = node instanceof Map ? (node as JsonObject).get('format') : undefined;
    if (typeof wanted === 'string' && wanted.toUpperCase() !== format.name)
      return `has the ${field} ${format.name}, not ${wanted}`;
  }
  const partitions = expected.get('partitions');
  return partitions instanceof JsonNumber && Number(partitions.text) !== topics.get(name)
    ? `has ${topics.get(name)} partitions, not ${partitions.text}`
    : null;
}

/** A schema as the catalog would print it, from the text of a case: `ID` BIGINT KEY, `NAME` STRING, … */
function schemaText(text: string, catalog: Catalog): string {
  const [parsed] = parseStatements(`CREATE STREAM EXPECTED (${text}) WITH (KAFKA_TOPIC='expected');`);
  if (parsed === undefined || !('elements' in parsed.statement)) return text;
  return parsed.statement.elements
    .map(({ name, type, constraint }) => {
      const kind = constraint?.kind === 'primaryKey' ? 'key' : (constraint?.kind ?? '');
      const header = constraint?.kind === 'header' ? `('${constraint.headerKey}')` : '';
      return columnText(name, printType(resolveType(type, catalog)), `${kind}${header}`);
    })
    .join(', ');
}

function schemaOfSource(source: CatalogSource): string {
  const { schema } = source;
  return columnsOfSource(source)
    .map((column) => {
      const header = schema.headers.find((each) => each === column);
      if (header !== undefined)
        return columnText(
          column.name,
          printType(column.type),
          header.headerKey === null ? 'headers' : `header('${header.headerKey}')`,
        );
      return columnText(column.name, printType(column.type), schema.key.includes(column) ? 'key' : '');
    })
    .join(', ');
}

function columnText(name: string, type: string, kind: string): string {
  return `${printIdentifier(name)} ${type}${kind === '' ? '' : ` ${kind}`}`;
}
