import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { LogError } from '../log.ts';
import type { Log, LogReader, LogWriter, ProducerOptions, ReaderOptions, WriterOptions } from '../log.ts';
import type { Membership, MembershipOptions } from '../membership.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { KafkaMemberships } from './kafka-membership.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { rareWarnings } from './rare-warnings.ts';
import { type ConnectionOptionsOfLog, openConnections } from './kafkajs-connections.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export interface KafkaLogOptions {
  /** `host:port` each; any one that answers will do. */
  readonly brokers: readonly string[];
  /** Our name in the brokers' logs and quotas. */
  readonly clientId: string;
  readonly sasl?: SASLOptions;
  readonly ssl?: boolean | ConnectionOptions;
  /** How writers send that are opened without saying so. */
  readonly writer?: ProducerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The log in a Kafka cluster, version 2.3 or later. Throws `LogError`: `unavailable` when no broker answers within ten
 * seconds, `unauthorized` when the login is refused.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const { brokers, clock } = options;
  const logger = rareWarnings(options.logger, clock);
  const openBroker = await openConnections(options, logger);
  const cluster = new KafkaCluster(openBroker, brokers.length, clock, logger);
  try {
    await cluster.retry(`connecting to Kafka at ${brokers.join(', ')}`, CONNECT_TIMEOUT_MS, () =>
      cluster.refresh([]),
    );
  } catch (error) {
    await cluster.close();
    throw error;
  }
  const memberships = new KafkaMemberships(connectionOf(options), cluster);
  return new KafkaLog(cluster, memberships, options.writer ?? {});
}

class KafkaLog implements Log {
  readonly admin: KafkaAdmin;
  readonly #cluster: KafkaCluster;
  readonly #memberships: KafkaMemberships;
  readonly #producer: ProducerOptions;
  readonly #open = new Set<LogReader | LogWriter>();
  #closed = false;

  constructor(cluster: KafkaCluster, memberships: KafkaMemberships, producer: ProducerOptions) {
    this.#cluster = cluster;
    this.#memberships = memberships;
    this.#producer = producer;
    this.admin = new KafkaAdmin(cluster);
  }

  openReader(options: ReaderOptions = {}): LogReader {
    this.#check();
    const reader = new KafkaReader(this.#cluster.another(), options, (closed) => this.#open.delete(closed));
    this.#open.add(reader);
    return reader;
  }

  async openWriter(given: WriterOptions = {}): Promise<LogWriter> {
    this.#check();
    const options = { ...this.#producer, ...given };
    const writer = await KafkaWriter.open(this.#cluster.another(), options, (closed) =>
      this.#open.delete(closed),
    );
    this.#open.add(writer);
    return writer;
  }

  openMembership(options: MembershipOptions): Promise<Membership> {
    this.#check();
    return this.#memberships.open(options);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#open].map((each) => each.close()));
    await this.#memberships.close();
    await this.#cluster.close();
  }

  #check(): void {
    if (this.#closed) throw new LogError('closed', 'the log is closed');
  }
}

/** What can be sent to a thread of it. */
function connectionOf({ brokers, clientId, ssl, sasl }: KafkaLogOptions): ConnectionOptionsOfLog {
  return {
    brokers,
    clientId,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}
