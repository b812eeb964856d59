import { must } from '../../common/assert.ts';
import { sleep } from '../../common/clock.ts';
import { type LogAdmin, LogError } from '../../log/log.ts';
import type { StoreNode, SubTopology, Topology } from '../topology/topology.ts';
import { internalCountError } from './partition-counts.ts';
import type { StreamsOptions } from './streams-options.ts';

/** The topics that a topology needs, with their partitions, by the topology's own names. */
export interface TopicPlan {
  /** Partition counts of every topic that is read, by the topology's name for it. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Ids of the topics of others that are read, where the log tells them. */
  readonly topicIds: ReadonlyMap<string, string>;
  /** Partition counts of every topic that is written, by the log's name for it. */
  readonly sinkPartitions: ReadonlyMap<string, number>;
  /** The topology's name to the log's name. */
  readonly topicName: (topic: string) => string;
  /** The log's name of a store's changelog. */
  readonly changelogName: (store: string) => string;
}

const DESCRIBE_ATTEMPTS = 200;
const DESCRIBE_PAUSE_MS = 50;

/** Kafka Streams adds a day to the retention of changelogs that hold times, so that clock skew loses nothing. */
const ADDITIONAL_RETENTION_MS = 24 * 60 * 60 * 1000;

/** As Kafka Streams names them. `topic`: as the topology names it. */
export function repartitionTopicOf(applicationId: string, topic: string): string {
  return `${applicationId}-${topic}`;
}

export function changelogTopicOf(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/**
 * Finds out the partition counts, and creates repartition and changelog topics that are missing. A repartition topic that
 * is there keeps its count, whatever the topics that feed it have by now. Throws `LogError` `unknown-topic` for a source
 * topic that does not exist, `partition-count` for an internal topic that exists with another count than is needed.
 */
export async function prepareTopics(
  topology: Topology,
  options: Pick<
    StreamsOptions,
    'applicationId' | 'log' | 'clock' | 'changelogs' | 'transient' | 'internalTopics'
  >,
): Promise<TopicPlan> {
  const { applicationId, transient = false, changelogs = true, internalTopics = {} } = options;
  const { admin } = options.log;
  const repartitions = new Map(topology.repartitionTopics.map((topic) => [topic.name, topic]));
  const topicName = (topic: string): string =>
    repartitions.has(topic) ? repartitionTopicOf(applicationId, topic) : topic;
  const changelogName = (store: string): string => changelogTopicOf(applicationId, store);
  const subTopologies = topology.subTopologies();
  const partitions = new Map<string, number>();

  const topicIds = new Map<string, string>();
  for (const topic of topicsRead(topology)) {
    if (repartitions.has(topic)) continue;
    const description = await admin.describeTopic(topic);
    if (description === undefined) throw new LogError('unknown-topic', `topic ${topic} does not exist`);
    partitions.set(topic, description.partitions);
    if (description.id !== undefined) topicIds.set(topic, description.id);
  }
  const existing = new Map<string, number>();
  for (const { name, partitions: fixed } of topology.repartitionTopics) {
    const description = fixed === null ? await admin.describeTopic(topicName(name)) : undefined;
    if (description !== undefined) existing.set(name, description.partitions);
  }
  const counts = repartitionCounts(topology, subTopologies, partitions, existing);
  for (const [name, count] of counts) {
    partitions.set(name, count);
    if (existing.has(name)) continue;
    await ensureTopic(options, topicName(name), count, {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'message.timestamp.type': 'CreateTime',
      ...internalTopics.configs,
    });
  }
  if (changelogs && !transient)
    for (const sub of subTopologies)
      for (const store of sub.stores)
        if (store.options.changelog && store.sourceTopic === undefined)
          await ensureTopic(
            options,
            changelogName(store.options.name),
            taskCount(sub, partitions),
            changelogConfigs(store, internalTopics.configs),
            sourcesOf(sub).find((topic) => partitions.get(topic) === taskCount(sub, partitions)),
          );
  const sinkPartitions = await describeSinks(topology, admin, topicName);
  return { partitions, topicIds, sinkPartitions, topicName, changelogName };
}

/** Sinks that choose a topic per record may choose any that exists at the start. */
async function describeSinks(
  topology: Topology,
  admin: LogAdmin,
  topicName: (topic: string) => string,
): Promise<Map<string, number>> {
  const names = new Set<string>();
  for (const node of topology.nodes) {
    if (node.kind !== 'sink') continue;
    if (typeof node.topic === 'string') names.add(topicName(node.topic));
    else for (const name of await admin.listTopics()) names.add(name);
  }
  const partitions = new Map<string, number>();
  for (const name of names) {
    const description = await admin.describeTopic(name);
    if (description === undefined) throw new LogError('unknown-topic', `topic ${name} does not exist`);
    partitions.set(name, description.partitions);
  }
  return partitions;
}

/** How many tasks a sub-topology has: the greatest partition count of its sources. */
export function taskCount(sub: SubTopology, partitions: ReadonlyMap<string, number>): number {
  return Math.max(0, ...sourcesOf(sub).map((topic) => must(partitions.get(topic), `no count for ${topic}`)));
}

/** The topics that a topology reads, those of global stores too, by its own names. */
export function topicsRead(topology: Topology): readonly string[] {
  const globals = topology.globalStores.flatMap(({ source }) => source.topics);
  return [...topology.subTopologies().flatMap(sourcesOf), ...globals];
}

/** The topics that a sub-topology reads, by the topology's names. */
export function sourcesOf({ nodes }: SubTopology): readonly string[] {
  return nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []));
}

/**
 * Partition counts of the repartition topics: as fixed, else as they are there, else what topics read together with it
 * have, else the greatest of the topics that feed it. Throws `LogError` `partition-count` when topics that are read
 * together have different counts that nobody may change.
 */
function repartitionCounts(
  topology: Topology,
  subTopologies: readonly SubTopology[],
  sources: ReadonlyMap<string, number>,
  existing: ReadonlyMap<string, number>,
): Map<string, number> {
  const fixed = new Map([...existing, ...sources]);
  for (const { name, partitions } of topology.repartitionTopics)
    if (partitions !== null) fixed.set(name, partitions);
  const groups = copartitionGroups(topology);
  const counts = new Map<string, number>();
  const countOf = (topic: string, visiting: ReadonlySet<string>): number => {
    const known = fixed.get(topic) ?? counts.get(topic);
    if (known !== undefined) return known;
    const group = groups.find((topics) => topics.has(topic)) ?? new Set([topic]);
    for (const other of group) {
      const count = fixed.get(other);
      if (count !== undefined) return count;
    }
    const seen = new Set([...visiting, ...group]);
    let count = 1;
    for (const member of group)
      for (const sub of subTopologies) {
        if (!sub.nodes.some((node) => node.kind === 'sink' && node.topic === member)) continue;
        for (const node of sub.nodes)
          if (node.kind === 'source')
            for (const feeding of node.topics)
              if (!seen.has(feeding)) count = Math.max(count, countOf(feeding, seen));
      }
    return count;
  };
  for (const { name } of topology.repartitionTopics) counts.set(name, countOf(name, new Set()));
  for (const topics of groups) {
    const list = [...topics].map((topic) => ({ topic, count: fixed.get(topic) ?? must(counts.get(topic)) }));
    if (new Set(list.map(({ count }) => count)).size > 1)
      throw new LogError(
        'partition-count',
        `topics that are joined must have the same number of partitions, but ` +
          `${list.map(({ topic, count }) => `${topic} has ${count}`).join(' and ')}; repartition one of them`,
      );
  }
  return counts;
}

/** Topics that are read together, by way of others or directly. */
function copartitionGroups(topology: Topology): ReadonlySet<string>[] {
  let groups: Set<string>[] = [];
  for (const topics of topology.copartitions) {
    const joined = new Set(topics);
    for (const group of groups)
      if (topics.some((topic) => group.has(topic))) for (const topic of group) joined.add(topic);
    groups = [...groups.filter((group) => ![...group].some((topic) => joined.has(topic))), joined];
  }
  return groups;
}

async function ensureTopic(
  { log: { admin }, clock, internalTopics }: Pick<StreamsOptions, 'log' | 'clock' | 'internalTopics'>,
  name: string,
  partitions: number,
  configs: Readonly<Record<string, string>>,
  cause?: string,
): Promise<void> {
  const replicas = internalTopics?.replicas ?? -1;
  if (await admin.createTopic({ name, partitions, replicas, configs })) return;
  let existing = await admin.describeTopic(name);
  // Another instance may be creating it just now: Kafka says that it exists before its brokers can describe it.
  for (let attempt = 0; existing === undefined && attempt < DESCRIBE_ATTEMPTS; attempt++) {
    await sleep(clock, DESCRIBE_PAUSE_MS);
    existing = await admin.describeTopic(name);
  }
  if (existing === undefined)
    throw new LogError('unavailable', `internal topic ${name} exists, but cannot be described`);
  if (existing.partitions !== partitions)
    throw internalCountError(name, existing.partitions, partitions, cause);
}

/** `given`: of the application, over what is fit for the store, but for how long its rows must stay. */
function changelogConfigs(
  store: StoreNode,
  given: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const base = { 'message.timestamp.type': 'CreateTime', ...given };
  const own = store.changelogConfigs;
  const { options } = store;
  switch (options.kind) {
    case 'key-value':
      return { 'cleanup.policy': 'compact', ...base, ...own };
    case 'versioned':
      // A version must stay in the changelog as long as the store answers for its time.
      return {
        'cleanup.policy': 'compact',
        ...base,
        'min.compaction.lag.ms': String(options.historyRetentionMs + ADDITIONAL_RETENTION_MS),
        ...own,
      };
    case 'window':
    case 'session':
      return {
        'cleanup.policy': 'compact,delete',
        ...base,
        'retention.ms': Number.isFinite(options.retentionMs)
          ? String(options.retentionMs + ADDITIONAL_RETENTION_MS)
          : '-1',
        ...own,
      };
  }
}
