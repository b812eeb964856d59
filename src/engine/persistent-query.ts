import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanNode } from '../sql/plan/node.ts';
import type { OptimizerStep } from '../sql/optimizer/optimizer.ts';
import type { LoweredQuery } from '../sql/lower/lower.ts';
import { Streams, type StreamsOptions } from '../streams/runtime/streams.ts';

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
  /** Replaced when the query is started again after a failure. */
  streams: Streams;
  readonly properties: ReadonlyMap<string, string>;
  /** The latest ones, oldest first. */
  readonly errors: QueryError[] = [];
  readonly #options: StreamsOptions;
  #restarts = 0;
  #restarting: Promise<void> = Promise.resolve();
  #cancelRestart: () => void = () => undefined;
  #closed = false;
  #paused = false;

  constructor(
    fields: Pick<
      PersistentQuery,
      'id' | 'statementText' | 'sources' | 'sink' | 'sinkTopic' | 'plan' | 'lowered' | 'properties'
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
    this.properties = fields.properties;
    this.#options = options;
    this.streams = this.#open();
  }

  /** Rejects when it cannot start; a failure later starts it again, after longer and longer waits. */
  async start(): Promise<void> {
    await this.streams.start();
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

  #open(): Streams {
    return new Streams(this.lowered.topology, { ...this.#options, onError: (error) => this.#failed(error) });
  }

  #failed(error: unknown): void {
    const { clock, logger } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    this.errors.push({ timestamp: clock.now(), message });
    if (this.errors.length > ERRORS_MAX) this.errors.shift();
    if (this.#closed) return;
    const waitMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** this.#restarts++);
    logger.warn({ query: this.id, waitMs }, 'the query is started again after a failure');
    this.#cancelRestart = clock.setTimer(waitMs, () => {
      this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    await this.streams.close();
    if (this.#closed) return;
    this.streams = this.#open();
    if (this.#paused) this.streams.pause();
    try {
      await this.streams.start();
    } catch (error) {
      this.#failed(error);
    }
  }
}
