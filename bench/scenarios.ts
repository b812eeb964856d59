/**
 * What is measured: the same input, the same question, asked of everyone. Commit intervals in milliseconds; a scenario
 * at two intervals is two lines of the table.
 */
export type ScenarioName = 'filter-project' | 'windowed-count' | 'word-count' | 'stream-table-join';

export interface Scenario {
  readonly name: ScenarioName;
  readonly commitMs: number;
  /** `stream`: every record of the output counts. `table`: the last record of each key does, as for any reader of it. */
  readonly output: 'stream' | 'table';
}

/** As Kafka Streams' `processing.guarantee`. On the embedded log a commit is always one step, and it costs what it costs. */
export type Guarantee = 'at_least_once' | 'exactly_once_v2';
export const GUARANTEES: readonly Guarantee[] = ['at_least_once', 'exactly_once_v2'];

export const SCENARIOS: readonly Scenario[] = [
  { name: 'filter-project', commitMs: 100, output: 'stream' },
  { name: 'windowed-count', commitMs: 100, output: 'table' },
  { name: 'windowed-count', commitMs: 2000, output: 'table' },
  // By a column that is not the key: through a repartition topic.
  { name: 'word-count', commitMs: 100, output: 'table' },
  { name: 'stream-table-join', commitMs: 100, output: 'stream' },
];

/** Windows of the count. Orders are a millisecond apart. */
export const WINDOW_MS = 300_000;
export const GRACE_MS = 60_000;
export const RETENTION_MS = 3_600_000;
export const CACHE_BYTES = 64 << 20;
