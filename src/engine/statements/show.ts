import { fieldSchema } from '../describe.ts';
import { describeSourceOf, queryListing, sourceListing } from '../listings.ts';
import { answer, type StatementHandler } from './answer.ts';
import { findSource } from './find-source.ts';

/** SHOW and DESCRIBE of streams, tables, topics, queries and types. */

export const showSources: StatementHandler<'showSources'> = ({ sourceKind }, { engine }) => {
  const listings = [...engine.catalog.sources()]
    .filter((each) => each.type === sourceKind)
    .map(sourceListing);
  return answer(
    sourceKind === 'stream'
      ? { '@type': 'streams', streams: listings }
      : { '@type': 'tables', tables: listings },
  );
};

/** Topics of the service's own are shown with ALL. */
export const showTopics: StatementHandler<'showTopics'> = async ({ all }, { engine }) => {
  const names = await engine.log.admin.listTopics();
  const topics: { name: string; replicaInfo: readonly number[] }[] = [];
  for (const name of names) {
    if (!all && name.startsWith('_')) continue;
    const description = await engine.log.admin.describeTopic(name);
    if (description === undefined) continue;
    topics.push({
      name,
      replicaInfo: Array.from({ length: description.partitions }, () => description.replicas),
    });
  }
  return answer({ '@type': 'kafka_topics', topics });
};

export const showQueries: StatementHandler<'showQueries'> = (_statement, { engine }) =>
  answer({
    '@type': 'queries',
    queries: [
      ...[...engine.queries.values()].map(queryListing),
      ...[...engine.pushQueries.values()].map((query) => ({
        queryString: query.statementText,
        sinks: [],
        sinkKafkaTopics: [],
        id: query.queryId,
        statusCount: { RUNNING: 1 },
        queryType: 'PUSH' as const,
        state: 'RUNNING',
      })),
    ],
  });

export const showTypes: StatementHandler<'showTypes'> = (_statement, { engine }) =>
  answer({
    '@type': 'type_list',
    types: Object.fromEntries([...engine.catalog.types()].map(([name, type]) => [name, fieldSchema(type)])),
  });

export const describeSource: StatementHandler<'describeSource'> = async (
  { name, nameSpan, extended },
  { engine },
) => {
  const source = findSource(engine, name, nameSpan);
  return answer({
    '@type': 'sourceDescription',
    sourceDescription: await describeSourceOf(engine, source, extended),
  });
};

export const describeSources: StatementHandler<'describeSources'> = async (
  { sourceKind, extended },
  { engine },
) => {
  const sources = engine.catalog.sources().filter((source) => source.type === sourceKind);
  const sourceDescriptions = await Promise.all(
    sources.map((source) => describeSourceOf(engine, source, extended)),
  );
  return answer({ '@type': 'source_descriptions', sourceDescriptions });
};
