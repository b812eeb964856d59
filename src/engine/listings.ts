import type { CatalogSource } from '../sql/catalog/source.ts';
import { fieldDescription } from './describe.ts';
import type { Engine } from './engine.ts';
import { progressText } from '../streams/instance/restoration.ts';
import type { FailedStatement } from './failed-statements.ts';
import type { PersistentQuery } from './persistent-query.ts';
import { errorText, offsetSummaries, statisticsText } from './statistics.ts';
import type { QueryListing, SourceDescription, SourceListing } from './result.ts';

/** Sources and queries as SHOW and DESCRIBE list them. */

export function sourceListing(source: CatalogSource): SourceListing {
  return {
    type: source.type === 'stream' ? 'STREAM' : 'TABLE',
    name: source.name,
    topic: source.topic,
    keyFormat: source.keyFormat.name,
    valueFormat: source.valueFormat.name,
    isWindowed: source.window !== null,
  };
}

/** Names of what a query writes: one, or none where it only keeps rows. */
export function sinksOf({ sink }: PersistentQuery): readonly string[] {
  return sink === null ? [] : [sink];
}

/** Where a query runs that waits here. */
export function ownerOf(engine: Engine): { readonly owner?: string } {
  const owner = engine.isActive ? null : (engine.ownership?.owner ?? null);
  return owner === null ? {} : { owner };
}

export function queryListing(engine: Engine, query: PersistentQuery): QueryListing {
  return {
    queryString: query.statementText,
    sinks: sinksOf(query),
    sinkKafkaTopics: query.sinkTopic === null ? [] : [query.sinkTopic],
    id: query.id,
    statusCount: { [query.state]: 1 },
    queryType: 'PERSISTENT',
    state: query.state,
    ...ownerOf(engine),
    ...restoringOf(query),
  };
}

/** How far a query is that restores its state. */
export function restoringOf({ restoration }: PersistentQuery): { readonly restoring?: string } {
  return restoration === null ? {} : { restoring: progressText(restoration) };
}

/** A statement that could not be replayed: among the queries, because that is where users look for what is wrong. */
export function failedListing({ id, text, sinks }: FailedStatement): QueryListing {
  return {
    queryString: text,
    sinks,
    sinkKafkaTopics: [],
    id,
    statusCount: { ERROR: 1 },
    queryType: 'PERSISTENT',
    state: 'ERROR',
  };
}

export async function describeSourceOf(
  engine: Engine,
  source: CatalogSource,
  extended: boolean,
): Promise<SourceDescription> {
  const queries = [...engine.queries.values()];
  const used = queries.filter((query) => query.sink === source.name || query.sources.includes(source.name));
  const listed = (query: PersistentQuery): QueryListing => queryListing(engine, query);
  const { key, value, headers } = source.schema;
  const topic = await engine.log.admin.describeTopic(source.topic);
  return {
    name: source.name,
    windowType: source.window?.kind.toUpperCase() ?? null,
    readQueries: queries.filter((query) => query.sources.includes(source.name)).map(listed),
    writeQueries: queries.filter((query) => query.sink === source.name).map(listed),
    fields: [
      ...key.map((column) => fieldDescription(column, 'KEY')),
      ...value.map((column) => fieldDescription(column)),
      ...headers.map((column) => fieldDescription(column, 'HEADER')),
    ],
    type: source.type === 'stream' ? 'STREAM' : 'TABLE',
    timestamp: source.timestamp?.column ?? '',
    statistics: extended ? statisticsText(used) : '',
    errorStats: extended ? errorText(used) : '',
    extended,
    keyFormat: source.keyFormat.name,
    valueFormat: source.valueFormat.name,
    topic: source.topic,
    partitions: topic?.partitions ?? 0,
    replication: topic?.replicas ?? 0,
    statement: source.statementText,
    queryOffsetSummaries: extended ? await offsetSummaries(engine, used) : [],
    sourceConstraints: queries.filter((query) => query.sources.includes(source.name)).flatMap(sinksOf),
    clusterStatistics: [],
    clusterErrorStats: [],
  };
}
