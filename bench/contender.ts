import type { Log } from '../src/log/log.ts';
import type { Guarantee, Scenario } from './scenarios.ts';
import type { Measured, Workload } from './workload.ts';

/** Where one pass of a contender runs. */
export interface Pass {
  readonly log: Log;
  /** Kafka's `host:port`; empty on the embedded log. */
  readonly address: string;
  /** Input and this pass's own output topic; both are there. */
  readonly workload: Workload;
  readonly items: string;
  readonly scenario: Scenario;
  readonly guarantee: Guarantee;
  /** A folder of this pass's own. */
  readonly directory: string;
  /** Different in each pass of each process: names groups and services. */
  readonly id: string;
}

/** Who answers a scenario, in Node. A pass measures from the first byte read until everything is written and committed. */
export interface Contender {
  readonly name: string;
  readonly scenario: Scenario;
  readonly log: 'embedded' | 'kafka';
  readonly guarantee: Guarantee;
  pass(pass: Pass): Promise<Measured>;
}
