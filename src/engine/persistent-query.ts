import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanNode } from '../sql/plan/node.ts';
import type { OptimizerStep } from '../sql/optimizer/optimizer.ts';
import type { LoweredQuery } from '../sql/lower/lower.ts';
import type { StoredQuery } from './stored-query.ts';
import { SteppedStreams } from '../streams/application/stepped-streams.ts';
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

const ERRORS_MAX = 10;
const RESTART_MIN_MS = 1000;
const RESTART_MAX_MS = 5 * 60 * 1000;
/** Who has run so long without a failure is started again as soon as after a first one. */
const RUNS_WELL_MS = 60 * 1000;

/** A running CREATE … AS or INSERT INTO … SELECT, or what keeps the rows of a SOURCE TABLE. */
export class PersistentQuery {
  readonly id: string;
  readonly statementText: string;
  /** Names in the catalog. */
  readonly sources: readonly string[];
  /** What it writes; null for what only keeps rows. */
  readonly sink: string | null;
  readonly sinkTopic: string | null;
  readonly plan: QueryPlan;
  readonly lowered: LoweredQuery;
  /** What was, or would be, kept of it. */
  readonly stored: StoredQuery;
  /** Replaced when the query is started again after a failure. */
  streams: SteppedStreams;
  readonly properties: ReadonlyMap<string, string>;
  /** The latest ones, oldest first. */
  readonly errors: QueryError[] = [];
  readonly #options: StreamsOptions;
  #restarts = 0;
  /** On the monotonic clock; null while it does not run. */
  #runningSince: number | null = null;
  #isStarted = false;
  #failure: unknown = null;
  #restarting: Promise<void> = Promise.resolve();
  #cancelRestart: () => void = () => undefined;
  #closed = false;
  #paused = false;

  constructor(
    fields: Pick<
      PersistentQuery,
      'id' | 'statementText' | 'sources' | 'sink' | 'sinkTopic' | 'plan' | 'lowered' | 'stored' | 'properties'
    >,
    options: StreamsOptions,
  ) {
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
    this.streams = this.#open();
  }

  /**
   * Resolves when it runs, or could not be started and is tried again, as after any failure: after longer and longer
   * waits, until it runs or is closed.
   */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.#run();
  }

  /** False: it waits for something before it may run at all. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** What it failed with last; null while it runs. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Stops it, committing what it has done; it can be started again from there. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRestart();
    await this.#restarting;
    await this.streams.close();
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

  /** As SHOW QUERIES names it. */
  get state(): 'RUNNING' | 'PAUSED' | 'ERROR' | 'NOT_RUNNING' | 'REBALANCING' {
    switch (this.streams.state) {
      case 'running':
        return 'RUNNING';
      case 'paused':
        return 'PAUSED';
      case 'error':
        return 'ERROR';
      case 'created':
      case 'restoring':
        return 'REBALANCING';
      case 'stopping':
      case 'stopped':
        return 'NOT_RUNNING';
    }
  }

  /** Stops it for good: state, offsets and internal topics go too. */
  async terminate(): Promise<void> {
    await this.close();
    await this.streams.cleanUp();
    const { stateDirectory, applicationId } = this.#options;
    if (stateDirectory !== null)
      await rm(join(stateDirectory, applicationId), { recursive: true, force: true });
  }

  #open(): SteppedStreams {
    return new SteppedStreams(this.lowered.topology, {
      ...this.#options,
      onError: (error) => this.#failed(error),
    });
  }

  async #run(): Promise<void> {
    try {
      if (this.#paused) this.streams.pause();
      await this.streams.start();
      this.#failure = null;
      this.#runningSince = this.#options.clock.monotonic();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const { clock, logger } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    this.#failure = error;
    this.errors.push({ timestamp: clock.now(), message });
    if (this.errors.length > ERRORS_MAX) this.errors.shift();
    if (this.#closed) return;
    const ranMs = this.#runningSince === null ? 0 : clock.monotonic() - this.#runningSince;
    this.#runningSince = null;
    if (ranMs >= RUNS_WELL_MS) this.#restarts = 0;
    const waitMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** this.#restarts++);
    logger.warn({ query: this.id, error: message, waitMs }, 'the query is started again after a failure');
    this.#cancelRestart = clock.setTimer(waitMs, () => {
      this.#restarting = this.#restart();
    });
  }

  /** Never rejects. */
  async #restart(): Promise<void> {
    try {
      await this.streams.close();
    } catch (error) {
      this.#options.logger.warn(
        { query: this.id, error: String(error) },
        'what has failed could not be closed',
      );
    }
    if (this.#closed) return;
    this.streams = this.#open();
    await this.#run();
  }
}
