import type { Clock } from '../common/clock.ts';
import { SqlError } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import { appendRecord } from '../log/append-record.ts';
import type { Log, LogWriter } from '../log/log.ts';
import { COMMAND_BYTES_MAX } from './command.ts';
import type { EngineOptions } from './engine.ts';
import { readRecords } from './read-records.ts';
import { ownName } from './reserved-topics.ts';
import { isStoredProperties, isStoredQuery, type StoredStatement } from './stored-query.ts';

/** A query of a script, as it was accepted. */
export interface KeptQuery extends StoredStatement {
  readonly version: 1;
  /** The name of its group, stores and topics: what it was given first, wherever it stands in the script now. */
  readonly queryId: string;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * The queries of a service whose script says what runs (`run --kafka`, `server --queries-file`), by identity, in a compacted
 * topic `_millrace_<service id>_queries`: the QUERY_ID where one is given, else what a query writes, and for
 * INSERT INTO its place among the INSERTs into that.
 */
export class KeptQueries {
  readonly #serviceId: string;
  readonly #topic: string;
  readonly #writer: LogWriter;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kept = new Map<string, KeptQuery>();
  /** Records that this release cannot read, with why. */
  readonly #unreadable = new Map<string, string>();
  /** Names of those that `clear` has forgotten, by identity. */
  readonly #cleared = new Map<string, string>();
  /** Identities that statements have had since the start. */
  readonly #taken = new Set<string>();

  private constructor(serviceId: string, writer: LogWriter, clock: Clock, logger: Logger) {
    this.#serviceId = serviceId;
    this.#topic = ownName(serviceId, 'queries');
    this.#writer = writer;
    this.#clock = clock;
    this.#logger = logger;
  }

  static async open(
    { log, serviceId, clock, logger }: Pick<EngineOptions, 'log' | 'serviceId' | 'clock' | 'logger'>,
    replicas: number,
  ): Promise<KeptQueries> {
    const topic = ownName(serviceId, 'queries');
    const configs = { 'cleanup.policy': 'compact' };
    await log.admin.createTopic({ name: topic, partitions: 1, replicas, configs });
    const queries = new KeptQueries(serviceId, await log.openWriter(), clock, logger);
    await readRecords(log, topic, (_offset, key, value) => queries.#read(key, value));
    return queries;
  }

  #read(key: Buffer | null, value: Buffer | null): void {
    if (key === null) return;
    const identity = key.toString();
    this.#kept.delete(identity);
    this.#unreadable.delete(identity);
    if (value === null) return;
    const kept = readKept(value);
    if (typeof kept === 'string') this.#unreadable.set(identity, kept);
    else this.#kept.set(identity, kept);
  }

  /** Names of those of `queryIds` for which another process of the service has kept something else meanwhile. */
  async changedByOthers(log: Log, queryIds: readonly string[]): Promise<readonly string[]> {
    const now = new KeptQueries(this.#serviceId, this.#writer, this.#clock, this.#logger);
    await readRecords(log, this.#topic, (_offset, key, value) => now.#read(key, value));
    const textOf = (kept: KeptQueries, queryId: string): string =>
      JSON.stringify(kept.all().find((each) => each.queryId === queryId)?.query ?? null);
    return queryIds.filter((queryId) => textOf(now, queryId) !== textOf(this, queryId));
  }

  all(): readonly KeptQuery[] {
    return [...this.#kept.values()];
  }

  /** No query's name ends in it, or in a later number. */
  get nextSequence(): number {
    const numbers = this.all().map(({ queryId }) => Number(/_(\d+)$/.exec(queryId)?.[1] ?? -1));
    return Math.max(-1, ...numbers.filter(Number.isSafeInteger)) + 1;
  }

  /** The identity of the next statement of this name: `name`, and `name#2` for the second in a script. */
  next(name: string): string {
    for (let turn = 1; ; turn++) {
      const identity = turn === 1 ? name : `${name}#${turn}`;
      if (!this.#taken.has(identity)) return identity;
    }
  }

  /** Throws `SqlError` for what was kept and cannot be read. */
  get(identity: string): KeptQuery | undefined {
    const fault = this.#unreadable.get(identity);
    if (fault !== undefined)
      throw new SqlError('ML_UNSUPPORTED', `what runs for this query cannot be read: ${fault}`, {
        hint: 'run it with the release that has written it, or start with --fresh to begin anew',
      });
    return this.#kept.get(identity);
  }

  identityOf(queryId: string): string | undefined {
    return [...this.#kept].find(([, kept]) => kept.queryId === queryId)?.[0];
  }

  /** The identity is that of a statement which has taken effect. */
  take(identity: string): void {
    this.#taken.add(identity);
  }

  /** Says which queries of earlier starts the script no longer has, or does not have: another one's may be among them. */
  tellLeft(): void {
    const left = (of: ReadonlyMap<string, string>): readonly string[] =>
      [...of].flatMap(([identity, queryId]) => (this.#taken.has(identity) ? [] : [queryId]));
    const queries = left(new Map([...this.#kept].map(([identity, { queryId }]) => [identity, queryId])));
    if (queries.length > 0)
      this.#logger.warn(
        { queries },
        'the script no longer has these queries: they do not run; their state is kept until a start with --fresh',
      );
    const forgotten = left(this.#cleared);
    if (forgotten.length > 0)
      this.#logger.warn(
        { queries: forgotten, serviceId: this.#serviceId },
        'these queries of the service are forgotten too, and the script does not have them: a script of its own needs a --service-id of its own',
      );
  }

  /** Makes a query durable. Throws `SqlError` for one that is too long. */
  async keep(identity: string, kept: KeptQuery): Promise<void> {
    const value = Buffer.from(JSON.stringify(kept));
    if (value.length > COMMAND_BYTES_MAX)
      throw new SqlError(
        'ML_LIMIT',
        `this statement is too long to be kept: ${value.length} bytes of at most ${COMMAND_BYTES_MAX}`,
      );
    await this.#write(identity, value);
    this.#kept.set(identity, kept);
  }

  /** The query was ended for good. */
  async remove(queryId: string): Promise<void> {
    const identity = this.identityOf(queryId);
    if (identity === undefined) return;
    await this.#write(identity, null);
    this.#kept.delete(identity);
  }

  /** Forgets all, as if nothing had been. */
  async clear(): Promise<void> {
    for (const identity of [...this.#kept.keys(), ...this.#unreadable.keys()])
      await this.#write(identity, null);
    for (const [identity, { queryId }] of this.#kept) this.#cleared.set(identity, queryId);
    this.#kept.clear();
    this.#unreadable.clear();
  }

  async #write(identity: string, value: Buffer | null): Promise<void> {
    appendRecord(
      this.#writer,
      { topic: this.#topic, partition: 0 },
      { timestamp: this.#clock.now(), key: Buffer.from(identity), value },
    );
    await this.#writer.flush();
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}

/** Why it is none is given as text. */
function readKept(value: Buffer): KeptQuery | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    return 'the record is no query';
  }
  if (typeof parsed !== 'object' || parsed === null) return 'the record is no query';
  const { version, queryId, statement, properties, query } = parsed as Partial<KeptQuery>;
  if (version !== 1) return `it was written by another release (version ${JSON.stringify(version ?? null)})`;
  const isKept =
    typeof queryId === 'string' &&
    typeof statement === 'string' &&
    isStoredProperties(properties) &&
    isStoredQuery(query);
  return isKept ? (parsed as KeptQuery) : 'the record is no query';
}
