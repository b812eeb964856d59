const MIB = 1024 * 1024;

/** What clients may take of a server, one by one and all together. */
export interface ServerLimits {
  /** Connections that are open at once; further ones are turned away. */
  readonly connections: number;
  /** From the first byte of a request's head to its last. */
  readonly headMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestMs: number;
  readonly bodyBytes: number;
  /** Bytes of the bodies of all requests together, from their first byte until they are answered. */
  readonly bodiesBytes: number;
  /** Statements in one request. */
  readonly statements: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  connections: 10_000,
  headMs: 20_000,
  requestMs: 60_000,
  bodyBytes: 16 * MIB,
  bodiesBytes: 64 * MIB,
  statements: 20_000,
};
