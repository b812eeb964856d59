import { TIMER_MS_MAX } from '../common/clock.ts';
import { FORMATS } from '../formats/every-format.ts';
import { DEFAULT_KEY_FORMAT } from '../formats/registry.ts';
import { COMPRESSIONS } from '../log/codecs.ts';
import { PRODUCER_SETTINGS } from '../log/kafka/settings/client-settings.ts';
import { LINGER_MS_MAX } from '../log/log.ts';
import { REQUEST_BYTES_LIMIT } from '../log/slab-appender.ts';
import { matching, nameOf, oneOf, type PropertyValue, truth, wholeNumber } from './property-value.ts';
import { topicPatterns } from './topic-patterns.ts';

/** A property that SET, a request or the command line may give. The table is also what SHOW PROPERTIES lists. */
export interface Property {
  readonly name: string;
  readonly default: string | null;
  readonly description: string;
  /** Only --set, at the start of the process, may set it: no statement and no request changes it. */
  readonly atStartOnly?: true;
  readonly value: PropertyValue;
}

const format = nameOf(
  'a format',
  FORMATS.map(({ name }) => name),
);

const patterns: PropertyValue = {
  description: 'names and patterns of topics, separated by commas',
  read(text) {
    try {
      topicPatterns(text);
      return text;
    } catch {
      return null;
    }
  },
};

/** Topics of Kafka, Kafka Connect, schema registries and ksqlDB: ksqlDB's `ksql.hidden.topics`, and later ones of Kafka. */
const SYSTEM_TOPICS =
  '_confluent.*,__confluent.*,_schemas,__consumer_offsets,__transaction_state,__share_group_state,' +
  '__remote_log_metadata,connect-configs,connect-offsets,connect-status,connect-statuses';

export const PROPERTIES: readonly Property[] = [
  {
    name: 'auto.offset.reset',
    default: 'earliest',
    description: 'where a query without progress begins: earliest or latest',
    value: oneOf('earliest', 'latest'),
  },
  {
    name: 'cache.max.bytes.buffering',
    default: '0',
    description: 'above 0: one change a key and commit instead of every change',
    value: wholeNumber(0),
  },
  {
    name: 'commit.interval.ms',
    default: '100',
    description: 'how often output, offsets and state are committed',
    value: wholeNumber(0, TIMER_MS_MAX),
  },
  {
    name: 'transaction.timeout.ms',
    default: null,
    description:
      'on Kafka, how long the brokers wait for a query that does not commit; 10000, or three commit intervals, when it is not set',
    value: wholeNumber(1, TIMER_MS_MAX),
  },
  {
    name: 'session.timeout.ms',
    default: '10000',
    description: 'on Kafka, after what silence of the process that runs the queries another one takes over',
    atStartOnly: true,
    value: wholeNumber(1000, TIMER_MS_MAX),
  },
  {
    name: 'max.task.idle.ms',
    default: '0',
    description: 'how long a join waits for an empty input; -1: not even for what is known to be there',
    value: wholeNumber(-1, TIMER_MS_MAX),
  },
  {
    name: 'processing.guarantee',
    default: 'exactly_once_v2',
    description:
      'on Kafka, whether a query commits output and progress in one transaction; the embedded log always does',
    value: oneOf('at_least_once', 'exactly_once', 'exactly_once_beta', 'exactly_once_v2'),
  },
  {
    name: 'compression.type',
    default: null,
    description: 'how queries compress what they write; as the connection to Kafka says when it is not set',
    value: oneOf(...COMPRESSIONS),
  },
  {
    name: 'linger.ms',
    default: null,
    description:
      'on Kafka, for how many milliseconds, at most, output waits for more; as the connection to Kafka says, or 5, when it is not set',
    value: wholeNumber(0, LINGER_MS_MAX),
  },
  {
    name: 'max.request.size',
    default: null,
    description:
      'the largest record that a query writes, in bytes; as the connection to Kafka says, or 1048576, when it is not set',
    value: wholeNumber(1, REQUEST_BYTES_LIMIT),
  },
  {
    name: 'replication.factor',
    default: '-1',
    description: 'replicas of repartition and changelog topics; -1: as the brokers have it',
    value: wholeNumber(-1, 32_767),
  },
  {
    name: 'ksql.internal.topic.replicas',
    default: '-1',
    description: "replicas of the engine's own topics, when they are made; -1: as the brokers have it",
    atStartOnly: true,
    value: wholeNumber(-1, 32_767),
  },
  {
    name: 'ksql.persistence.default.format.key',
    default: DEFAULT_KEY_FORMAT,
    description: 'key format when none is given',
    value: format,
  },
  {
    name: 'ksql.persistence.default.format.value',
    default: null,
    description: 'value format when none is given',
    value: format,
  },
  {
    name: 'ksql.persistence.wrap.single.values',
    default: null,
    description: 'whether a single value column is written inside a record',
    value: truth,
  },
  {
    name: 'ksql.output.topic.name.prefix',
    default: '',
    description: 'put before the names of topics that CREATE … AS creates',
    value: matching('up to 200 letters, digits, dots, underscores and dashes', /^[a-zA-Z0-9._-]{0,200}$/),
  },
  {
    name: 'ksql.query.pull.table.scan.enabled',
    default: 'true',
    description: 'whether a pull query may read a whole table',
    value: truth,
  },
  {
    name: 'ksql.query.pull.range.scan.enabled',
    default: 'true',
    description: 'whether a pull query may read a range of STRING keys where it may not read a whole table',
    value: truth,
  },
  {
    name: 'ksql.query.pull.limit.clause.enabled',
    default: 'true',
    description: 'whether a pull query may have LIMIT',
    value: truth,
  },
  {
    name: 'ksql.query.pull.stream.enabled',
    default: 'true',
    description: 'whether a pull query may read a stream',
    value: truth,
  },
  {
    name: 'ksql.query.push.v2.enabled',
    default: 'false',
    description: 'whether push queries that ksqlDB would answer from a running query have ids as there',
    value: truth,
  },
  {
    name: 'ksql.optimizer.enabled',
    default: 'true',
    description: 'whether plans are optimized; results are the same either way',
    value: truth,
  },
  {
    name: 'ksql.source.table.materialization.enabled',
    default: 'true',
    description: 'whether CREATE SOURCE TABLE keeps the rows of the table for pull queries',
    value: truth,
  },
  {
    name: 'ksql.functions.collect_list.limit',
    default: null,
    description: 'how many items COLLECT_LIST keeps; all when it is not set',
    value: wholeNumber(0),
  },
  {
    name: 'ksql.functions.collect_set.limit',
    default: null,
    description: 'how many items COLLECT_SET keeps; all when it is not set',
    value: wholeNumber(0),
  },
  {
    name: 'ksql.timestamp.throw.on.invalid',
    default: 'false',
    description:
      'whether a record whose TIMESTAMP column is no time stops its query; it is skipped otherwise',
    value: truth,
  },
  {
    name: 'ksql.new.query.planner.enabled',
    default: 'false',
    description: 'whether key columns of streams may be left out of SELECT',
    value: truth,
  },
  {
    name: 'ksql.hidden.topics',
    default: `_millrace_.*,${SYSTEM_TOPICS}`,
    description: 'topics that statements neither list nor read nor write: names and patterns',
    atStartOnly: true,
    value: patterns,
  },
  {
    name: 'ksql.readonly.topics',
    default: SYSTEM_TOPICS,
    description: 'topics that statements do not write, make or delete: names and patterns',
    atStartOnly: true,
    value: patterns,
  },
  {
    name: 'ksql.udfs.enabled',
    default: 'true',
    description: 'whether CREATE FUNCTION is allowed',
    atStartOnly: true,
    value: truth,
  },
];

/** By each name of what only a producer has: the property's. */
const PRODUCER_NAMES: ReadonlyMap<string, string> = new Map(
  Object.values(PRODUCER_SETTINGS).flatMap((names) => {
    const all = names.split(' ');
    return all.map((name) => [name, all[0]!] as const);
  }),
);

/**
 * `ksql.streams.auto.offset.reset` and `auto.offset.reset` are one property, and so are the names that Java and librdkafka
 * have for what only a producer has, with `producer.` before them or not.
 */
export function propertyName(name: string): string {
  const canonical = name.toLowerCase().replace(/^ksql\.streams\./, '');
  return PRODUCER_NAMES.get(canonical.replace(/^producer\./, '')) ?? canonical;
}

/** Whether only the start of the process may set it. */
export function isOfStart(name: string): boolean {
  return PROPERTIES.find((each) => each.name === name)?.atStartOnly === true;
}

/** The value of a property in a session, or its default. */
export function propertyValue(properties: ReadonlyMap<string, string>, name: string): string | null {
  const set = properties.get(name);
  if (set !== undefined) return set;
  return PROPERTIES.find((each) => each.name === name)?.default ?? null;
}
