import type { Column } from '../types/schema.ts';
import type { Row } from '../types/value.ts';

/** What a statement gives: an entity at once, or rows that come. */
export type StatementResult =
  | { readonly kind: 'entity'; readonly entity: Entity }
  | { readonly kind: 'rows'; readonly rows: RowStream };

export interface ResultColumn extends Column {
  readonly isKey: boolean;
}

/**
 * The rows of a push query, a pull query or PRINT. Pulled by the client: when it does not ask, a bounded number of
 * rows waits and the query pauses, so a slow client costs a fixed amount of memory and does not slow others down.
 */
export interface RowStream {
  readonly kind: 'push' | 'pull' | 'print';
  /** A pull query that reads a stream to its end, and no table. */
  readonly readsStream?: boolean;
  /** It reads changes of a table: rows may be removals. What announces its columns can say so before the first. */
  readonly removes?: boolean;
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  /** At least one row, when there is one; null when there will be no more. Rejects when the query failed. */
  next(): Promise<RowBatch | null>;
  /** Why it ended: the LIMIT was reached, all was read, or somebody ended it. */
  readonly end: 'limit' | 'complete' | 'terminated' | null;
  /** Ends the query and frees what it holds. Safe to call twice, and while `next` waits (which then gives null). */
  close(): Promise<void>;
}

export interface RowBatch {
  readonly rows: readonly Row[];
  /** Per row: a removal from a table (key columns set, the rest null). Absent: none is. */
  readonly tombstones?: readonly boolean[];
}

/**
 * Answers of statements other than queries: plain JSON data with the member names that ksqlDB's clients read
 * (`@type` first). `statementText` and `warnings` are added when they are sent.
 */
export type Entity =
  | {
      readonly '@type': 'currentStatus';
      readonly commandId: string;
      readonly commandStatus: {
        readonly status: 'SUCCESS';
        readonly message: string;
        readonly queryId: string | null;
      };
      readonly commandSequenceNumber: number;
    }
  | { readonly '@type': 'streams'; readonly streams: readonly SourceListing[] }
  | { readonly '@type': 'tables'; readonly tables: readonly SourceListing[] }
  | { readonly '@type': 'kafka_topics'; readonly topics: readonly TopicListing[] }
  | { readonly '@type': 'kafka_topics_extended'; readonly topics: readonly ExtendedTopicListing[] }
  | { readonly '@type': 'queries'; readonly queries: readonly QueryListing[] }
  | { readonly '@type': 'sourceDescription'; readonly sourceDescription: SourceDescription }
  | { readonly '@type': 'source_descriptions'; readonly sourceDescriptions: readonly SourceDescription[] }
  | { readonly '@type': 'assert_topic'; readonly topicName: string; readonly exists: boolean }
  | { readonly '@type': 'queryDescription'; readonly queryDescription: QueryDescription }
  | { readonly '@type': 'query_descriptions'; readonly queryDescriptions: readonly QueryDescription[] }
  | {
      readonly '@type': 'properties';
      readonly properties: readonly PropertyListing[];
      /** Names of those that the session or ALTER SYSTEM set, and of the others. */
      readonly overwrittenProperties: readonly string[];
      readonly defaultProperties: readonly string[];
    }
  | {
      readonly '@type': 'function_names';
      readonly functions: readonly {
        readonly name: string;
        readonly type: string;
        readonly category: string;
      }[];
    }
  | { readonly '@type': 'describe_function'; readonly [member: string]: unknown }
  | { readonly '@type': 'type_list'; readonly types: Readonly<Record<string, FieldSchema>> }
  | {
      readonly '@type': 'variables';
      readonly variables: readonly { readonly name: string; readonly value: string }[];
    }
  | { readonly '@type': 'terminate_query'; readonly queryId: string; readonly wasTerminated: boolean }
  | { readonly '@type': 'warning_entity'; readonly message: string }
  /** Nothing to show but a sentence: INSERT VALUES, SET, UNSET, DEFINE, ASSERT, … */
  | { readonly '@type': 'message'; readonly message: string };

export interface SourceListing {
  readonly type: 'STREAM' | 'TABLE';
  readonly name: string;
  readonly topic: string;
  readonly keyFormat: string;
  readonly valueFormat: string;
  readonly isWindowed: boolean;
}

export interface TopicListing {
  readonly name: string;
  readonly replicaInfo: readonly number[];
}

/** Consumers are this service's own: each running query reads with one group. */
export interface ExtendedTopicListing extends TopicListing {
  readonly consumerCount: number;
  readonly consumerGroupCount: number;
}

export interface QueryListing {
  readonly queryString: string;
  readonly sinks: readonly string[];
  readonly sinkKafkaTopics: readonly string[];
  readonly id: string;
  readonly statusCount: Readonly<Record<string, number>>;
  readonly queryType: 'PERSISTENT' | 'PUSH';
  readonly state: string;
  /** Where it runs, when that is another process of the service: a URL, or which process it is. */
  readonly owner?: string;
  /** How far its state is, while that comes back from changelogs. */
  readonly restoring?: string;
}

export interface FieldSchema {
  readonly type: string;
  readonly fields: readonly FieldDescription[] | null;
  readonly memberSchema: FieldSchema | null;
  readonly parameters?: { readonly precision: number; readonly scale: number };
}

export interface FieldDescription {
  readonly name: string;
  readonly schema: FieldSchema;
  readonly type?: 'KEY' | 'HEADER';
}

export interface SourceDescription {
  readonly name: string;
  readonly windowType: string | null;
  readonly readQueries: readonly QueryListing[];
  readonly writeQueries: readonly QueryListing[];
  readonly fields: readonly FieldDescription[];
  readonly type: 'STREAM' | 'TABLE';
  readonly timestamp: string;
  readonly statistics: string;
  readonly errorStats: string;
  readonly extended: boolean;
  readonly keyFormat: string;
  readonly valueFormat: string;
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  readonly statement: string;
  readonly queryOffsetSummaries: readonly OffsetSummary[];
  readonly sourceConstraints: readonly string[];
  readonly clusterStatistics: readonly unknown[];
  readonly clusterErrorStats: readonly unknown[];
}

/** How far a query has come in the topics that it reads. */
export interface OffsetSummary {
  readonly groupId: string;
  readonly topicSummaries: readonly {
    readonly kafkaTopic: string;
    readonly offsets: readonly {
      readonly partition: number;
      readonly logStartOffset: number;
      readonly logEndOffset: number;
      readonly consumerOffset: number;
    }[];
  }[];
}

export interface QueryDescription {
  readonly id: string;
  readonly statementText: string;
  readonly windowType: string | null;
  readonly fields: readonly FieldDescription[];
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
  readonly topology: string;
  /** The logical plan before and after optimization, rule by rule. */
  readonly executionPlan: string;
  readonly overriddenProperties: Readonly<Record<string, string>>;
  readonly ksqlHostQueryStatus: Readonly<Record<string, string>>;
  readonly queryType: 'PERSISTENT' | 'PUSH' | 'PULL';
  readonly queryErrors: readonly {
    readonly timestamp: number;
    readonly errorMessage: string;
    readonly type: string;
  }[];
  readonly tasksMetadata: readonly unknown[];
  /** The group that its progress is committed to; null for queries that commit none. */
  readonly consumerGroupId: string | null;
  readonly state: string | null;
  /** As in `QueryListing`. */
  readonly owner?: string;
  /** As in `QueryListing`. */
  readonly restoring?: string;
}

export interface PropertyListing {
  readonly name: string;
  /** SESSION, SYSTEM or DEFAULT: where the value comes from. */
  readonly scope: string;
  readonly value: string | null;
}
