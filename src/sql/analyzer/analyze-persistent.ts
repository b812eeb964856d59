import { SqlError } from '../../common/error.ts';
import { DEFAULT_KEY_FORMAT, NO_KEY_FORMAT } from '../../formats/registry.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { Column } from '../../types/schema.ts';
import type { CatalogSource } from '../catalog/source.ts';
import type * as ast from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { analyzeQuery } from './analyze-query.ts';
import {
  type AnalyzedSource,
  checkName,
  checkReplacement,
  timestampOf,
  topicWish,
} from './analyze-source.ts';
import { type AnalyzedQuery, itemsOfKey, sourcesOf } from './analyzed-query.ts';
import { checkTypeDepth } from './resolve-type.ts';
import { PSEUDO_COLUMNS } from './scope.ts';
import { WithProperties } from './with-properties.ts';

/** A query that writes a stream or table. */
export interface AnalyzedPersistentQuery {
  readonly query: AnalyzedQuery;
  /** The source that it writes. For CREATE … AS its `createdBy` is null: the engine names the query. */
  readonly sink: CatalogSource;
  /** Which select columns make the sink's key and value columns, in the sink's order. */
  readonly keyItems: readonly number[];
  readonly valueItems: readonly number[];
  /** Names in the catalog of what it reads, left to right. */
  readonly reads: readonly string[];
}

/** CREATE STREAM|TABLE … AS. `sink.partitions` are those of the left-most source unless PARTITIONS says otherwise. */
export function analyzeCreateSourceAs(
  statement: ast.CreateSourceAs,
  context: AnalyzeContext,
): AnalyzedPersistentQuery & Omit<AnalyzedSource, 'source'> {
  const { properties: session } = context;
  const replaces = checkName(statement, context.catalog);
  const properties = new WithProperties(statement.properties, 'create-as');
  const query = analyzeQuery(statement.query, context);
  checkPersistent(query, statement.query);
  if (query.type !== statement.sourceKind)
    throw new SqlError('ML_SCHEMA', `the query gives a ${query.type}, not a ${statement.sourceKind}`, {
      span: statement.nameSpan,
      hint: `write CREATE ${query.type.toUpperCase()} ${printIdentifier(statement.name)} AS …`,
    });
  for (const column of query.select) checkTypeDepth(column.type, column.span);
  const { keyItems, valueItems } = splitSelect(query, session.get(NEW_PLANNER)?.toLowerCase() === 'true');
  const asksKeyFormat = properties.formatName('KEY');
  if (
    query.partitionBy?.expressions.length === 0 &&
    asksKeyFormat !== null &&
    asksKeyFormat.name !== NO_KEY_FORMAT
  )
    throw new SqlError('ML_FORMAT', 'PARTITION BY NULL leaves no key that a format could hold', {
      span: asksKeyFormat.span,
      hint: 'remove KEY_FORMAT, and write VALUE_FORMAT instead of FORMAT',
    });
  const key = keyItems.map((item): Column => ({
    name: query.select[item]!.name,
    type: query.select[item]!.type,
  }));
  const value = valueItems.map((item): Column => ({
    name: query.select[item]!.name,
    type: query.select[item]!.type,
  }));
  const first = sourcesOf(query.from)[0]!.source;
  const keyFormat = properties.formatName('KEY');
  const valueFormat = properties.formatName('VALUE');
  const inherited = first.keyFormat.name;
  const keyName =
    keyFormat?.name ??
    (query.partitionBy?.expressions.length === 0
      ? NO_KEY_FORMAT
      : inherited === NO_KEY_FORMAT && key.length > 0
        ? (session.get('ksql.persistence.default.format.key') ?? DEFAULT_KEY_FORMAT)
        : inherited);
  const prefix = session.get('ksql.output.topic.name.prefix') ?? '';
  const topicName = properties.text('KAFKA_TOPIC') ?? `${prefix}${statement.name}`;
  const topic = topicWish(properties, topicName, query.type, query.grouping?.windowing ?? null);
  const partitions = topic.partitions ?? first.partitions;
  const sink: CatalogSource = {
    name: statement.name,
    type: query.type,
    schema: { key, value, headers: [] },
    topic: topicName,
    partitions,
    keyFormat: properties.sideFormat(
      'KEY',
      keyName,
      key,
      keyFormat?.span ?? statement.nameSpan,
      session,
      first.keyFormat,
    ),
    valueFormat: properties.sideFormat(
      'VALUE',
      valueFormat?.name ?? first.valueFormat.name,
      value,
      valueFormat?.span ?? statement.nameSpan,
      session,
      first.valueFormat,
    ),
    window:
      query.window === null
        ? null
        : { kind: query.window.kind, sizeMs: query.window.kind === 'session' ? null : query.window.sizeMs },
    timestamp: timestampOf(properties, [...key, ...value]),
    statementText: context.statementText,
    sourceOnly: false,
    createdBy: null,
  };
  if (replaces !== null) checkReplacement(replaces, sink, statement.nameSpan);
  return {
    query,
    sink,
    keyItems,
    valueItems,
    reads: readsOf(query),
    topic: { ...topic, partitions },
    replaces,
  };
}

export function readsOf(query: AnalyzedQuery): readonly string[] {
  return sourcesOf(query.from).map((source) => source.source.name);
}

/** Refuses what may stand in other queries but not in one that writes. */
export function checkPersistent(query: AnalyzedQuery, node: ast.Query): void {
  if (query.limit !== null)
    throw new SqlError('ML_UNSUPPORTED', 'a persistent query has no LIMIT', {
      span: node.span,
      hint: 'remove it',
    });
  for (const { source, alias, type } of sourcesOf(query.from))
    if (source.window !== null && type === 'table')
      throw new SqlError(
        'ML_UNSUPPORTED',
        `${printIdentifier(alias)} is a windowed table, which no persistent query can read`,
        {
          span: node.from.span,
          hint: 'declare a stream over its topic with WINDOW_TYPE and read that',
        },
      );
  for (const column of query.select)
    if (PSEUDO_COLUMNS.has(column.name) && !column.isFromStar)
      throw new SqlError('ML_SCHEMA', `${column.name} is a name of the system's own columns`, {
        span: column.span,
        hint: `give it another name: ${column.name} AS …`,
      });
}

/** The property by which ksqlDB's streams may lose key columns, and have them in the order in which they are selected. */
const NEW_PLANNER = 'ksql.new.query.planner.enabled';

/**
 * Select columns by the side they go to. Every key column must be selected exactly once, and something else. `free`:
 * those of a stream may also be left out, and are in the order of SELECT.
 */
export function splitSelect(
  query: AnalyzedQuery,
  free: boolean,
): { keyItems: readonly number[]; valueItems: readonly number[] } {
  const loose = free && query.type === 'stream' && query.window === null;
  const keyItems = query.key.flatMap((key) => {
    const [found] = itemsOfKey(key, query.select);
    const name = printIdentifier(key.name);
    if (found === undefined && loose) return [];
    if (found === undefined)
      throw new SqlError('ML_SCHEMA', `the key column ${name} is not selected`, {
        span: query.span,
        hint: `add ${name} to SELECT; AS_VALUE(${name}) copies it into the value too`,
      });
    if (found.length > 1)
      throw new SqlError('ML_SCHEMA', `the key column ${name} is selected more than once`, {
        span: query.select[found[1]!]!.span,
        hint: `write AS_VALUE(${name}) for a copy in the value`,
      });
    return [found[0]!];
  });
  if (loose) keyItems.sort((a, b) => a - b);
  const valueItems = query.select.flatMap((column, item) =>
    keyItems.includes(item) || column.isWindowBound ? [] : [item],
  );
  if (valueItems.length === 0)
    throw new SqlError('ML_SCHEMA', 'only key columns are selected', {
      span: query.span,
      hint: 'select at least one other column; AS_VALUE(key) makes one of a key',
    });
  return { keyItems, valueItems };
}
