import { SqlError, type Span } from '../common/error.ts';
import { propertyValue } from './properties.ts';
import { topicPatterns } from './topic-patterns.ts';

/** The beginning of the names of all topics that a service makes for itself: commands, changelogs, repartition topics. */
const OWN_PREFIX = '_millrace_';

/** The name of a topic or group that a service keeps for itself. Statements of all services leave it alone. */
export function ownName(serviceId: string, rest: string): string {
  return `${OWN_PREFIX}${serviceId}_${rest}`;
}

/** The topic of a service's processing log: everybody may read it. */
export function processingLogTopic(serviceId: string): string {
  return `${serviceId}_processing_log`;
}

/**
 * Which topics statements may not read or write, by name: those that services keep for themselves, and those of
 * Kafka, Connect and schema registries. What is hidden is not listed, read or written; what is read-only is not
 * written. Who starts the process may change both lists (`ksql.hidden.topics`, `ksql.readonly.topics`), but
 * nobody can have a topic of a service's own written.
 */
export class ReservedTopics {
  readonly #processingLog: string;
  readonly #hidden: readonly RegExp[];
  readonly #readOnly: readonly RegExp[];

  /** `properties`: those of the process. Their patterns are checked where they are given. */
  constructor(serviceId: string, properties: ReadonlyMap<string, string>) {
    this.#processingLog = processingLogTopic(serviceId);
    this.#hidden = topicPatterns(propertyValue(properties, 'ksql.hidden.topics'));
    this.#readOnly = topicPatterns(propertyValue(properties, 'ksql.readonly.topics'));
  }

  isHidden(topic: string): boolean {
    return matches(this.#hidden, topic);
  }

  /** Throws `SqlError` ML_TOPIC when statements may not read the topic. `span`: where it is named. */
  checkReadable(topic: string, span: Span | undefined): void {
    if (!this.isHidden(topic)) return;
    const own = topic.startsWith(OWN_PREFIX);
    throw new SqlError('ML_TOPIC', `topic ${topic} is ${own ? OF_SERVICES : 'hidden'} and cannot be read`, {
      span,
      hint: 'whoever starts the process can open it: --set ksql.hidden.topics=<other patterns>',
    });
  }

  /** Throws `SqlError` ML_TOPIC when statements may not create, write or delete the topic. */
  checkWritable(topic: string, span: Span | undefined): void {
    const refuse = (what: string, hint: string): never => {
      throw new SqlError('ML_TOPIC', `topic ${topic} is ${what} and cannot be written, made or deleted`, {
        span,
        hint,
      });
    };
    if (topic.startsWith(OWN_PREFIX)) refuse(OF_SERVICES, 'choose another name');
    if (topic === this.#processingLog) refuse('the processing log', 'it can be read, and nothing else');
    for (const [patterns, what, property] of [
      [this.#hidden, 'hidden', 'ksql.hidden.topics'],
      [this.#readOnly, 'read-only', 'ksql.readonly.topics'],
    ] as const)
      if (matches(patterns, topic))
        refuse(
          what,
          `choose another name, or have the process started with --set ${property}=<other patterns>`,
        );
  }
}

const OF_SERVICES = 'kept by a service for itself';

function matches(patterns: readonly RegExp[], topic: string): boolean {
  return patterns.some((pattern) => pattern.test(topic));
}
