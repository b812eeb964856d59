import { MessageChannel } from 'node:worker_threads';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { LogError } from '../log.ts';
import { apiVersionsRequest, featuresOf } from './broker-features.ts';
import type { BrokerFeatures } from './broker-features.ts';
import { connectionFailure } from './connection-failure.ts';
import { KnownLimits } from './known-limits.ts';
import type { Address, OpenBroker } from './kafkajs-connections.ts';
import type { Broker, ProtocolRequest } from './kafkajs-parts.ts';
import { NONE, UNKNOWN_TOPIC_OR_PARTITION } from './protocol-error.ts';
import { metadataRequest, metadataWithIdsRequest } from './requests.ts';
import type { Metadata, TopicMetadata } from './requests.ts';
import { failureOf, RetriableError, retry, unknownTopic } from './retry.ts';

/** After how long without any answer whoever waits is told. */
const SILENCE_MS = 1_000;

/** After so long without a request a connection is closed: most queries have nothing to write most of the time. */
const IDLE_MS = 30_000;

/** What goes on over a connection. */
interface Usage {
  inFlight: number;
  /** When the last answer came. */
  idleSinceMs: number;
}

/**
 * The brokers of one Kafka cluster over connections of its own, and the leaders of partitions. Requests on one socket are
 * answered one after another, so a reader, which waits long, has a `KafkaCluster` of its own.
 *
 * `send` throws `RetriableError` when the connection failed; that broker is then connected anew by the next `send`.
 */
export class KafkaCluster {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What topics refuse: the same for all that are made by `another`. */
  readonly limits: KnownLimits;
  readonly #openBroker: OpenBroker;
  readonly #bootstrapCount: number;
  readonly #closing = new AbortController();
  /** Keeps the process alive until `close`, as sockets do: between two attempts to connect there are none. */
  readonly #alive = new MessageChannel().port1;
  readonly #addresses = new Map<number, Address>();
  readonly #brokers = new Map<number, Promise<Broker>>();
  /** The connection to a broker of the bootstrap list, while its node id is not known. */
  #seed: Promise<Broker> | undefined;
  readonly #topics = new Map<string, TopicMetadata>();
  #controllerId = -1;
  #turn = 0;
  #features: BrokerFeatures | undefined;
  readonly #usages = new WeakMap<Promise<Broker>, Usage>();
  #cancelIdleCheck: (() => void) | undefined;
  /** How many requests were answered. */
  #answers = 0;
  readonly #onSilence: ((doing: string) => void) | undefined;

  constructor(
    openBroker: OpenBroker,
    bootstrapCount: number,
    clock: Clock,
    logger: Logger,
    limits = new KnownLimits(),
    onSilence?: (doing: string) => void,
  ) {
    this.#openBroker = openBroker;
    this.#onSilence = onSilence;
    this.#bootstrapCount = bootstrapCount;
    this.clock = clock;
    this.logger = logger;
    this.limits = limits;
    this.#alive.ref();
  }

  /** The same brokers, as far as they are known, over other connections. */
  another(): KafkaCluster {
    const cluster = new KafkaCluster(
      this.#openBroker,
      this.#bootstrapCount,
      this.clock,
      this.logger,
      this.limits,
    );
    for (const [nodeId, address] of this.#addresses) cluster.#addresses.set(nodeId, address);
    cluster.#controllerId = this.#controllerId;
    cluster.#features = this.#features;
    return cluster;
  }

  /** Asked for once, or `anew`: a cluster is upgraded while it runs. */
  async features(anew = false): Promise<BrokerFeatures> {
    if (anew || this.#features === undefined)
      this.#features = featuresOf(await this.sendToAny(apiVersionsRequest()));
    return this.#features;
  }

  /** Aborts when the cluster is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Repeats `attempt` while it throws `RetriableError`; see `retry`. */
  async retry<T>(doing: string, timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
    const cancel = this.#onSilence === undefined ? undefined : this.#tellSilence(doing, this.#onSilence);
    try {
      return await retry(this.clock, this.signal, doing, timeoutMs, attempt);
    } finally {
      cancel?.();
    }
  }

  /** Returns what cancels it. */
  #tellSilence(doing: string, tell: (doing: string) => void): () => void {
    const { clock } = this;
    const answers = this.#answers;
    return clock.setTimer(SILENCE_MS, () => {
      if (this.#answers === answers) tell(doing);
    });
  }

  async send<T>(nodeId: number, request: ProtocolRequest<T>): Promise<T> {
    const opened = this.#broker(nodeId);
    return this.#sendTo(opened, request, () => {
      if (this.#brokers.get(nodeId) === opened) this.#brokers.delete(nodeId);
    });
  }

  /** Asks whichever broker answers. */
  async sendToAny<T>(request: ProtocolRequest<T>): Promise<T> {
    const nodes = [...this.#addresses.keys()];
    let last: unknown;
    for (let i = 0; i < nodes.length; i++) {
      try {
        return await this.send(nodes[this.#turn % nodes.length]!, request);
      } catch (error) {
        if (!(error instanceof RetriableError)) throw error;
        last = error;
        this.#turn++;
      }
    }
    for (let i = 0; i < this.#bootstrapCount; i++) {
      const seed = (this.#seed ??= this.#connect());
      try {
        return await this.#sendTo(seed, request, () => {
          if (this.#seed === seed) this.#seed = undefined;
        });
      } catch (error) {
        if (!(error instanceof RetriableError)) throw error;
        last = error;
      }
    }
    throw last;
  }

  async sendToController<T>(request: ProtocolRequest<T>): Promise<T> {
    if (!this.#addresses.has(this.#controllerId)) await this.refresh([]);
    if (!this.#addresses.has(this.#controllerId))
      throw new RetriableError('the cluster has no controller yet');
    return this.send(this.#controllerId, request);
  }

  /** Learns the brokers, and the partitions of `topics` (null: of all). Codes of topics are kept, not thrown. */
  async refresh(topics: readonly string[] | null): Promise<Metadata> {
    const { topicIds } = await this.features();
    const metadata = await this.sendToAny(
      topicIds ? metadataWithIdsRequest(topics) : metadataRequest(topics),
    );
    // A broker that has just started may not know the others, itself included.
    if (metadata.brokers.length === 0) throw new RetriableError('the cluster has no brokers yet');
    const addresses = new Map(metadata.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    for (const [nodeId, opened] of this.#brokers) {
      const now = addresses.get(nodeId);
      const before = this.#addresses.get(nodeId);
      if (now !== undefined && now.host === before?.host && now.port === before.port) continue;
      this.#brokers.delete(nodeId);
      void disconnect(opened, 'the broker has moved');
    }
    this.#addresses.clear();
    for (const [nodeId, address] of addresses) this.#addresses.set(nodeId, address);
    this.#controllerId = metadata.controllerId;
    for (const topic of metadata.topics) this.#topics.set(topic.name, topic);
    await this.#settleSeed();
    return metadata;
  }

  /** The seed becomes the connection of its node when the metadata names it so; else it is not needed any more. */
  async #settleSeed(): Promise<void> {
    const seed = this.#seed;
    if (seed === undefined) return;
    this.#seed = undefined;
    const { host, port } = (await seed).connectionPool;
    for (const [nodeId, address] of this.#addresses) {
      if (address.host !== host || address.port !== port || this.#brokers.has(nodeId)) continue;
      this.#brokers.set(nodeId, seed);
      return;
    }
    void disconnect(seed, 'the first connection is not needed any more');
  }

  /** As last seen; undefined when it was not asked for yet. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** The node that leads a partition as last seen, or -1. */
  leaderOf(topic: string, partition: number): number {
    return this.#topics.get(topic)?.partitions[partition]?.leader ?? -1;
  }

  /**
   * The topic's partitions, all with leaders, freshly asked for. Throws `RetriableError` while there are none, in a form
   * that becomes `unknown-topic` when it lasts.
   */
  async loadTopic(name: string): Promise<TopicMetadata> {
    await this.refresh([name]);
    const topic = this.#topics.get(name);
    if (topic === undefined || topic.code === UNKNOWN_TOPIC_OR_PARTITION) {
      const code = topic?.code ?? UNKNOWN_TOPIC_OR_PARTITION;
      const failure = failureOf(code, `looking up topic ${name}`) as RetriableError;
      throw new RetriableError(failure.message, failure.patienceMs, unknownTopic(name));
    }
    if (topic.code !== NONE) throw failureOf(topic.code, `looking up topic ${name}`);
    if (topic.partitions.some(({ leader }) => leader < 0))
      throw new RetriableError(`topic ${name} has partitions without a leader`);
    return topic;
  }

  /** Ends what is under way and closes every connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#alive.close();
    this.#cancelIdleCheck?.();
    const opened = [...this.#brokers.values(), ...(this.#seed === undefined ? [] : [this.#seed])];
    this.#brokers.clear();
    this.#seed = undefined;
    await Promise.all(opened.map((broker) => disconnect(broker, 'the log was closed')));
  }

  #broker(nodeId: number): Promise<Broker> {
    const known = this.#brokers.get(nodeId);
    if (known !== undefined) return known;
    const address = this.#addresses.get(nodeId);
    if (address === undefined) return Promise.reject(new RetriableError(`broker ${nodeId} is not known`));
    const opened = this.#connect(address);
    this.#brokers.set(nodeId, opened);
    return opened;
  }

  async #connect(address?: Address): Promise<Broker> {
    if (this.signal.aborted) throw new LogError('closed', 'the log was closed');
    const broker = await this.#openBroker(address);
    try {
      await broker.connect();
    } catch (error) {
      void disconnect(Promise.resolve(broker), 'the connection could not be made');
      throw error;
    }
    if (this.signal.aborted) {
      await disconnect(Promise.resolve(broker), 'the log was closed');
      throw new LogError('closed', 'the log was closed');
    }
    return broker;
  }

  async #sendTo<T>(opened: Promise<Broker>, request: ProtocolRequest<T>, forget: () => void): Promise<T> {
    const usage = this.#usages.get(opened) ?? { inFlight: 0, idleSinceMs: 0 };
    this.#usages.set(opened, usage);
    usage.inFlight++;
    try {
      const broker = await opened;
      // kafkajs would connect by itself, but once for each of several requests that come at the same time.
      if (!broker.connectionPool.pool[0]!.isConnected()) throw new RetriableError('the connection was lost');
      const answer = await broker.connectionPool.send(request);
      this.#answers++;
      return answer;
    } catch (error) {
      forget();
      void disconnect(opened, 'another request on the connection failed');
      if (this.signal.aborted) throw new LogError('closed', 'the log was closed');
      throw connectionFailure(error as Error);
    } finally {
      usage.inFlight--;
      usage.idleSinceMs = this.clock.monotonic();
      if (!this.signal.aborted)
        this.#cancelIdleCheck ??= this.clock.setTimer(IDLE_MS, () => this.#closeIdle());
    }
  }

  #closeIdle(): void {
    this.#cancelIdleCheck = undefined;
    const before = this.clock.monotonic() - IDLE_MS;
    let open = 0;
    for (const [nodeId, opened] of this.#brokers) {
      const usage = this.#usages.get(opened);
      if (usage === undefined || usage.inFlight > 0 || usage.idleSinceMs > before) {
        open++;
        continue;
      }
      this.#brokers.delete(nodeId);
      void disconnect(opened, 'the connection was idle');
    }
    if (open > 0) this.#cancelIdleCheck = this.clock.setTimer(IDLE_MS, () => this.#closeIdle());
  }
}

/** kafkajs waits for what is in flight when it disconnects; a long poll, or a dead peer, would keep it waiting. */
async function disconnect(opened: Promise<Broker>, why: string): Promise<void> {
  try {
    const broker = await opened;
    for (const connection of broker.connectionPool.pool) connection.rejectRequests(new RetriableError(why));
    await broker.disconnect();
  } catch {
    // It never was connected, or is gone already.
  }
}
