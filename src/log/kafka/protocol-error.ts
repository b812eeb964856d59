import { LogError } from '../log.ts';
import type { LogErrorKind, TopicPartition } from '../log.ts';

/**
 * Error codes of Kafka's protocol by number (https://kafka.apache.org/protocol#protocol_error_codes). Names are
 * ours to print only: decisions are made on numbers, because kafkajs's own table ends at 88 and names some differently.
 */
export const UNKNOWN_SERVER_ERROR = -1;
export const NONE = 0;
const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const MESSAGE_TOO_LARGE = 10;
export const INVALID_TOPIC_EXCEPTION = 17;
export const RECORD_LIST_TOO_LARGE = 18;
export const ILLEGAL_GENERATION = 22;
export const UNKNOWN_MEMBER_ID = 25;
export const REBALANCE_IN_PROGRESS = 27;
export const CLUSTER_AUTHORIZATION_FAILED = 31;
export const INVALID_TIMESTAMP = 32;
export const TOPIC_ALREADY_EXISTS = 36;
export const ILLEGAL_SASL_STATE = 34;
export const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
export const DUPLICATE_SEQUENCE_NUMBER = 46;
export const INVALID_PRODUCER_EPOCH = 47;
export const INVALID_PRODUCER_ID_MAPPING = 49;
export const INVALID_TRANSACTION_TIMEOUT = 50;
export const UNKNOWN_PRODUCER_ID = 59;
export const GROUP_ID_NOT_FOUND = 69;
export const INVALID_RECORD = 87;
export const MEMBER_ID_REQUIRED = 79;
export const PRODUCER_FENCED = 90;

interface Meaning {
  readonly name: string;
  /** Worth another try after new metadata or a new coordinator look-up. */
  readonly retry?: true;
  /** The kind of error for the user, when it is final. */
  readonly kind?: LogErrorKind;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [UNKNOWN_SERVER_ERROR]: { name: 'UNKNOWN_SERVER_ERROR' },
  [OFFSET_OUT_OF_RANGE]: { name: 'OFFSET_OUT_OF_RANGE', kind: 'offset-out-of-range' },
  2: { name: 'CORRUPT_MESSAGE', retry: true, kind: 'corrupt' },
  [UNKNOWN_TOPIC_OR_PARTITION]: { name: 'UNKNOWN_TOPIC_OR_PARTITION', retry: true, kind: 'unknown-topic' },
  5: { name: 'LEADER_NOT_AVAILABLE', retry: true },
  6: { name: 'NOT_LEADER_OR_FOLLOWER', retry: true },
  7: { name: 'REQUEST_TIMED_OUT', retry: true },
  8: { name: 'BROKER_NOT_AVAILABLE', retry: true },
  9: { name: 'REPLICA_NOT_AVAILABLE', retry: true },
  [MESSAGE_TOO_LARGE]: { name: 'MESSAGE_TOO_LARGE', kind: 'record-too-large' },
  13: { name: 'NETWORK_EXCEPTION', retry: true },
  14: { name: 'COORDINATOR_LOAD_IN_PROGRESS', retry: true },
  15: { name: 'COORDINATOR_NOT_AVAILABLE', retry: true },
  16: { name: 'NOT_COORDINATOR', retry: true },
  [INVALID_TOPIC_EXCEPTION]: { name: 'INVALID_TOPIC_EXCEPTION', kind: 'invalid-topic' },
  [RECORD_LIST_TOO_LARGE]: { name: 'RECORD_LIST_TOO_LARGE', kind: 'record-too-large' },
  19: { name: 'NOT_ENOUGH_REPLICAS', retry: true },
  20: { name: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', retry: true },
  [ILLEGAL_GENERATION]: { name: 'ILLEGAL_GENERATION', kind: 'fenced' },
  23: { name: 'INCONSISTENT_GROUP_PROTOCOL' },
  [UNKNOWN_MEMBER_ID]: { name: 'UNKNOWN_MEMBER_ID', kind: 'fenced' },
  26: { name: 'INVALID_SESSION_TIMEOUT' },
  [REBALANCE_IN_PROGRESS]: { name: 'REBALANCE_IN_PROGRESS', kind: 'fenced' },
  29: { name: 'TOPIC_AUTHORIZATION_FAILED', kind: 'unauthorized' },
  30: { name: 'GROUP_AUTHORIZATION_FAILED', kind: 'unauthorized' },
  [CLUSTER_AUTHORIZATION_FAILED]: { name: 'CLUSTER_AUTHORIZATION_FAILED', kind: 'unauthorized' },
  [INVALID_TIMESTAMP]: { name: 'INVALID_TIMESTAMP', kind: 'corrupt' },
  [TOPIC_ALREADY_EXISTS]: { name: 'TOPIC_ALREADY_EXISTS' },
  37: { name: 'INVALID_PARTITIONS', kind: 'invalid-topic' },
  38: { name: 'INVALID_REPLICATION_FACTOR', kind: 'invalid-topic' },
  40: { name: 'INVALID_CONFIG', kind: 'invalid-topic' },
  41: { name: 'NOT_CONTROLLER', retry: true },
  44: { name: 'POLICY_VIOLATION', kind: 'invalid-topic' },
  [OUT_OF_ORDER_SEQUENCE_NUMBER]: { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER', kind: 'transaction-aborted' },
  [DUPLICATE_SEQUENCE_NUMBER]: { name: 'DUPLICATE_SEQUENCE_NUMBER' },
  [INVALID_PRODUCER_EPOCH]: { name: 'INVALID_PRODUCER_EPOCH', kind: 'fenced' },
  [INVALID_PRODUCER_ID_MAPPING]: { name: 'INVALID_PRODUCER_ID_MAPPING', kind: 'transaction-aborted' },
  48: { name: 'INVALID_TXN_STATE', kind: 'transaction-aborted' },
  [INVALID_TRANSACTION_TIMEOUT]: { name: 'INVALID_TRANSACTION_TIMEOUT', kind: 'invalid-setting' },
  51: { name: 'CONCURRENT_TRANSACTIONS', retry: true },
  52: { name: 'TRANSACTION_COORDINATOR_FENCED', kind: 'transaction-aborted' },
  53: { name: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', kind: 'unauthorized' },
  56: { name: 'KAFKA_STORAGE_ERROR', retry: true },
  [UNKNOWN_PRODUCER_ID]: { name: 'UNKNOWN_PRODUCER_ID', kind: 'transaction-aborted' },
  68: { name: 'NON_EMPTY_GROUP', kind: 'fenced' },
  [GROUP_ID_NOT_FOUND]: { name: 'GROUP_ID_NOT_FOUND' },
  74: { name: 'FENCED_LEADER_EPOCH', retry: true },
  75: { name: 'UNKNOWN_LEADER_EPOCH', retry: true },
  76: { name: 'UNSUPPORTED_COMPRESSION_TYPE', kind: 'unsupported-codec' },
  78: { name: 'OFFSET_NOT_AVAILABLE', retry: true },
  [MEMBER_ID_REQUIRED]: { name: 'MEMBER_ID_REQUIRED' },
  81: { name: 'GROUP_MAX_SIZE_REACHED' },
  82: { name: 'FENCED_INSTANCE_ID', kind: 'fenced' },
  86: { name: 'GROUP_SUBSCRIBED_TO_TOPIC', kind: 'fenced' },
  [INVALID_RECORD]: { name: 'INVALID_RECORD', kind: 'corrupt' },
  88: { name: 'UNSTABLE_OFFSET_COMMIT', retry: true },
  89: { name: 'THROTTLING_QUOTA_EXCEEDED', retry: true },
  [PRODUCER_FENCED]: { name: 'PRODUCER_FENCED', kind: 'fenced' },
  100: { name: 'UNKNOWN_TOPIC_ID', retry: true, kind: 'unknown-topic' },
  110: { name: 'FENCED_MEMBER_EPOCH', kind: 'fenced' },
  113: { name: 'STALE_MEMBER_EPOCH', kind: 'fenced' },
  120: { name: 'TRANSACTION_ABORTABLE', kind: 'transaction-aborted' },
};

export function isRetriable(code: number): boolean {
  return MEANINGS[code]?.retry === true;
}

/** `error code 45 (OUT_OF_ORDER_SEQUENCE_NUMBER)`, for texts. */
export function describeCode(code: number): string {
  return `error code ${code} (${MEANINGS[code]?.name ?? 'unknown'})`;
}

/** The error that a final `code` is for callers of the log. `doing` says what was tried: "reading topic a". */
export function errorOf(
  code: number,
  doing: string,
  partition?: TopicPartition & { readonly offset?: number },
  detail?: string | null,
): LogError {
  const kind = MEANINGS[code]?.kind ?? 'unavailable';
  const more = detail === undefined || detail === null || detail === '' ? '' : `: ${detail}`;
  // What is done to a group may fail because of one topic.
  const where =
    partition === undefined || doing.includes(partition.topic)
      ? ''
      : ` for ${partition.topic}-${partition.partition}`;
  return new LogError(kind, `${doing}${where} failed with ${describeCode(code)}${more}`, partition);
}
