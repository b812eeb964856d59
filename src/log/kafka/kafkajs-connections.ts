import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import type { Logger } from '../../common/logger.ts';

/**
 * The parts of kafkajs 2.2.4 that carry our requests: sockets, TLS, SASL and the version handshake. They are not in
 * its published types, so they are declared here as its sources have them (`src/broker/index.js`,
 * `src/network/connectionPool.js`, `src/network/connection.js`, `src/network/requestQueue/index.js`).
 */

/** A request and how to read its answer. kafkajs adds the head with client and correlation ids. */
export interface ProtocolRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    /** Anything with these two views of the same body passes for kafkajs's own encoder. */
    encode(): { readonly buf: Buffer; readonly buffer: Buffer };
  };
  readonly response: {
    decode(payload: Buffer): { readonly clientSideThrottleTime: number; readonly body: T };
    parse(decoded: { readonly body: T }): T;
  };
  /** Raises the connection's own timeout for a request that may take longer. */
  readonly requestTimeout?: number;
  readonly logResponseError?: boolean;
}

export interface Connection {
  isConnected(): boolean;
  rejectRequests(error: Error): void;
  readonly requestQueue: object;
}

export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  /** Two sockets: 1 carries Fetch, 0 everything else. The broker answers one request a socket at a time. */
  readonly pool: readonly Connection[];
  send<T>(request: ProtocolRequest<T>): Promise<T>;
}

export interface Broker {
  readonly connectionPool: ConnectionPool;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface Cluster {
  readonly connectionPoolBuilder: {
    /** Without a destination: the next of the bootstrap brokers, in turn. */
    build(destination?: { host: string; port: number; rack?: string | null }): Promise<ConnectionPool>;
  };
  readonly brokerPool: {
    createBroker(options: { connectionPool: ConnectionPool; logger: unknown; nodeId?: number }): Broker;
  };
  readonly rootLogger: unknown;
}

export interface ConnectionOptionsOfLog {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
}

/** Makes a broker that is not connected yet; without a destination, the next of the bootstrap list. */
export type OpenBroker = (destination?: { host: string; port: number }) => Promise<Broker>;

const CONNECTION_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

/** Loads kafkajs, which takes a while and is only needed when there is a Kafka. */
export async function openConnections(options: ConnectionOptionsOfLog, logger: Logger): Promise<OpenBroker> {
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const kafka = new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    socketFactory: openSocket,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = entry.log;
      // What breaks is tried again and told by whoever asked, once: kafkajs tells it too, several times.
      logger.debug({ ...fields, part: entry.namespace }, message);
    },
  });
  const cluster = clusterOf(kafka);
  return async (destination) => {
    const connectionPool = await cluster.connectionPoolBuilder.build(destination);
    stopIdleTimers(connectionPool);
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

type Queue = { pending: unknown[]; scheduleCheckPendingRequests(): void };

/**
 * An idle connection of kafkajs 2.2.4 checks its queue in a timer that renews itself every millisecond for good.
 * The check has a purpose only while requests wait because of throttling, and every request that has to
 * wait asks for it again.
 */
function stopIdleTimers(connectionPool: ConnectionPool): void {
  for (const connection of connectionPool.pool) {
    const queue = connection.requestQueue as Queue;
    const check = queue.scheduleCheckPendingRequests.bind(queue);
    queue.scheduleCheckPendingRequests = () => {
      if (queue.pending.length > 0) check();
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
  // `servername` is left to Node for names; it must be absent for addresses.
  const socket =
    ssl === undefined || ssl === null || ssl === false
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...nameFor(host), ...(ssl === true ? {} : ssl) }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
}

function nameFor(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}
