import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { type Clock, systemClock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { tokenProvider } from './oauth-token.ts';
import type { ConnectionSettings } from './settings/kafka-settings.ts';
import type { Login } from './settings/login.ts';
import { nodeTls } from './settings/tls.ts';
import type { Broker, ConnectionPool } from './kafkajs-parts.ts';
import { sendRequest } from './send-request.ts';

/** As `kafkajs-parts.ts`. */
interface Cluster {
  readonly connectionPoolBuilder: {
    build(destination: Address): Promise<ConnectionPool>;
  };
  readonly brokerPool: {
    createBroker(options: { connectionPool: ConnectionPool; logger: unknown; nodeId?: number }): Broker;
  };
  readonly rootLogger: unknown;
}

export interface ConnectionOptionsOfLog {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly settings?: ConnectionSettings;
  /** Goes before `settings`, as does `sasl`. */
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
}

/** What TLS and login of a log's connections are. Null: none. */
export interface Security {
  readonly tls: ConnectionOptions | null;
  readonly sasl: SASLOptions | null;
}

export function securityOf({ settings, ssl, sasl }: ConnectionOptionsOfLog, clock: Clock): Security {
  const given = settings?.tls ?? null;
  const tls = ssl === undefined ? given && nodeTls(given) : ssl === false ? null : ssl === true ? {} : ssl;
  return { tls, sasl: sasl ?? saslOf(settings?.login ?? null, tls, clock) };
}

/** As kafkajs names it. */
function saslOf(login: Login | null, tls: ConnectionOptions | null, clock: Clock): SASLOptions | null {
  if (login === null) return null;
  if (login.mechanism === 'OAUTHBEARER')
    return { mechanism: 'oauthbearer', oauthBearerProvider: tokenProvider(login.tokens, tls, clock) };
  const { username, password } = login;
  const mechanism = login.mechanism.toLowerCase() as 'plain' | 'scram-sha-256' | 'scram-sha-512';
  return { mechanism, username, password } as SASLOptions;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with brackets around an address that has colons. */
export function addressOf(broker: string): Address {
  const colon = broker.lastIndexOf(':');
  return { host: broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(broker.slice(colon + 1)) };
}

/** Makes a broker that is not connected yet; without a destination, the next of the bootstrap list. */
export type OpenBroker = (destination?: Address) => Promise<Broker>;

const CONNECTION_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

/** Loads kafkajs, which takes a while and is only needed when there is a Kafka. */
export async function openConnections(
  options: ConnectionOptionsOfLog,
  logger: Logger,
  { tls, sasl }: Security = securityOf(options, systemClock),
  clock: Clock = systemClock,
): Promise<OpenBroker> {
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const kafka = new Kafka({
    // Where to connect is always said.
    brokers: ['none'],
    clientId: options.clientId,
    ...(tls === null ? {} : { ssl: tls }),
    ...(sasl === null ? {} : { sasl }),
    connectionTimeout: options.settings?.connectTimeoutMs ?? CONNECTION_TIMEOUT_MS,
    authenticationTimeout: options.settings?.connectTimeoutMs ?? CONNECTION_TIMEOUT_MS,
    requestTimeout: options.settings?.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    // `sendRequest` does: kafkajs looks ten times a second, at each connection, whether an answer is overdue.
    enforceRequestTimeout: false,
    socketFactory: openSocket,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = entry.log;
      // What breaks is tried again and told by whoever asked, once: kafkajs tells it too, several times.
      logger.debug({ ...fields, part: entry.namespace }, message);
    },
  });
  const cluster = clusterOf(kafka);
  const brokers = options.brokers.map(addressOf);
  let turn = 0;
  return async (destination) => {
    const address = destination ?? brokers[turn++ % brokers.length]!;
    const connectionPool = await cluster.connectionPoolBuilder.build(address);
    stopIdleTimers(connectionPool);
    const send = connectionPool.send.bind(connectionPool);
    connectionPool.send = async (request) => {
      if (!request.isOwn) return send(request);
      const connection = await connectionPool.getConnectionByRequest(request);
      // A session of SASL ends some time, and kafkajs begins the next.
      if (sasl !== null && !connection.isAuthenticated()) await connection.authenticate();
      return sendRequest(connection, options.clientId, clock, request);
    };
    return cluster.brokerPool.createBroker({ connectionPool, logger: cluster.rootLogger });
  };
}

/** kafkajs hands its cluster to partition assigners, synchronously, when a consumer is made (never connected). */
function clusterOf(kafka: { consumer(config: never): unknown }): Cluster {
  let found: Cluster | undefined;
  const assigner = ({ cluster }: { cluster: Cluster }): object => {
    found = cluster;
    return {
      name: 'none',
      version: 0,
      assign: () => [],
      protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
    };
  };
  kafka.consumer({ groupId: 'none', partitionAssigners: [assigner] } as never);
  if (found === undefined) throw new Error('kafkajs did not hand out its cluster: is it version 2.2.4');
  return found;
}

/**
 * An idle connection of kafkajs 2.2.4 checks its queue in a timer that renews itself every millisecond for good.
 * The check has a purpose only while requests wait because of throttling, and every request that has to
 * wait asks for it again.
 */
function stopIdleTimers(connectionPool: ConnectionPool): void {
  for (const { requestQueue } of connectionPool.pool) {
    const check = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
    requestQueue.scheduleCheckPendingRequests = () => {
      if (requestQueue.pending.length > 0) check();
    };
  }
}

function openSocket(options: {
  host: string;
  port: number;
  ssl: ConnectionOptions | boolean | null | undefined;
  onConnect: () => void;
}): Socket {
  const { host, port, ssl, onConnect } = options;
  const socket =
    ssl === undefined || ssl === null || ssl === false
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...nameFor(host), ...(ssl === true ? {} : ssl) }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
}

/** Left to Node.js for names; it must be absent for addresses. */
export function nameFor(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}
