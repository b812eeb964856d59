import type { CommittedOffset, TopicPartition } from '../log.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import { protocolRequest, readByTopic, readPartitionCodes, writeByTopic } from './protocol-request.ts';
import type { PartitionCode } from './protocol-request.ts';
import type { ProducedPartition, ProducePartition } from './requests.ts';

/**
 * The requests of transactions (KIP-98), in two dialects. In version 2 (KIP-890, `transaction.version` 2 of the cluster)
 * every transaction has a producer epoch of its own, which EndTxn answers, and partitions join by being written to. In version
 * 1 the epoch stays from one transaction to the next, and partitions and groups are added by requests of their own.
 */
export type TransactionVersion = 1 | 2;

export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

const NO_IDENTITY: ProducerIdentity = { producerId: -1, epoch: -1 };

export type InitProducerIdResult = ProducerIdentity & { readonly code: number };

/** For an idempotent producer without transactions. Any broker answers. */
export function initProducerIdRequest(): ProtocolRequest<InitProducerIdResult> {
  return protocolRequest(
    { key: 22, version: 1, name: 'InitProducerId' },
    (w) => void w.string(null).int32(60_000),
    (r) => ({ code: r.int16(), producerId: r.int64(), epoch: r.int16() }),
  );
}

/**
 * To the coordinator of the transactional id. Ends what its last producer left open and gives a new epoch; with `current`,
 * only to that producer itself (KIP-360): code 90 says that another one has come.
 */
export function initTransactionRequest(
  version: 3 | 4,
  transactionalId: string,
  timeoutMs: number,
  current: ProducerIdentity = NO_IDENTITY,
): ProtocolRequest<InitProducerIdResult> {
  return protocolRequest(
    { key: 22, version, name: 'InitProducerId' },
    (w) => {
      w.compactString(transactionalId).int32(timeoutMs).int64(current.producerId).int16(current.epoch).tags();
    },
    (r) => ({ code: r.int16(), producerId: r.int64(), epoch: r.int16() }),
    { flexible: true },
  );
}

/** Who writes in which dialect. */
export interface TransactionOwner {
  readonly transactionalId: string;
  readonly producer: ProducerIdentity;
}

/** Version 1 only; to the coordinator of the transactional id. */
export function addPartitionsRequest(
  { transactionalId, producer }: TransactionOwner,
  partitions: readonly TopicPartition[],
): ProtocolRequest<readonly PartitionCode[]> {
  return protocolRequest(
    { key: 24, version: 1, name: 'AddPartitionsToTxn' },
    (w) => {
      w.string(transactionalId).int64(producer.producerId).int16(producer.epoch);
      writeByTopic(w, partitions, ({ partition }) => void w.int32(partition));
    },
    (r) => readPartitionCodes(r),
  );
}

/** Version 1 only; to the coordinator of the transactional id. Resolves to the error code. */
export function addOffsetsRequest(
  { transactionalId, producer }: TransactionOwner,
  group: string,
): ProtocolRequest<number> {
  return protocolRequest(
    { key: 25, version: 1, name: 'AddOffsetsToTxn' },
    (w) => void w.string(transactionalId).int64(producer.producerId).int16(producer.epoch).string(group),
    (r) => r.int16(),
  );
}

/** To the partitions' leader: acknowledged by all in-sync replicas. Version 2 only, where it also adds the partitions. */
export function produceInTransactionRequest(
  transactionalId: string,
  batches: readonly ProducePartition[],
  timeoutMs: number,
): ProtocolRequest<readonly ProducedPartition[]> {
  let sizeHint = 256;
  for (const { topic, bytes } of batches) sizeHint += bytes.length + topic.length * 3 + 32;
  return protocolRequest(
    { key: 0, version: 12, name: 'Produce' },
    (w) => {
      w.compactString(transactionalId).int16(-1).int32(timeoutMs);
      const write = ({ partition, bytes }: ProducePartition): void => {
        w.int32(partition).compactBytes(bytes);
      };
      writeByTopic(w, batches, write, true);
      w.tags();
    },
    (r) =>
      readByTopic(
        r,
        (topic): ProducedPartition => {
          const produced = { topic, partition: r.int32(), code: r.int16(), baseOffset: r.int64() };
          r.int64(); // append time
          r.int64(); // log start
          r.compactArray(() => {
            r.int32(); // index in the batch
            r.compactNullableString();
            r.tags();
          });
          r.compactNullableString();
          return produced;
        },
        true,
      ),
    { flexible: true, throttled: 'last', timeoutMs: timeoutMs + 10_000, sizeHint },
  );
}

/**
 * To the coordinator of the group. The group has no members, or only those of other protocols: no generation is named, the
 * producer's epoch says whose the offsets are.
 */
export function commitOffsetsInTransactionRequest(
  version: TransactionVersion,
  { transactionalId, producer }: TransactionOwner,
  group: string,
  offsets: readonly CommittedOffset[],
): ProtocolRequest<readonly PartitionCode[]> {
  const { producerId, epoch } = producer;
  if (version === 1)
    return protocolRequest(
      { key: 28, version: 2, name: 'TxnOffsetCommit' },
      (w) => {
        w.string(transactionalId).string(group).int64(producerId).int16(epoch);
        writeByTopic(w, offsets, ({ partition, offset, metadata }) => {
          w.int32(partition).int64(offset).int32(-1).string(metadata);
        });
      },
      (r) => readPartitionCodes(r),
    );
  return protocolRequest(
    { key: 28, version: 5, name: 'TxnOffsetCommit' },
    (w) => {
      w.compactString(transactionalId).compactString(group).int64(producerId).int16(epoch);
      w.int32(-1).compactString('').compactString(null); // no generation, no member
      const write = ({ partition, offset, metadata }: CommittedOffset): void => {
        w.int32(partition).int64(offset).int32(-1).compactString(metadata);
      };
      writeByTopic(w, offsets, write, true);
      w.tags();
    },
    (r) => readPartitionCodes(r, true),
    { flexible: true },
  );
}

/**
 * To the coordinator of the transactional id. In version 2 the answer has the identity of the next transaction; a repeated
 * request is answered with the same one.
 */
export function endTransactionRequest(
  version: TransactionVersion,
  { transactionalId, producer }: TransactionOwner,
  commit: boolean,
): ProtocolRequest<InitProducerIdResult> {
  const { producerId, epoch } = producer;
  if (version === 1)
    return protocolRequest(
      { key: 26, version: 1, name: 'EndTxn' },
      (w) => void w.string(transactionalId).int64(producerId).int16(epoch).boolean(commit),
      (r) => ({ ...producer, code: r.int16() }),
    );
  return protocolRequest(
    { key: 26, version: 5, name: 'EndTxn' },
    (w) => void w.compactString(transactionalId).int64(producerId).int16(epoch).boolean(commit).tags(),
    (r) => ({ code: r.int16(), producerId: r.int64(), epoch: r.int16() }),
    { flexible: true },
  );
}

export interface DescribedTransaction extends ProducerIdentity {
  readonly code: number;
}

/** Who writes as a transactional id now, to its coordinator (KIP-664; Kafka 3.0 and later). */
export function describeTransactionRequest(transactionalId: string): ProtocolRequest<DescribedTransaction> {
  return protocolRequest(
    { key: 65, version: 0, name: 'DescribeTransactions' },
    (w) => void w.compactArray([transactionalId], (id) => w.compactString(id)).tags(),
    (r) =>
      r.compactArray(() => {
        const code = r.int16();
        r.compactString(); // transactional id
        r.compactString(); // state
        r.int32(); // time-out
        r.int64(); // start
        const described = { code, producerId: r.int64(), epoch: r.int16() };
        r.compactArray(() => {
          r.compactString();
          r.compactArray(() => r.int32());
          r.tags();
        });
        r.tags();
        return described;
      })[0] ?? { code: -1, ...NO_IDENTITY },
    { flexible: true },
  );
}
