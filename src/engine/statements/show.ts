import type { SourceKind } from '../../sql/parser/ast.ts';
import { fieldSchema } from '../describe.ts';
import type { Engine } from '../engine.ts';
import { describeSourceOf, failedListing, queryListing, sourceListing } from '../listings.ts';
import { describeFailed, describePushQuery, describeQuery } from '../query-description.ts';
import type { Entity } from '../result.ts';
import type { EntityStatement } from './definition.ts';
import { findSource } from '../../sql/analyzer/find-source.ts';

/** SHOW and DESCRIBE of streams, tables, topics, queries and types. */

export const showSources: EntityStatement<'showSources'> = {
  effect: 'reads',
  async run({ sourceKind, extended }, { engine }) {
    if (extended) return describeAll(engine, sourceKind, true);
    const listings = [...engine.catalog.sources()]
      .filter((each) => each.type === sourceKind)
      .map(sourceListing);
    return sourceKind === 'stream'
      ? { '@type': 'streams', streams: listings }
      : { '@type': 'tables', tables: listings };
  },
};

/** Hidden topics are shown with ALL; with EXTENDED, how many queries read each. */
export const showTopics: EntityStatement<'showTopics'> = {
  effect: 'reads',
  async run({ all, extended }, { engine }) {
    const names = await engine.log.admin.listTopics();
    const topics: { name: string; replicaInfo: readonly number[] }[] = [];
    for (const name of names) {
      if (!all && engine.reservedTopics.isHidden(name)) continue;
      const description = await engine.log.admin.describeTopic(name);
      if (description === undefined) continue;
      topics.push({
        name,
        replicaInfo: Array.from({ length: description.partitions }, () => description.replicas),
      });
    }
    if (!extended) return { '@type': 'kafka_topics', topics };
    const readers = (topic: string): number =>
      [...engine.queries.values()].filter((query) => query.lowered.sources.includes(topic)).length;
    return {
      '@type': 'kafka_topics_extended',
      topics: topics.map((topic) => ({
        ...topic,
        consumerCount: readers(topic.name),
        consumerGroupCount: readers(topic.name),
      })),
    };
  },
};

export const showQueries: EntityStatement<'showQueries'> = {
  effect: 'reads',
  run({ extended }, { engine }) {
    const failed = engine.failedStatements;
    // A query that could not be replaced does not run, and is listed with the statement that was to replace it.
    const persistent = [...engine.queries.values()].filter(
      (query) => !failed.some(({ id }) => id === query.id),
    );
    const push = [...engine.pushQueries.values()];
    if (extended)
      return {
        '@type': 'query_descriptions',
        queryDescriptions: [
          ...persistent.map((query) => describeQuery(engine, query)),
          ...failed.map(describeFailed),
          ...push.map(describePushQuery),
        ],
      };
    return {
      '@type': 'queries',
      queries: [
        ...persistent.map((query) => queryListing(engine, query)),
        ...failed.map(failedListing),
        ...push.map((query) => ({
          queryString: query.statementText,
          sinks: [],
          sinkKafkaTopics: [],
          id: query.queryId,
          statusCount: { RUNNING: 1 },
          queryType: 'PUSH' as const,
          state: 'RUNNING',
        })),
      ],
    };
  },
};

export const showTypes: EntityStatement<'showTypes'> = {
  effect: 'reads',
  run: (_statement, { engine }) => ({
    '@type': 'type_list',
    types: Object.fromEntries([...engine.catalog.types()].map(([name, type]) => [name, fieldSchema(type)])),
  }),
};

export const describeSource: EntityStatement<'describeSource'> = {
  effect: 'reads',
  async run({ name, nameSpan, extended }, { engine }) {
    const source = findSource(name, nameSpan, engine);
    return {
      '@type': 'sourceDescription',
      sourceDescription: await describeSourceOf(engine, source, extended),
    };
  },
};

export const describeSources: EntityStatement<'describeSources'> = {
  effect: 'reads',
  run: ({ sourceKind, extended }, { engine }) => describeAll(engine, sourceKind, extended),
};

async function describeAll(engine: Engine, sourceKind: SourceKind, extended: boolean): Promise<Entity> {
  const sources = engine.catalog.sources().filter((source) => source.type === sourceKind);
  const sourceDescriptions = await Promise.all(
    sources.map((source) => describeSourceOf(engine, source, extended)),
  );
  return { '@type': 'source_descriptions', sourceDescriptions };
}
