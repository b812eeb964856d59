import { onAbort } from '../../common/abort.ts';
import { sleep } from '../../common/clock.ts';
import { LogError } from '../log.ts';
import type { OffsetToCommit, TopicPartition } from '../log.ts';
import { Coordinator } from './coordinator.ts';
import { checkMetadata, worstOf } from './group-offsets.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import {
  describeCode,
  errorOf,
  INVALID_PRODUCER_EPOCH,
  INVALID_TRANSACTION_TIMEOUT,
  isRetriable,
  NONE,
  PRODUCER_FENCED,
  UNKNOWN_SERVER_ERROR,
} from './protocol-error.ts';
import type { PartitionCode } from './protocol-request.ts';
import { failureOf, RetriableError } from './retry.ts';
import {
  addOffsetsRequest,
  addPartitionsRequest,
  commitOffsetsInTransactionRequest,
  describeTransactionRequest,
  endTransactionRequest,
  initTransactionRequest,
} from './transaction-requests.ts';
import type { ProducerIdentity, TransactionOwner, TransactionVersion } from './transaction-requests.ts';

const INIT_TIMEOUT_MS = 60_000;
/** Longer than a transaction may last by default: an answer that comes then says that it is undone. */
const REQUEST_TIMEOUT_MS = 60_000;
const ABORT_TIMEOUT_MS = 5_000;
const TRANSACTION_TIMEOUT_MS = 10_000;

export interface TransactionOptions {
  readonly transactionalId: string;
  readonly timeoutMs?: number | undefined;
  /** Whose offsets are committed. */
  readonly group: string | undefined;
}

/**
 * The transactions of one writer, one after another: who it is to the brokers, what has joined, how they end.
 *
 * A request whose answer did not come may still arrive, at any time. In version 2 each transaction has an epoch of its own
 * (KIP-890), so a late one is refused and all are repeated until they are answered. In version 1 a late EndTxn
 * would end the next transaction: there no request is repeated that was not answered. The writer is of no more use then
 * (`transaction-aborted`), and whoever opens the next one, with a new epoch, reads what was committed.
 */
export class KafkaTransaction {
  readonly transactionalId: string;
  readonly version: TransactionVersion;
  readonly #cluster: KafkaCluster;
  readonly #coordinator: Coordinator;
  readonly #group: { readonly name: string; readonly coordinator: Coordinator } | undefined;
  readonly #timeoutMs: number;
  /** Partitions that belong to the transaction already. */
  readonly #joined = new Set<string>();
  #producer: ProducerIdentity;
  #isOpen = false;
  /** Version 1: the brokers have said that something belongs to it. */
  #hasBegun = false;
  /** EndTxn is on its way, and nobody knows whether it has arrived. */
  #isEnding = false;

  /**
   * Undoes what an earlier writer of the id left open, and fences it. Throws `LogError` `unauthorized`, `invalid-setting`
   * for a time-out that the brokers do not allow, and `unsupported` where the brokers are too old.
   */
  static async open(cluster: KafkaCluster, options: TransactionOptions): Promise<KafkaTransaction> {
    const { transactionalId, timeoutMs = TRANSACTION_TIMEOUT_MS } = options;
    const doing = `beginning as transactional id ${transactionalId}`;
    const coordinator = new Coordinator(cluster, 'transaction', transactionalId);
    return cluster.retry(doing, INIT_TIMEOUT_MS, async () => {
      const { transactions, initProducerId } = await cluster.features(true);
      if (transactions === null)
        throw new LogError(
          'unsupported',
          'these brokers are too old for exactly once, which needs Kafka 2.5 or later',
        );
      const request = initTransactionRequest(initProducerId, transactionalId, timeoutMs);
      const producer = await coordinator.send(request, ({ code }) => {
        if (code === INVALID_TRANSACTION_TIMEOUT)
          throw new LogError(
            'invalid-setting',
            `the brokers allow no transaction of ${timeoutMs} ms (transaction.max.timeout.ms there): commit more often, or set transaction.timeout.ms`,
          );
        if (code !== NONE) throw failureOf(code, doing);
      });
      return new KafkaTransaction(cluster, coordinator, transactions, producer, { ...options, timeoutMs });
    });
  }

  private constructor(
    cluster: KafkaCluster,
    coordinator: Coordinator,
    version: TransactionVersion,
    producer: ProducerIdentity,
    { transactionalId, group, timeoutMs }: TransactionOptions & { readonly timeoutMs: number },
  ) {
    this.transactionalId = transactionalId;
    this.version = version;
    this.#cluster = cluster;
    this.#coordinator = coordinator;
    this.#producer = producer;
    this.#timeoutMs = timeoutMs;
    this.#group =
      group === undefined
        ? undefined
        : { name: group, coordinator: new Coordinator(cluster, 'group', group) };
  }

  /** Who writes now: another one after each commit in version 2. */
  get producer(): ProducerIdentity {
    return this.#producer;
  }

  /** Whether something was written or is on its way since the last commit. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether records may be written to a partition without `join`. */
  hasJoined(partition: string): boolean {
    return this.version === 2 || this.#joined.has(partition);
  }

  /** To be called before anything of it is sent. */
  begin(): void {
    this.#isOpen = true;
  }

  /** Version 1: adds partitions, by their keys. */
  async join(partitions: ReadonlyMap<string, TopicPartition>): Promise<void> {
    this.begin();
    const doing = `adding partitions to the transaction of ${this.transactionalId}`;
    const request = addPartitionsRequest(this.#owner, [...partitions.values()]);
    await this.#ask(doing, this.#coordinator, request, worst);
    for (const key of partitions.keys()) this.#joined.add(key);
    this.#hasBegun = true;
  }

  /** Ends the transaction, whose records were all acknowledged, with the offsets of its input. */
  async commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    await this.#addOffsets(offsets);
    if (!this.#isOpen) return;
    const doing = `committing the transaction of ${this.transactionalId}`;
    this.#isEnding = true;
    const request = endTransactionRequest(this.version, this.#owner, true);
    const { producerId, epoch } = await this.#ask(doing, this.#coordinator, request, ({ code }) => ({
      code,
    }));
    this.#producer = { producerId, epoch };
    this.#joined.clear();
    this.#isOpen = false;
    this.#hasBegun = false;
    this.#isEnding = false;
  }

  async #addOffsets(offsets: readonly OffsetToCommit[]): Promise<void> {
    const group = this.#group;
    if (offsets.length === 0 || group === undefined) return;
    const doing = `committing offsets of group ${group.name}`;
    checkMetadata(offsets, doing);
    this.begin();
    if (this.version === 1) {
      await this.#ask(doing, this.#coordinator, addOffsetsRequest(this.#owner, group.name), (code) => ({
        code,
      }));
      this.#hasBegun = true;
    }
    const request = commitOffsetsInTransactionRequest(this.version, this.#owner, group.name, offsets);
    await this.#ask(doing, group.coordinator, request, worst);
  }

  /**
   * Undoes what is open, so that readers need not wait until it runs out of time. Tried once and never throws: the next
   * writer of the id does it too.
   */
  async abort(): Promise<void> {
    if (!this.#isOpen || this.#isEnding) return;
    this.#isOpen = false;
    const { clock, signal } = this.#cluster;
    const waited = new AbortController();
    const unsubscribe = onAbort(signal, () => waited.abort());
    await Promise.race([this.#undo().catch(() => undefined), sleep(clock, ABORT_TIMEOUT_MS, waited.signal)]);
    unsubscribe();
    waited.abort();
  }

  /**
   * Records that are still on their way must find an epoch that has passed, or they would begin a transaction that nobody
   * ends (KIP-890): in version 1 it passes when the producer asks for a new one.
   */
  async #undo(): Promise<void> {
    if (this.version === 2)
      await this.#coordinator.send(endTransactionRequest(2, this.#owner, false), () => undefined);
    else {
      const { initProducerId } = await this.#cluster.features();
      const request = initTransactionRequest(
        initProducerId,
        this.transactionalId,
        this.#timeoutMs,
        this.#producer,
      );
      await this.#coordinator.send(request, () => undefined);
    }
  }

  /** What it means that nobody knows whether a request has arrived; null: it is to be repeated. */
  unanswered(doing: string, error: RetriableError): LogError | null {
    if (this.version === 2) return null;
    return new LogError('transaction-aborted', `${doing} was not answered (${error.message})`);
  }

  /**
   * What it means that a request was refused with `code`. A writer whose transaction ran out of time and one in whose place
   * another has come are refused alike.
   */
  async refused(code: number, doing: string, partition?: TopicPartition): Promise<LogError> {
    // What went wrong inside the broker may have been done all the same: whoever opens again reads whether it was.
    if (code === UNKNOWN_SERVER_ERROR)
      return new LogError('transaction-aborted', `${doing} failed with ${describeCode(code)}`, partition);
    if (!isFencing(code)) return errorOf(code, doing, partition);
    this.#isOpen = false;
    const isFenced = await this.#cluster.retry(doing, REQUEST_TIMEOUT_MS, () =>
      this.version === 2 ? this.#isOutdone(doing) : this.#hasAnotherCome(doing),
    );
    return isFenced
      ? new LogError(
          'fenced',
          `${doing} was refused with ${describeCode(code)}: another process writes as ${this.transactionalId} now`,
          partition,
        )
      : new LogError(
          'transaction-aborted',
          `the transaction of ${this.transactionalId} was undone because it ran out of time`,
          partition,
        );
  }

  /** Asking for a new epoch with its own one is granted unless another writer has come (KIP-588). */
  async #isOutdone(doing: string): Promise<boolean> {
    const request = initTransactionRequest(4, this.transactionalId, this.#timeoutMs, this.#producer);
    const { code } = await this.#coordinator.send(request, (answer) => {
      if (answer.code !== NONE && !isFencing(answer.code)) throw failureOf(answer.code, doing);
    });
    return code !== NONE;
  }

  /**
   * Version 1 refuses that in both cases. There a transaction that runs out of time takes one epoch, and a writer that comes
   * while it is open takes another one behind it.
   */
  async #hasAnotherCome(doing: string): Promise<boolean> {
    if (!this.#hasBegun || !(await this.#cluster.features()).describesTransactions) return true;
    const { producerId, epoch } = await this.#coordinator.send(
      describeTransactionRequest(this.transactionalId),
      ({ code }) => {
        if (code !== NONE) throw failureOf(code, doing);
      },
    );
    return producerId !== this.#producer.producerId || epoch > this.#producer.epoch + 1;
  }

  get #owner(): TransactionOwner {
    return { transactionalId: this.transactionalId, producer: this.#producer };
  }

  /** `failure` finds what is wrong with an answer, if anything. */
  async #ask<T>(
    doing: string,
    coordinator: Coordinator,
    request: ProtocolRequest<T>,
    failure: (answer: T) => Failure | undefined,
  ): Promise<T> {
    try {
      return await this.#cluster.retry(doing, REQUEST_TIMEOUT_MS, async () => {
        await coordinator.find();
        let answered = false;
        try {
          return await coordinator.send(request, (answer) => {
            answered = true;
            const found = failure(answer);
            if (found === undefined || found.code === NONE) return;
            const { code, at } = found;
            throw isRetriable(code) ? failureOf(code, doing, at) : new Refused(code, at);
          });
        } catch (error) {
          if (!answered && error instanceof RetriableError) throw this.unanswered(doing, error) ?? error;
          throw error;
        }
      });
    } catch (error) {
      throw error instanceof Refused ? await this.refused(error.code, doing, error.at) : error;
    }
  }
}

function isFencing(code: number): boolean {
  return code === INVALID_PRODUCER_EPOCH || code === PRODUCER_FENCED;
}

interface Failure {
  readonly code: number;
  readonly at?: TopicPartition;
}

/** A request was answered with a code that no repetition changes. */
class Refused extends Error {
  readonly code: number;
  readonly at: TopicPartition | undefined;

  constructor(code: number, at: TopicPartition | undefined) {
    super(describeCode(code));
    this.code = code;
    this.at = at;
  }
}

function worst(codes: readonly PartitionCode[]): Failure | undefined {
  const found = worstOf(codes);
  return found === undefined ? undefined : { code: found.code, at: found };
}
