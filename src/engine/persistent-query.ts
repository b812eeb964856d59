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

/** A running CREATE … AS or INSERT INTO … SELECT. */
export class PersistentQuery {
  readonly id: string;
  readonly statementText: string;
  /** Names in the catalog. */
  readonly sources: readonly string[];
  readonly sink: string;
  readonly sinkTopic: string;
  readonly plan: QueryPlan;
  readonly lowered: LoweredQuery;
  readonly streams: Streams;
  readonly properties: ReadonlyMap<string, string>;
  readonly errors: QueryError[] = [];
  readonly #options: StreamsOptions;

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
    this.streams = new Streams(fields.lowered.topology, {
      ...options,
      onError: (error) =>
        this.errors.push({
          timestamp: options.clock.now(),
          message: error instanceof Error ? error.message : String(error),
        }),
    });
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
    await this.streams.close();
    await this.streams.cleanUp();
    const { stateDirectory, applicationId } = this.#options;
    if (stateDirectory !== null) await rm(join(stateDirectory, applicationId), { recursive: true, force: true });
  }
}
