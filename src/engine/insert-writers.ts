import { SqlError } from '../common/error.ts';
import type { Clock } from '../common/clock.ts';
import type { Log, LogWriter, ProducerOptions } from '../log/log.ts';
import type { CatalogSource } from '../sql/catalog/source.ts';
import { partitionsOf } from './topics.ts';

/** Rows of INSERT VALUES that may wait for the log, over all topics. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024;
const WRITERS_MAX = 100;
/** How old the number of partitions of a topic may be that a row is written by. */
const PARTITIONS_AGE_MS = 60_000;

/**
 * The writers of INSERT VALUES, one a topic and way to send: what goes wrong with one (it was deleted, its leader is away)
 * is nothing to the others.
 */
export class InsertWriters {
  readonly #log: Log;
  /** The one that was used last comes last. */
  readonly #writers = new Map<string, Promise<LogWriter>>();
  readonly #open = new Set<LogWriter>();
  readonly #clock: Clock;
  readonly #partitions = new WeakMap<CatalogSource, { readonly count: number; readonly atMs: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** How many partitions a source's topic had at most a minute ago. Throws `SqlError` ML_TOPIC when it is gone. */
  async partitionsOf(source: CatalogSource): Promise<number> {
    const known = this.#partitions.get(source);
    if (known !== undefined && this.#clock.now() - known.atMs < PARTITIONS_AGE_MS) return known.count;
    const count = await partitionsOf(this.#log.admin, { ...source, partitions: 0 });
    this.#partitions.set(source, { count, atMs: this.#clock.now() });
    return count;
  }

  /** Throws `SqlError` ML_LOG when too much waits for the log already. */
  async writer(topic: string, producer: ProducerOptions): Promise<LogWriter> {
    let pending = 0;
    for (const each of this.#open) pending += each.pendingBytes;
    if (pending > PENDING_BYTES_MAX)
      throw new SqlError('ML_LOG', `${pending} bytes of rows wait for the log already`, {
        hint: 'nothing was written; look whether the log (Kafka) can be reached, and insert again',
      });
    const key = `${topic} ${producer.compression} ${producer.requestBytesMax}`;
    const known = this.#writers.get(key);
    const writer = known ?? this.#openWriter(key, producer);
    this.#writers.delete(key);
    this.#writers.set(key, writer);
    if (this.#writers.size > WRITERS_MAX) this.#closeIdle();
    return writer;
  }

  #openWriter(key: string, producer: ProducerOptions): Promise<LogWriter> {
    const opening = this.#log.openWriter(producer);
    opening.then(
      (writer) => this.#open.add(writer),
      () => this.#writers.delete(key),
    );
    return opening;
  }

  #closeIdle(): void {
    for (const [key, opening] of [...this.#writers].slice(0, -1)) {
      this.#writers.delete(key);
      void opening
        .then(
          async (writer) => {
            await writer.flush();
            this.#open.delete(writer);
            await writer.close();
          },
          () => undefined,
        )
        .catch(() => undefined);
      return;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((writer) => writer.close()));
  }
}
