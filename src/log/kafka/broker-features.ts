import type { ProtocolRequest } from './kafkajs-parts.ts';
import { NONE } from './protocol-error.ts';
import { protocolRequest } from './protocol-request.ts';
import type { TransactionVersion } from './transaction-requests.ts';

/** What a cluster can do beyond the versions of requests that all brokers know. */
export interface BrokerFeatures {
  /** Null: too old for exactly once (before Kafka 2.5). */
  readonly transactions: TransactionVersion | null;
  /** The version of InitProducerId: before 4 (Kafka 2.7) a fenced producer is told by another code (KIP-588). */
  readonly initProducerId: 3 | 4;
  /** Whether it can be asked who writes as a transactional id (KIP-664). */
  readonly describesTransactions: boolean;
  /** Whether committed offsets can be asked for without those of open transactions (KIP-447). */
  readonly stableOffsets: boolean;
  /** Whether it tells the ids of topics (KIP-516). */
  readonly topicIds: boolean;
}

interface ApiVersions {
  readonly code: number;
  /** The newest version of each request, by its key. */
  readonly newest: ReadonlyMap<number, number>;
  readonly transactionVersion: number;
}

const INIT_PRODUCER_ID = 22;
const OFFSET_FETCH = 9;
const DESCRIBE_TRANSACTIONS = 65;
const PRODUCE = 0;
const METADATA = 3;
const END_TXN = 26;
const TXN_OFFSET_COMMIT = 28;

/**
 * ApiVersions v3 (KIP-511, KIP-584), which says what the whole cluster has finalized. Its answer has no tags in its head.
 * Older brokers answer in version 0 that they do not know it.
 */
export function apiVersionsRequest(): ProtocolRequest<ApiVersions> {
  return protocolRequest(
    { key: 18, version: 3, name: 'ApiVersions' },
    (w) => void w.tags().compactString('millrace').compactString('1').tags(),
    (r) => {
      const code = r.int16();
      const newest = new Map<number, number>();
      let transactionVersion = 0;
      if (code !== NONE) return { code, newest, transactionVersion };
      r.compactArray(() => {
        const key = r.int16();
        r.int16(); // oldest
        newest.set(key, r.int16());
        r.tags();
      });
      r.int32(); // throttle time
      r.tags((tag) => {
        if (tag !== 2) return;
        r.compactArray(() => {
          const name = r.compactString();
          const max = r.int16();
          r.int16(); // min
          r.tags();
          if (name === 'transaction.version') transactionVersion = max;
        });
      });
      return { code, newest, transactionVersion };
    },
    { throttled: 'unread' },
  );
}

export function featuresOf({ newest, transactionVersion }: ApiVersions): BrokerFeatures {
  const has = (key: number, version: number): boolean => (newest.get(key) ?? -1) >= version;
  const second = transactionVersion >= 2 && has(PRODUCE, 12) && has(TXN_OFFSET_COMMIT, 5) && has(END_TXN, 5);
  return {
    transactions: !has(INIT_PRODUCER_ID, 3) ? null : second ? 2 : 1,
    initProducerId: has(INIT_PRODUCER_ID, 4) ? 4 : 3,
    describesTransactions: has(DESCRIBE_TRANSACTIONS, 0),
    stableOffsets: has(OFFSET_FETCH, 7),
    topicIds: has(METADATA, 10),
  };
}
