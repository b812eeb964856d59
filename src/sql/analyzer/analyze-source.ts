import { DataError, SqlError, type Span } from '../../common/error.ts';
import { DEFAULT_KEY_FORMAT } from '../../formats/registry.ts';
import { openTimePattern } from '../../functions/time-pattern.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import type { Column, HeaderColumn, Schema } from '../../types/schema.ts';
import { array, BYTES, STRING, struct, type SqlType } from '../../types/sql-type.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { CatalogSource, SourceTimestamp, SourceWindow } from '../catalog/source.ts';
import type { AlterSource, CreateSource, TableElement } from '../parser/ast.ts';
import { NO_TOPIC } from '../parser/elsewhere.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { checkKeyType } from './check-key-type.ts';
import { resolveType } from './resolve-type.ts';
import { PSEUDO_COLUMNS } from './scope.ts';
import { WithProperties } from './with-properties.ts';

/** The topic that a statement asks for; the engine makes sure that it exists. */
export interface TopicWish {
  readonly name: string;
  /** Null: as it is. */
  readonly partitions: number | null;
  readonly replicas: number | null;
  readonly configs: Readonly<Record<string, string>>;
  readonly span: Span | undefined;
}

/** A source to be. Its `partitions` are the wished ones, or 0: the engine puts the topic's there. */
export interface AnalyzedSource {
  readonly source: CatalogSource;
  readonly topic: TopicWish;
  /** OR REPLACE of this one. */
  readonly replaces: CatalogSource | null;
}

const ALL_HEADERS: SqlType = array(
  struct([
    { name: 'KEY', type: STRING },
    { name: 'VALUE', type: BYTES },
  ]),
);

/** CREATE [SOURCE] STREAM|TABLE. Whether IF NOT EXISTS applies is asked before, with `Catalog.has`. */
export function analyzeCreateSource(statement: CreateSource, context: AnalyzeContext): AnalyzedSource {
  const { catalog, properties: session } = context;
  const replaces = checkName(statement, catalog);
  if (statement.readOnly && statement.orReplace)
    throw new SqlError('ML_UNSUPPORTED', `a read-only SOURCE ${statement.sourceKind} cannot be replaced`, {
      span: statement.nameSpan,
      hint: 'DROP it and create it anew; a script begins anew with --fresh',
    });
  const properties = new WithProperties(statement.properties, 'create');
  const schema = schemaOf(statement.elements, statement.sourceKind, catalog);
  if (schema.key.length + schema.value.length === 0)
    throw new SqlError(
      'ML_SCHEMA',
      `${statement.sourceKind} ${printIdentifier(statement.name)} has no columns`,
      {
        span: statement.nameSpan,
        hint: 'list them: name and type, separated by commas',
      },
    );
  if (statement.sourceKind === 'table' && schema.key.length === 0)
    throw new SqlError('ML_SCHEMA', `table ${printIdentifier(statement.name)} has no PRIMARY KEY`, {
      span: statement.nameSpan,
      hint: 'put PRIMARY KEY after the type of the column that is the record key',
    });
  const window = windowOf(properties);
  if (window !== null && schema.key.length === 0)
    throw new SqlError(
      'ML_SCHEMA',
      `windowed ${statement.sourceKind} ${printIdentifier(statement.name)} has no key column`,
      {
        span: properties.spanOf('WINDOW_TYPE'),
        hint: 'windows are part of the record key: declare its other columns with KEY',
      },
    );
  const topic = properties.text('KAFKA_TOPIC');
  if (topic === null)
    throw new SqlError('ML_PROPERTY', 'KAFKA_TOPIC is missing', {
      span: statement.nameSpan,
      hint: NO_TOPIC.hint,
    });
  const key = properties.formatName('KEY');
  const value = properties.formatName('VALUE');
  const valueName = value?.name ?? session.get('ksql.persistence.default.format.value');
  if (valueName === undefined)
    throw new SqlError('ML_PROPERTY', 'VALUE_FORMAT is missing', {
      span: statement.nameSpan,
      hint: "name the format: WITH (…, VALUE_FORMAT='JSON')",
    });
  const keyName = key?.name ?? session.get('ksql.persistence.default.format.key') ?? DEFAULT_KEY_FORMAT;
  const keyFormat = properties.sideFormat(
    'KEY',
    keyName,
    schema.key,
    key?.span ?? statement.nameSpan,
    session,
  );
  const valueFormat = properties.sideFormat(
    'VALUE',
    valueName,
    schema.value,
    value?.span ?? statement.nameSpan,
    session,
  );
  const wish = topicWish(properties, topic, statement.sourceKind, null);
  const source: CatalogSource = {
    name: statement.name,
    type: statement.sourceKind,
    schema,
    topic,
    partitions: wish.partitions ?? 0,
    keyFormat,
    valueFormat,
    window,
    timestamp: timestampOf(properties, [...schema.key, ...schema.value]),
    statementText: context.statementText,
    sourceOnly: statement.readOnly,
    createdBy: null,
  };
  if (replaces !== null) checkReplacement(replaces, source, statement.nameSpan);
  return { source, topic: wish, replaces };
}

/** ALTER STREAM|TABLE … ADD: the source with its new columns. */
export function analyzeAlterSource(statement: AlterSource, context: AnalyzeContext): CatalogSource {
  const source = context.catalog.get(statement.name);
  if (source === undefined)
    throw new SqlError(
      'ML_NAME_UNKNOWN',
      `${statement.sourceKind} ${printIdentifier(statement.name)} does not exist`,
      {
        span: statement.nameSpan,
      },
    );
  if (source.type !== statement.sourceKind)
    throw new SqlError('ML_NAME_UNKNOWN', `${printIdentifier(source.name)} is a ${source.type}`, {
      span: statement.nameSpan,
      hint: `write ALTER ${source.type.toUpperCase()}`,
    });
  if (source.createdBy !== null || source.sourceOnly)
    throw new SqlError('ML_UNSUPPORTED', `${printIdentifier(source.name)} cannot be altered`, {
      span: statement.nameSpan,
      hint: source.sourceOnly
        ? 'it was created as a read-only SOURCE'
        : 'replace its query with CREATE OR REPLACE',
    });
  const { key, value, headers } = source.schema;
  const taken = new Set([...key, ...value, ...headers].map((column) => column.name));
  const added = statement.columns.map((element): Column => {
    checkColumnName(element, taken);
    return { name: element.name, type: resolveType(element.type, context.catalog) };
  });
  return {
    ...source,
    schema: { key, value: [...value, ...added], headers },
    statementText: context.statementText,
  };
}

/** Names of sources become parts of query ids and topics. */
const SOURCE_NAME = /^[A-Za-z0-9_-]+$/;

/** The source that OR REPLACE replaces; null where the name is free. Throws ML_NAME_TAKEN, and ML_SCHEMA for an empty name. */
export function checkName(
  statement: { name: string; nameSpan: Span; sourceKind: 'stream' | 'table'; orReplace: boolean },
  catalog: Catalog,
): CatalogSource | null {
  const name = printIdentifier(statement.name);
  if (!SOURCE_NAME.test(statement.name))
    throw new SqlError('ML_SCHEMA', `${name} cannot name a ${statement.sourceKind}`, {
      span: statement.nameSpan,
      hint: 'use letters, digits, underscores and dashes',
    });
  const existing = catalog.get(statement.name);
  if (existing === undefined) return null;
  if (!statement.orReplace)
    throw new SqlError('ML_NAME_TAKEN', `a ${existing.type} named ${name} exists already`, {
      span: statement.nameSpan,
      hint: 'choose another name, DROP it first, or write CREATE OR REPLACE',
    });
  if (existing.type !== statement.sourceKind || existing.sourceOnly)
    throw new SqlError(
      'ML_NAME_TAKEN',
      `${name} is a ${existing.sourceOnly ? 'read-only ' : ''}${existing.type} and cannot be replaced`,
      {
        span: statement.nameSpan,
        hint: 'DROP it first',
      },
    );
  return existing;
}

/** The parts of a source that decide whether another one may take its place. */
export type ReplaceableSource = Pick<
  CatalogSource,
  'topic' | 'keyFormat' | 'valueFormat' | 'timestamp' | 'schema'
>;

/** Throws `SqlError` when a source must not become another. */
export function checkReplacement(before: ReplaceableSource, after: CatalogSource, span: Span): void {
  const change = changeOfSource(before, after);
  if (change !== null)
    throw new SqlError(
      'ML_UNSUPPORTED',
      `${printIdentifier(after.name)} cannot be replaced: its ${change} would change`,
      {
        span,
        hint: 'DROP it and create it anew; a script begins anew with --fresh',
      },
    );
}

/** A change that is not allowed; null where there is none. Columns may be added at the end, nothing else may change. */
export function changeOfSource(before: ReplaceableSource, after: ReplaceableSource): string | null {
  if (before.topic !== after.topic) return 'topic';
  if (before.keyFormat.name !== after.keyFormat.name) return 'key format';
  if (before.valueFormat.name !== after.valueFormat.name) return 'value format';
  if (before.timestamp?.column !== after.timestamp?.column) return 'timestamp';
  const sameStart = (one: readonly Column[], other: readonly Column[]): boolean =>
    one.every((column, i) => column.name === other[i]?.name && equalTypes(column.type, other[i].type));
  if (before.schema.key.length !== after.schema.key.length || !sameStart(before.schema.key, after.schema.key))
    return 'key';
  return sameStart(before.schema.value, after.schema.value) ? null : 'columns';
}

export function schemaOf(
  elements: readonly TableElement[],
  sourceKind: 'stream' | 'table',
  catalog: Catalog,
): Schema {
  const key: Column[] = [];
  const value: Column[] = [];
  const headers: HeaderColumn[] = [];
  const taken = new Set<string>();
  for (const element of elements) {
    checkColumnName(element, taken);
    const column = { name: element.name, type: resolveType(element.type, catalog) };
    const { constraint } = element;
    switch (constraint?.kind) {
      case undefined:
        value.push(column);
        break;
      case 'key':
      case 'primaryKey':
        if ((constraint.kind === 'primaryKey') !== (sourceKind === 'table'))
          throw new SqlError(
            'ML_SCHEMA',
            `a ${sourceKind} has no ${constraint.kind === 'key' ? 'KEY' : 'PRIMARY KEY'} columns`,
            {
              span: constraint.span,
              hint: sourceKind === 'table' ? 'write PRIMARY KEY' : 'write KEY',
            },
          );
        checkKeyType(column, element.type.span);
        key.push(column);
        break;
      case 'headers':
        if (!equalTypes(column.type, ALL_HEADERS))
          throw new SqlError('ML_SCHEMA', `a HEADERS column must be ${printType(ALL_HEADERS)}`, {
            span: element.type.span,
          });
        if (headers.length > 0)
          throw new SqlError('ML_SCHEMA', 'a HEADERS column must be the only column of headers', {
            span: constraint.span,
          });
        headers.push({ ...column, headerKey: null });
        break;
      case 'header': {
        if (column.type.kind !== 'bytes')
          throw new SqlError('ML_SCHEMA', 'a HEADER column must be BYTES', { span: element.type.span });
        const { headerKey } = constraint;
        if (headers.some((other) => other.headerKey === null || other.headerKey === headerKey))
          throw new SqlError('ML_SCHEMA', `header '${headerKey}' has a column already`, {
            span: constraint.span,
          });
        headers.push({ ...column, headerKey });
        break;
      }
    }
  }
  return { key, value, headers };
}

function checkColumnName(element: TableElement, taken: Set<string>): void {
  if (PSEUDO_COLUMNS.has(element.name))
    throw new SqlError('ML_SCHEMA', `${element.name} is a name of the system's own columns`, {
      span: element.nameSpan,
      hint: 'choose another name',
    });
  if (taken.has(element.name))
    throw new SqlError('ML_SCHEMA', `column ${printIdentifier(element.name)} is declared twice`, {
      span: element.nameSpan,
    });
  taken.add(element.name);
}

/** The topic that the properties ask for. `retentionMs`: of a windowed result, which its topic must keep. */
export function topicWish(
  properties: WithProperties,
  name: string,
  kind: 'stream' | 'table',
  window: { readonly retentionMs: number } | null,
): TopicWish {
  const asked = properties.number('RETENTION_MS');
  if (kind === 'table' && window === null && asked !== null)
    throw new SqlError('ML_PROPERTY', 'RETENTION_MS is not for tables', {
      span: properties.spanOf('RETENTION_MS'),
      hint: 'the topic of a table keeps the latest row of each key',
    });
  const retention = window === null ? asked : Math.max(window.retentionMs, asked ?? 0);
  const policy = kind === 'stream' ? 'delete' : window === null ? 'compact' : 'compact,delete';
  return {
    name,
    partitions: properties.number('PARTITIONS'),
    replicas: properties.number('REPLICAS'),
    configs: {
      'cleanup.policy': policy,
      ...(retention === null ? {} : { 'retention.ms': String(retention) }),
    },
    span: properties.spanOf('KAFKA_TOPIC'),
  };
}

export function windowOf(properties: WithProperties): SourceWindow | null {
  const type = properties.text('WINDOW_TYPE')?.toUpperCase();
  const size = properties.text('WINDOW_SIZE');
  const sizeSpan = properties.spanOf('WINDOW_SIZE');
  if (type === undefined) {
    if (size !== null)
      throw new SqlError('ML_PROPERTY', 'WINDOW_SIZE needs WINDOW_TYPE', {
        span: sizeSpan,
        hint: "add WINDOW_TYPE='TUMBLING'",
      });
    return null;
  }
  if (type === 'SESSION') {
    if (size !== null)
      throw new SqlError('ML_PROPERTY', 'sessions have no WINDOW_SIZE', {
        span: sizeSpan,
        hint: 'remove it',
      });
    return { kind: 'session', sizeMs: null };
  }
  if (type !== 'TUMBLING' && type !== 'HOPPING')
    throw new SqlError('ML_PROPERTY', `WINDOW_TYPE ${type} does not exist`, {
      span: properties.spanOf('WINDOW_TYPE'),
      hint: 'it is TUMBLING, HOPPING or SESSION',
    });
  const sizeMs = size === null ? null : parseDuration(size);
  if (sizeMs === null || sizeMs === 0)
    throw new SqlError(
      'ML_PROPERTY',
      size === null ? `${type} windows need WINDOW_SIZE` : `'${size}' is not the size of a window`,
      {
        span: sizeSpan ?? properties.spanOf('WINDOW_TYPE'),
        hint: "write a number and a unit: WINDOW_SIZE='10 SECONDS'",
      },
    );
  return { kind: type === 'TUMBLING' ? 'tumbling' : 'hopping', sizeMs };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
};

function parseDuration(text: string): number | null {
  const match = /^\s*(\d{1,15})\s+([A-Za-z]+?)S?\s*$/i.exec(text);
  const unit = UNIT_MS[match?.[2]?.toUpperCase() ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}

/** The TIMESTAMP property over the columns it may name. */
export function timestampOf(properties: WithProperties, columns: readonly Column[]): SourceTimestamp | null {
  const text = properties.text('TIMESTAMP');
  const format = properties.text('TIMESTAMP_FORMAT');
  if (text === null) {
    if (format !== null)
      throw new SqlError('ML_PROPERTY', 'TIMESTAMP_FORMAT needs TIMESTAMP', {
        span: properties.spanOf('TIMESTAMP_FORMAT'),
      });
    return null;
  }
  const span = properties.spanOf('TIMESTAMP');
  const name = /^`.*`$/s.test(text) ? text.slice(1, -1).replaceAll('``', '`') : text.toUpperCase();
  const column = columns.find((each) => each.name === name);
  if (column === undefined)
    throw new SqlError('ML_NAME_UNKNOWN', `TIMESTAMP column ${printIdentifier(name)} does not exist`, {
      span,
    });
  const { kind } = column.type;
  if (kind === 'string' ? format === null : kind !== 'bigint' && kind !== 'timestamp')
    throw new SqlError(
      'ML_TYPE',
      `column ${printIdentifier(name)} of type ${printType(column.type)} cannot be the TIMESTAMP`,
      {
        span,
        hint:
          kind === 'string'
            ? 'add TIMESTAMP_FORMAT'
            : 'it must be BIGINT, TIMESTAMP, or STRING with TIMESTAMP_FORMAT',
      },
    );
  if (kind !== 'string' && format !== null)
    throw new SqlError('ML_PROPERTY', 'TIMESTAMP_FORMAT is for a STRING column', {
      span: properties.spanOf('TIMESTAMP_FORMAT'),
    });
  if (format !== null) checkTimePattern(format, properties.spanOf('TIMESTAMP_FORMAT'));
  return { column: name, format };
}

function checkTimePattern(format: string, span: Span | undefined): void {
  try {
    openTimePattern(format);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new SqlError('ML_PROPERTY', error.message, {
      span,
      hint: "letters stand for fields as in Java's DateTimeFormatter; other text goes between single quotes",
    });
  }
}
