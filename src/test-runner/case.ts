import type { JsonNode } from '../types/json-node.ts';

/** One case of a ksqlDB-style JSON file, expanded: a format and a configuration value are put in already. */
export interface TestCase {
  /** Path as it was found, for people. */
  readonly file: string;
  readonly name: string;
  /** What tells repetitions of one test apart: a format, a configuration value; empty where there is one only. */
  readonly variant: string;
  /** Why it is not run; null runs it. */
  readonly skip: string | null;
  readonly statements: readonly string[];
  readonly topics: readonly CaseTopic[];
  readonly inputs: readonly CaseRecord[];
  readonly outputs: readonly CaseRecord[];
  readonly properties: ReadonlyMap<string, string>;
  /** The last statement, or the processing, has to be rejected. */
  readonly expectsRejection: boolean;
  readonly post: CasePost;
  /** What only cases for the REST interface have; null for others. */
  readonly rest: RestExpectations | null;
}

/** What a server has to answer. */
export interface RestExpectations {
  /** In order: of administrative statements `{admin: …}`, of queries `{query: […]}`. */
  readonly responses: readonly ReadonlyMap<string, JsonNode>[];
  /** `kind` null: it is not said what the error is about. */
  readonly error: { readonly status: number; readonly kind: 'statement' | 'request' | null } | null;
  /** The query runs before the inputs come. */
  readonly queryFirst: boolean;
}

export interface CaseTopic {
  readonly name: string;
  readonly partitions: number;
}

/** A record to feed or to expect. Its key and value are as the file has them: what they mean is the format's affair. */
export interface CaseRecord {
  readonly topic: string;
  readonly key: JsonNode;
  readonly value: JsonNode;
  /** Absent: 0 for inputs, unchecked for outputs. */
  readonly timestamp: number | null;
  readonly window: CaseWindow | null;
  readonly headers: readonly CaseHeader[];
}

export interface CaseWindow {
  readonly start: number;
  readonly end: number;
  readonly kind: 'time' | 'session';
}

export interface CaseHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** What has to hold when everything is processed. */
export interface CasePost {
  readonly sources: readonly ReadonlyMap<string, JsonNode>[];
  readonly topics: readonly ReadonlyMap<string, JsonNode>[];
  /** No topic may have a name in which this is found. */
  readonly blacklist: string | null;
}

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly variant: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason: string | null;
}
