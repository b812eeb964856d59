import type { Socket } from 'node:net';

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
  /** Ours, which `sendRequest` sends: kafkajs's own are encoded and decoded by promises. */
  readonly isOwn: true;
}

export interface Connection {
  readonly socket: Socket;
  readonly requestQueue: RequestQueue;
  isConnected(): boolean;
  /** False too where there is no login. */
  isAuthenticated(): boolean;
  /** Throws when it is not connected. */
  failIfNotConnected(): void;
  nextCorrelationId(): number;
  authenticate(): Promise<void>;
  rejectRequests(error: Error): void;
}

/** What waits for an answer, or to be sent: by correlation id. */
export interface RequestQueue {
  readonly inflight: ReadonlyMap<number, { readonly requestTimeout: number; timeoutRequest(): void }>;
  readonly pending: readonly unknown[];
  push(request: {
    readonly entry: {
      readonly apiKey: number;
      readonly apiName: string;
      readonly apiVersion: number;
      readonly correlationId: number;
      readonly resolve: (answer: { readonly payload: Buffer }) => void;
      readonly reject: (error: Error) => void;
    };
    readonly expectResponse: boolean;
    readonly requestTimeout: number | null;
    readonly sendRequest: () => void;
  }): void;
  maybeThrottle(milliseconds: number): void;
  scheduleCheckPendingRequests(): void;
}

export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  /** Two sockets: 1 carries Fetch, 0 everything else. The broker answers one request a socket at a time. */
  readonly pool: readonly Connection[];
  getConnectionByRequest(request: ProtocolRequest<unknown>): Promise<Connection>;
  send: <T>(request: ProtocolRequest<T>) => Promise<T>;
}

export interface Broker {
  readonly connectionPool: ConnectionPool;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}
