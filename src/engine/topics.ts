import { SqlError, type Span } from '../common/error.ts';
import { type LogAdmin, LogError } from '../log/log.ts';
import type { CatalogSource } from '../sql/catalog/source.ts';
import type { StatementCall } from './engine.ts';
import { mentionedBy } from './statements/names.ts';

export interface TopicRequest {
  readonly name: string;
  /** Null: whatever it has; needed when it does not exist. */
  readonly partitions: number | null;
  readonly replicas: number | null;
  readonly configs: Readonly<Record<string, string>>;
  readonly span: Span | undefined;
  readonly sourceKind: 'stream' | 'table';
}

/**
 * The partition count of a topic that a statement names; creates it when the statement says how. Of a statement that is
 * replayed nothing is asked and nothing is made: 0 when the topic is not there.
 * Throws `SqlError` ML_TOPIC when it is missing without PARTITIONS, exists with another count, or may not be made.
 */
export async function ensureTopic(
  { engine: { log, reservedTopics }, replayed }: StatementCall,
  request: TopicRequest,
): Promise<number> {
  const { admin } = log;
  const { name, partitions, replicas, span } = request;
  const existing = await admin.describeTopic(name);
  if (replayed !== null) return existing?.partitions ?? 0;
  if (existing !== undefined) {
    if (partitions !== null && partitions !== existing.partitions)
      throw new SqlError(
        'ML_TOPIC',
        `topic ${name} has ${existing.partitions} partitions, not ${partitions}`,
        {
          span,
          // CREATE … AS asks for as many as its source has where PARTITIONS is left out.
          hint: `PARTITIONS=${existing.partitions} in the WITH clause takes the topic as it is`,
        },
      );
    return existing.partitions;
  }
  if (partitions === null)
    throw new SqlError('ML_TOPIC', `topic ${name} does not exist`, {
      span,
      hint: `add PARTITIONS=<n> to the WITH clause to create it with the ${request.sourceKind}`,
    });
  reservedTopics.checkWritable(name, span);
  try {
    await admin.createTopic({
      name,
      partitions,
      ...(replicas === null ? {} : { replicas }),
      configs: request.configs,
    });
  } catch (error) {
    if (error instanceof LogError && error.kind === 'invalid-topic')
      throw new SqlError('ML_TOPIC', `topic ${name} cannot be created: ${error.message}`, { span });
    throw error;
  }
  return partitions;
}

/**
 * Brings the catalog up to date with the partitions of the topics that a statement of now reads: they may have got more
 * since the sources were declared.
 */
export async function lookAtPartitions({ engine, parsed, replayed }: StatementCall): Promise<void> {
  if (replayed !== null) return;
  for (const key of mentionedBy(parsed.statement)) {
    const source = key.startsWith('source:') ? engine.catalog.get(key.slice('source:'.length)) : undefined;
    if (source === undefined) continue;
    const found = await engine.log.admin.describeTopic(source.topic);
    // It may have been dropped or altered meanwhile.
    const now = engine.catalog.get(source.name);
    if (found !== undefined && now?.topic === source.topic && now.partitions !== found.partitions)
      engine.catalog.replace({ ...now, partitions: found.partitions });
  }
}

/** How many partitions a source's topic has. Throws `SqlError` ML_TOPIC when it has gone since it was declared. */
export async function partitionsOf(
  admin: LogAdmin,
  { name, topic, partitions }: CatalogSource,
): Promise<number> {
  if (partitions > 0) return partitions;
  const found = await admin.describeTopic(topic);
  if (found === undefined)
    throw new SqlError('ML_TOPIC', `topic ${topic} of ${name} does not exist any more`);
  return found.partitions;
}
