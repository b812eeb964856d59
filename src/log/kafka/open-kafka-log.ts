import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { LogError } from '../log.ts';
import type { Log, LogReader, LogWriter, ProducerOptions, ReaderOptions, WriterOptions } from '../log.ts';
import type { Membership, MembershipOptions } from '../membership.ts';
import { explainFailure } from './explain-failure.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { KafkaMemberships } from './kafka-membership.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { rareWarnings } from './rare-warnings.ts';
import {
  addressOf,
  type ConnectionOptionsOfLog,
  openConnections,
  securityOf,
} from './kafkajs-connections.ts';
import { GivenSettings } from './settings/given-settings.ts';
import {
  checkSettings,
  clientSettings,
  type KafkaSettings,
  mergeSettings,
  readKafkaSettings,
} from './settings/kafka-settings.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export interface KafkaLogOptions {
  /**
   * Settings by the names that Kafka's clients have for them: `bootstrap.servers`, `security.protocol`, `sasl.…`, `ssl.…`
   * and the others of docs/kafka.md. One that is unknown or cannot be honoured is a `SettingError`; one that means nothing
   * here is a line in the log. The options below go before it.
   */
  readonly config?: Readonly<Record<string, string>>;
  /** `host:port` each; any one that answers will do. */
  readonly brokers?: readonly string[];
  /** Our name in the brokers' logs and quotas. */
  readonly clientId?: string;
  readonly sasl?: SASLOptions;
  readonly ssl?: boolean | ConnectionOptions;
  /** How writers send that are opened without saying so. */
  readonly writer?: ProducerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when nothing has been answered for a second although it was asked for; `doing` is what. */
  readonly onSilence?: (doing: string) => void;
}

/** The same, with `config` read. */
export type ReadKafkaLogOptions = Omit<KafkaLogOptions, 'config'> & { readonly settings: KafkaSettings };

/**
 * The log in a Kafka cluster, version 2.3 or later. Throws `LogError`: `unavailable` when no broker answers within ten
 * seconds, and at once when one cannot be trusted or its port wants to be talked to in another way; `unauthorized`
 * when the login is refused.
 */
export async function openKafkaLog({ config = {}, ...options }: KafkaLogOptions): Promise<Log> {
  return openKafkaLogBy({ ...options, settings: readConfig(config, options.logger) });
}

function readConfig(config: Readonly<Record<string, string>>, logger: Logger): KafkaSettings {
  const given = Object.entries(config).map(([name, value]) => ({ name, value, where: 'config' }));
  const merged = mergeSettings([given]);
  checkSettings(merged, clientSettings, ({ name }, because) =>
    logger.warn({ setting: name }, `this setting changes nothing here: ${because}`),
  );
  return readKafkaSettings(new GivenSettings(merged));
}

export async function openKafkaLogBy(options: ReadKafkaLogOptions): Promise<Log> {
  const { settings, clock } = options;
  const logger = rareWarnings(options.logger, clock);
  const connection = connectionOf(options);
  const { brokers } = connection;
  if (brokers.length === 0) throw new LogError('unavailable', 'no broker is named: bootstrap.servers');
  const security = securityOf(connection, clock);
  const openBroker = await openConnections(connection, logger, security, clock);
  const cluster = new KafkaCluster(openBroker, brokers.length, clock, logger, undefined, options.onSilence);
  try {
    await cluster.retry(`connecting to Kafka at ${brokers.join(', ')}`, CONNECT_TIMEOUT_MS, async () => {
      try {
        return await cluster.refresh([]);
      } catch (error) {
        throw await explainFailure(error as Error, { brokers: brokers.map(addressOf), ...security, clock });
      }
    });
  } catch (error) {
    await cluster.close();
    throw error;
  }
  const memberships = new KafkaMemberships(connection, cluster);
  return new KafkaLog(cluster, memberships, { ...settings.producer, ...options.writer });
}

/** What can be sent to a thread of it. */
function connectionOf({
  brokers,
  clientId,
  ssl,
  sasl,
  settings,
}: ReadKafkaLogOptions): ConnectionOptionsOfLog {
  const { tls, login, connectTimeoutMs, requestTimeoutMs } = settings;
  return {
    brokers: brokers ?? settings.brokers,
    clientId: clientId ?? settings.clientId ?? 'millrace',
    settings: { tls, login, connectTimeoutMs, requestTimeoutMs },
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
  };
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
