import { createHash } from 'node:crypto';
import type { Compression } from '../log/codecs.ts';
import type { ProducerOptions } from '../log/log.ts';
import { SqlError } from '../common/error.ts';
import { recordPolicies } from '../sql/lower/record-policies.ts';
import { forgetApplication } from '../streams/application/forget-application.ts';
import { changelogTopicOf, repartitionTopicOf } from '../streams/instance/internal-topics.ts';
import type { StreamsOptions } from '../streams/instance/streams-options.ts';
import type { Engine } from './engine.ts';
import { propertyValue } from './properties.ts';
import { ownName } from './reserved-topics.ts';
import type { StoredQuery } from './stored-query.ts';

/** A query is an application of the streams: its name, its settings, and what it leaves behind. */

/** Names of topics begin with it: Kafka takes 249 characters. */
const APPLICATION_ID_MAX = 180;

/** It stands in the names of topics and of a directory, and a quoted name in an id may hold anything. */
export function applicationIdOf(queryId: string, { serviceId }: Pick<Engine, 'serviceId'>): string {
  const plain = queryId.replaceAll(/[^a-zA-Z0-9._-]+/g, (other) => `.${Buffer.from(other).toString('hex')}`);
  const name = ownName(serviceId, `query_${plain}`);
  if (name.length <= APPLICATION_ID_MAX) return name;
  const digest = createHash('sha256').update(queryId).digest('hex').slice(0, 16);
  return `${name.slice(0, APPLICATION_ID_MAX - digest.length - 1)}.${digest}`;
}

/**
 * Settings of a query's application, from the session's properties. `skips`: what becomes of records that it skips. Throws
 * `SqlError` for properties that do not go together.
 */
export function streamsOptions(
  engine: Engine,
  queryId: string,
  properties: ReadonlyMap<string, string>,
  skips: Pick<StreamsOptions, 'onSkip' | 'keepSkipped'> = {},
): StreamsOptions {
  const { log, state, stateDirectory, clock, logger } = engine.options;
  const commitIntervalMs = Number(propertyValue(properties, 'commit.interval.ms'));
  const isExactlyOnce = propertyValue(properties, 'processing.guarantee')!.startsWith('exactly_once');
  const timeoutMs = propertyValue(properties, 'transaction.timeout.ms');
  if (timeoutMs !== null && Number(timeoutMs) <= commitIntervalMs)
    throw new SqlError(
      'ML_PROPERTY',
      `transaction.timeout.ms (${timeoutMs}) must be longer than commit.interval.ms (${commitIntervalMs})`,
    );
  return {
    applicationId: applicationIdOf(queryId, engine),
    log,
    state,
    stateDirectory,
    clock,
    logger,
    processingGuarantee: isExactlyOnce ? 'exactly_once_v2' : 'at_least_once',
    ...(timeoutMs === null ? {} : { transactionTimeoutMs: Number(timeoutMs) }),
    commitIntervalMs,
    offsetReset: propertyValue(properties, 'auto.offset.reset') === 'latest' ? 'latest' : 'earliest',
    maxIdleMs: Number(propertyValue(properties, 'max.task.idle.ms')),
    producer: producerOptions(properties),
    internalTopics: {
      replicas: Number(propertyValue(properties, 'replication.factor')),
      configs: topicConfigs(properties),
    },
    ...recordPolicies,
    ...skips,
  };
}

/** How a query sends what it writes. */
export function producerOptions(properties: ReadonlyMap<string, string>): ProducerOptions {
  const compression = propertyValue(properties, 'compression.type');
  const requestBytesMax = propertyValue(properties, 'max.request.size');
  const lingerMs = propertyValue(properties, 'linger.ms');
  return {
    ...(compression === null ? {} : { compression: compression as Compression }),
    ...(requestBytesMax === null ? {} : { requestBytesMax: Number(requestBytesMax) }),
    ...(lingerMs === null ? {} : { lingerMs: Number(lingerMs) }),
  };
}

const TOPIC_PREFIX = 'topic.';

/** `topic.min.insync.replicas` is a setting of the topics that a query makes for itself. */
function topicConfigs(properties: ReadonlyMap<string, string>): Record<string, string> {
  const configs: Record<string, string> = {};
  for (const [name, value] of properties)
    if (name.startsWith(TOPIC_PREFIX)) configs[name.slice(TOPIC_PREFIX.length)] = value;
  return configs;
}

/** Offsets, internal topics, changelogs and local state of a query that does not run. */
export async function forgetState(
  engine: Engine,
  queryId: string,
  { stores, topics }: StoredQuery,
): Promise<void> {
  const { log, stateDirectory } = engine.options;
  const applicationId = applicationIdOf(queryId, engine);
  await forgetApplication({ log, applicationId, stateDirectory }, [
    ...topics.map((topic) => repartitionTopicOf(applicationId, topic)),
    ...stores.map((store) => changelogTopicOf(applicationId, store)),
  ]);
}
