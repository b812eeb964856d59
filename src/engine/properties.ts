import { SqlError, type Span } from '../common/error.ts';
import { suggest } from '../sql/analyzer/suggest.ts';
import { topicPatterns } from './topic-patterns.ts';

/** A property that SET, a request or the command line may give. The table is also what SHOW PROPERTIES lists. */
export interface Property {
  readonly name: string;
  readonly default: string | null;
  readonly description: string;
  /** Only who starts the process may set it, with --set: no statement and no request changes it. */
  readonly atStartOnly?: true;
  /** Why a value is not allowed, or null. */
  check?(value: string): string | null;
}

const oneOf =
  (...values: string[]) =>
  (value: string): string | null =>
    values.includes(value.toLowerCase()) ? null : `must be one of ${values.join(', ')}`;

const wholeNumber = (value: string): string | null =>
  /^-?\d+$/.test(value) ? null : 'must be a whole number';

const truth = oneOf('true', 'false');

const patterns = (value: string): string | null => {
  try {
    topicPatterns(value);
    return null;
  } catch (error) {
    return `must be patterns separated by commas (${(error as Error).message})`;
  }
};

/** Of Kafka, Kafka Connect, schema registries and ksqlDB: its `ksql.hidden.topics`, and those that Kafka has made since. */
const SYSTEM_TOPICS =
  '_confluent.*,__confluent.*,_schemas,__consumer_offsets,__transaction_state,__share_group_state,' +
  '__remote_log_metadata,connect-configs,connect-offsets,connect-status,connect-statuses';

export const PROPERTIES: readonly Property[] = [
  {
    name: 'auto.offset.reset',
    default: 'earliest',
    description: 'where a query without progress begins: earliest or latest',
    check: oneOf('earliest', 'latest'),
  },
  {
    name: 'cache.max.bytes.buffering',
    default: '0',
    description: 'above 0: one change a key and commit instead of every change',
    check: wholeNumber,
  },
  {
    name: 'commit.interval.ms',
    default: '100',
    description: 'how often output, offsets and state are committed',
    check: wholeNumber,
  },
  {
    name: 'max.task.idle.ms',
    default: '0',
    description: 'how long a join waits for an empty input',
    check: wholeNumber,
  },
  {
    name: 'processing.guarantee',
    default: 'at_least_once',
    description: 'at_least_once, or more: the embedded log commits exactly once always, Kafka at least once',
    check: oneOf('at_least_once', 'exactly_once', 'exactly_once_beta', 'exactly_once_v2'),
  },
  {
    name: 'ksql.persistence.default.format.key',
    default: 'KAFKA',
    description: 'key format when none is given',
  },
  {
    name: 'ksql.persistence.default.format.value',
    default: null,
    description: 'value format when none is given',
  },
  {
    name: 'ksql.persistence.wrap.single.values',
    default: null,
    description: 'whether a single value column is written inside a record',
    check: truth,
  },
  {
    name: 'ksql.output.topic.name.prefix',
    default: '',
    description: 'put before the names of topics that CREATE … AS creates',
  },
  {
    name: 'ksql.query.pull.table.scan.enabled',
    default: 'true',
    description: 'whether a pull query may read a whole table',
    check: truth,
  },
  {
    name: 'ksql.query.pull.range.scan.enabled',
    default: 'true',
    description: 'whether a pull query may read a range of STRING keys where it may not read a whole table',
    check: truth,
  },
  {
    name: 'ksql.optimizer.enabled',
    default: 'true',
    description: 'whether plans are optimized; results are the same either way',
    check: truth,
  },
  {
    name: 'ksql.source.table.materialization.enabled',
    default: 'true',
    description: 'whether CREATE SOURCE TABLE keeps the rows of the table for pull queries',
    check: truth,
  },
  {
    name: 'ksql.hidden.topics',
    default: `_millrace_.*,${SYSTEM_TOPICS}`,
    description: 'topics that statements neither list nor read nor write: names and patterns',
    atStartOnly: true,
    check: patterns,
  },
  {
    name: 'ksql.readonly.topics',
    default: SYSTEM_TOPICS,
    description: 'topics that statements do not write, make or delete: names and patterns',
    atStartOnly: true,
    check: patterns,
  },
  {
    name: 'ksql.udfs.enabled',
    default: 'true',
    description: 'whether CREATE FUNCTION is allowed',
    atStartOnly: true,
    check: truth,
  },
];

/** Properties of ksqlDB and its clients that mean nothing here and are accepted, so that scripts run unchanged. */
const TOLERATED =
  /^(ksql\.|num\.stream\.threads$|topology\.optimization$|statestore\.|producer\.|consumer\.|default\.|idle\.)/;

/** `ksql.streams.auto.offset.reset` and `auto.offset.reset` are one property. */
export function propertyName(name: string): string {
  return name.replace(/^ksql\.streams\./, '').toLowerCase();
}

/**
 * Checks name and value. `given`: by a statement or request, or by who starts the process. Throws `SqlError`
 * ML_PROPERTY. Returns the canonical name.
 */
export function checkProperty(
  name: string,
  value: string,
  spans: { name?: Span; value?: Span } = {},
  given: 'later' | 'at-start' = 'later',
): string {
  const canonical = propertyName(name);
  const property = PROPERTIES.find((each) => each.name === canonical);
  if (property === undefined) {
    if (TOLERATED.test(canonical)) return canonical;
    throw new SqlError('ML_PROPERTY', `there is no property '${name}'`, {
      span: spans.name,
      hint: suggest(
        canonical,
        PROPERTIES.map((each) => each.name),
        'SHOW PROPERTIES lists them',
      ),
    });
  }
  if (property.atStartOnly === true && given === 'later')
    throw new SqlError('ML_PROPERTY', `property '${name}' is set when the process starts`, {
      span: spans.name,
      hint: `start it with --set ${canonical}=…`,
    });
  const reason = property.check?.(value) ?? null;
  if (reason !== null)
    throw new SqlError('ML_PROPERTY', `property '${name}' ${reason}, not '${value}'`, { span: spans.value });
  return canonical;
}

/** Whether only who starts the process may set it. */
export function isOfStart(name: string): boolean {
  return PROPERTIES.find((each) => each.name === name)?.atStartOnly === true;
}

/** The value of a property in a session, or its default. */
export function propertyValue(properties: ReadonlyMap<string, string>, name: string): string | null {
  const set = properties.get(name);
  if (set !== undefined) return set;
  return PROPERTIES.find((each) => each.name === name)?.default ?? null;
}
