import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanNode } from '../sql/plan/node.ts';
import type { OptimizerStep } from '../sql/optimizer/optimizer.ts';
import { LogError } from '../log/log.ts';
import type { LoweredQuery } from '../sql/lower/lower.ts';
import type { StoredQuery } from './stored-query.ts';
import { messageOf } from '../common/error.ts';
import type { Ownership } from './ownership.ts';
import { QueryMembership } from './query-membership.ts';
import { SteppedStreams } from '../streams/application/stepped-streams.ts';
import type { RestorationProgress } from '../streams/instance/restoration.ts';
import type { StreamsOptions } from '../streams/instance/streams-options.ts';

export interface QueryError {
  readonly timestamp: number;
  readonly message: string;
}

export interface QueryPlan {
  readonly before: PlanNode;
  readonly after: PlanNode;
  readonly steps: readonly OptimizerStep[];
}

/**
 * As ksqlDB and Kafka Streams name them, and two of our own: WAITING for another process of the service that runs it, FENCED
 * by one just now.
 */
export type QueryState =
  | 'RUNNING'
  | 'PAUSED'
  | 'ERROR'
  | 'NOT_RUNNING'
  | 'REBALANCING'
  | 'WAITING'
  | 'FENCED';

const ERRORS_MAX = 10;
const RESTART_MAX_MS = 5 * 60 * 1000;

/** A running CREATE … AS or INSERT INTO … SELECT, or what keeps the rows of a SOURCE TABLE. */
export class PersistentQuery {
  readonly id: string;
  readonly statementText: string;
  /** Names in the catalog. */
  readonly sources: readonly string[];
  /** The source that it writes; null for a query that only keeps rows. */
  readonly sink: string | null;
  readonly sinkTopic: string | null;
  readonly plan: QueryPlan;
  readonly lowered: LoweredQuery;
  /** Its form in the command log. */
  readonly stored: StoredQuery;
  readonly streams: SteppedStreams;
  readonly properties: ReadonlyMap<string, string>;
  /** The latest ones, oldest first. */
  readonly errors: QueryError[] = [];
  readonly #options: StreamsOptions;
  #isStarted = false;
  #failure: unknown = null;
  #paused = false;
  #isFenced = false;
  readonly #ownership: Ownership | null;
  /** Whom it commits as; null where transactions, or the log, keep others from committing. */
  readonly #member: QueryMembership | null;

  constructor(
    fields: Pick<
      PersistentQuery,
      'id' | 'statementText' | 'sources' | 'sink' | 'sinkTopic' | 'plan' | 'lowered' | 'stored' | 'properties'
    >,
    options: StreamsOptions,
    /** Which process of the service runs it; null where there is only one. */
    ownership: Ownership | null = null,
  ) {
    this.#ownership = ownership;
    this.#member =
      ownership === null || options.processingGuarantee === 'exactly_once_v2'
        ? null
        : new QueryMembership(() => ownership.joinGroup(options.applicationId));
    this.id = fields.id;
    this.statementText = fields.statementText;
    this.sources = fields.sources;
    this.sink = fields.sink;
    this.sinkTopic = fields.sinkTopic;
    this.plan = fields.plan;
    this.lowered = fields.lowered;
    this.stored = fields.stored;
    this.properties = fields.properties;
    this.#options = options;
    this.streams = new SteppedStreams(this.lowered.topology, {
      ...options,
      ...(this.#member === null ? {} : { member: this.#member }),
      onUncaughtError: 'replace',
      restartMaxMs: RESTART_MAX_MS,
      onFenced: (error) => {
        this.#isFenced = true;
        this.#failed(error);
        options.onFenced?.(error);
      },
      onError: (error) => {
        this.#failed(error);
        options.onError?.(error);
      },
      onStateChange: (state) => {
        if (state === 'running' || state === 'paused') this.#failure = null;
      },
    });
  }

  /**
   * Resolves when it runs, or could not be started and is tried again, as after any failure: after longer and longer
   * waits, until it runs or is closed.
   */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.streams.start(true);
  }

  /** False: it waits for something before it may run at all. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** What it failed with last; null while it runs. */
  get failure(): unknown {
    return this.#failure;
  }

  /** What to do about a failure that no restart mends; null where it is none. */
  get wayOut(): string | null {
    const { id, failure } = this;
    return failure instanceof LogError && failure.kind === 'partition-count'
      ? `TERMINATE ${id}, copy the topic (CREATE STREAM … AS SELECT), and create the query again over the copy`
      : null;
  }

  /** Stops it, committing what it has done; it can be started again from there. */
  async close(): Promise<void> {
    await this.streams.close();
    await this.#member?.leave();
  }

  /** Until it is resumed, also when it is started, or started again after a failure. */
  pause(): void {
    this.#paused = true;
    this.streams.pause();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  resume(): void {
    this.#paused = false;
    this.streams.resume();
  }

  /** How far its state is that is being restored from changelogs; null while none is. */
  get restoration(): RestorationProgress | null {
    return this.streams.restoration;
  }

  /** As SHOW QUERIES names it. */
  get state(): QueryState {
    if (this.streams.waitsToRestart) return 'ERROR';
    switch (this.streams.state) {
      case 'running':
        return 'RUNNING';
      case 'paused':
        return 'PAUSED';
      case 'error':
        return 'ERROR';
      case 'created':
        return this.#ownership?.isActive === false ? 'WAITING' : 'REBALANCING';
      case 'restoring':
        return 'REBALANCING';
      case 'waiting':
        return this.#isFenced ? 'FENCED' : 'WAITING';
      case 'stopping':
      case 'stopped':
        return 'NOT_RUNNING';
    }
  }

  /** Drops what it holds and has not committed, and waits: another process of the service runs it. */
  async release(): Promise<void> {
    this.#isFenced = false;
    const released = this.streams.release();
    // A commit that waits for its group to settle ends with it.
    await this.#member?.leave();
    await released;
  }

  /** Goes on where it was last committed. */
  acquire(): void {
    this.#isFenced = false;
    this.streams.acquire();
  }

  /** Stops it for good: state, offsets and internal topics go too. */
  async terminate(): Promise<void> {
    await this.close();
    await this.streams.cleanUp();
    await this.#removeState();
  }

  /** Stops it here: another process has stopped it for good, and what is in the log is none of this one's business. */
  async forget(): Promise<void> {
    await this.close();
    await this.#removeState();
  }

  async #removeState(): Promise<void> {
    const { stateDirectory, applicationId } = this.#options;
    if (stateDirectory !== null)
      await rm(join(stateDirectory, applicationId), { recursive: true, force: true });
  }

  #failed(error: unknown): void {
    this.#failure = error;
    const { wayOut } = this;
    const message = wayOut === null ? messageOf(error) : `${messageOf(error)}. Here: ${wayOut}`;
    this.errors.push({ timestamp: this.#options.clock.now(), message });
    if (this.errors.length > ERRORS_MAX) this.errors.shift();
  }
}
