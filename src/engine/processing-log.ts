import type { Clock } from '../common/clock.ts';
import { messageOf } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import { json } from '../formats/json.ts';
import { DEFAULT_KEY_FORMAT } from '../formats/registry.ts';
import { type LogAdmin, LogError, type LogWriter } from '../log/log.ts';
import type { CatalogSource } from '../sql/catalog/source.ts';
import type { SkippedRecord } from '../streams/task/skipped-record.ts';
import { printIdentifier, printType } from '../types/print-type.ts';
import {
  array,
  BIGINT,
  BYTES,
  INTEGER,
  type SqlType,
  STRING,
  struct,
  type StructField,
} from '../types/sql-type.ts';
import type { EngineOptions } from './engine.ts';
import { processingLogTopic } from './reserved-topics.ts';

const CAUSE: StructField = { name: 'CAUSE', type: array(STRING) };
const text = (name: string): StructField => ({ name, type: STRING });

/** What ksqlDB's stream of this name has: a message of each kind, all but one of them null. */
const MESSAGE = struct([
  { name: 'TYPE', type: INTEGER },
  {
    name: 'DESERIALIZATIONERROR',
    type: struct([text('TARGET'), text('ERRORMESSAGE'), text('RECORDB64'), CAUSE, text('topic')]),
  },
  { name: 'RECORDPROCESSINGERROR', type: struct([text('ERRORMESSAGE'), text('RECORD'), CAUSE]) },
  { name: 'PRODUCTIONERROR', type: struct([text('ERRORMESSAGE')]) },
  {
    name: 'SERIALIZATIONERROR',
    type: struct([text('TARGET'), text('ERRORMESSAGE'), text('RECORD'), CAUSE, text('topic')]),
  },
  { name: 'KAFKASTREAMSTHREADERROR', type: struct([text('ERRORMESSAGE'), text('THREADNAME'), CAUSE]) },
]);

/** Our own columns, and behind them ksqlDB's. */
const COLUMNS: readonly (readonly [name: string, type: SqlType])[] = [
  ['QUERY', STRING],
  ['NODE', STRING],
  ['REASON', STRING],
  ['DETAIL', STRING],
  ['TOPIC', STRING],
  ['PARTITION', INTEGER],
  ['OFFSET', BIGINT],
  ['RECORD_KEY', BYTES],
  ['RECORD_VALUE', BYTES],
  ['RECORD_TEXT', STRING],
  ['LOGGER', STRING],
  ['LEVEL', STRING],
  ['TIME', BIGINT],
  ['MESSAGE', MESSAGE],
];

/** What ksqlDB's programs read; the names of fields are those that it writes. */
function ksqlMessageOf({
  reason,
  detail,
  unreadable,
  topic,
  key,
  value,
}: SkippedRecord): Record<string, unknown> {
  const error = { errorMessage: detail, cause: [detail] };
  const record = value?.toString('utf8') ?? null;
  const kinds = {
    deserializationError: null as unknown,
    recordProcessingError: null as unknown,
    productionError: null as unknown,
    serializationError: null as unknown,
    kafkaStreamsThreadError: null,
  };
  switch (reason) {
    case 'deserialization': {
      const recordB64 = (unreadable === 'key' ? key : value)?.toString('base64') ?? null;
      kinds.deserializationError = { target: unreadable, ...error, recordB64, topic };
      return { type: 0, ...kinds };
    }
    case 'serialization':
      // The topic would be the one that was to be written to; the record and its place are those that were read.
      kinds.serializationError = { target: null, ...error, record, topic: null };
      return { type: 3, ...kinds };
    case 'production':
      kinds.productionError = { errorMessage: detail };
      return { type: 2, ...kinds };
    default:
      kinds.recordProcessingError = { ...error, record };
      return { type: 1, ...kinds };
  }
}

/** Rows of no query of its own that may wait for the log; beyond that they are only counted. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024;
/** What is kept of a detail where the record is left out: it may quote the record. */
const CUT_CHARS = 10_000;

/**
 * Records that did not take part in a query, kept in a topic of the log, with where they came from, why, and
 * their bytes: nothing vanishes. Queried as the stream KSQL_PROCESSING_LOG.
 */
export class ProcessingLog {
  readonly topic: string;
  readonly #admin: LogAdmin;
  readonly #replicas: number;
  readonly #writer: LogWriter;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Rows that were not written. */
  #lost = 0;
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    topic: string,
    replicas: number,
    writer: LogWriter,
    { log, clock, logger }: Pick<EngineOptions, 'log' | 'clock' | 'logger'>,
  ) {
    this.topic = topic;
    this.#admin = log.admin;
    this.#replicas = replicas;
    this.#writer = writer;
    this.#clock = clock;
    this.#logger = logger;
  }

  static async open(
    options: Pick<EngineOptions, 'log' | 'serviceId' | 'clock' | 'logger'>,
    replicas: number,
  ): Promise<ProcessingLog> {
    const topic = processingLogTopic(options.serviceId);
    const processingLog = new ProcessingLog(topic, replicas, await options.log.openWriter(), options);
    await processingLog.#createTopic();
    return processingLog;
  }

  #createTopic(): Promise<boolean> {
    return this.#admin.createTopic({ name: this.topic, partitions: 1, replicas: this.#replicas });
  }

  /** Makes the topic anew where it is gone, which may be why a query failed, which is started again. */
  mend(error: unknown): void {
    if (!(error instanceof LogError) || error.kind !== 'unknown-topic') return;
    this.#createTopic().catch((failure: unknown) => {
      this.#logger.warn(
        { topic: this.topic, error: messageOf(failure) },
        'the processing log cannot be made anew',
      );
    });
  }

  /** The stream over the topic, as the catalog has it: made by hand, because parsing would cost every start. */
  get source(): CatalogSource {
    const columns = COLUMNS.map(([name, type]) => `${printIdentifier(name)} ${printType(type)}`).join(', ');
    return {
      name: 'KSQL_PROCESSING_LOG',
      type: 'stream',
      schema: { key: [], value: COLUMNS.map(([name, type]) => ({ name, type })), headers: [] },
      topic: this.topic,
      partitions: 1,
      keyFormat: { name: DEFAULT_KEY_FORMAT, wrapped: false, properties: [] },
      valueFormat: { name: json.name, wrapped: true, properties: [] },
      window: null,
      timestamp: null,
      statementText: `CREATE STREAM KSQL_PROCESSING_LOG (${columns}) WITH (KAFKA_TOPIC='${this.topic}', VALUE_FORMAT='${json.name}');`,
      sourceOnly: false,
      createdBy: null,
    };
  }

  /**
   * Adds what was skipped by something that commits nothing (a query of a client): written within a moment, or, when the log
   * does not take it, counted in the server's log.
   */
  add(queryId: string, skipped: SkippedRecord): void {
    if (this.#writer.pendingBytes > PENDING_BYTES_MAX) this.#lost++;
    else this.write(queryId, skipped, this.#writer);
    this.#cancel ??= this.#clock.setTimer(50, () => {
      this.#cancel = null;
      void this.flush();
    });
  }

  /** Gives a row to a writer, whose commit takes it along. */
  write(queryId: string, skipped: SkippedRecord, writer: LogWriter): void {
    // A query on this log that cannot evaluate its rows would feed itself for ever.
    if (skipped.topic === this.topic) return;
    try {
      this.#append(queryId, skipped, writer);
    } catch (error) {
      if (!(error instanceof LogError) || !error.refusesRecord) throw error;
      // The record is larger than the log takes, all the more as text: it still lies where the row says.
      const { key, value, detail } = skipped;
      const sizeBytes = (key?.length ?? 0) + (value?.length ?? 0);
      const where = `${detail.slice(0, CUT_CHARS)} (the record has ${sizeBytes} bytes and is left out here)`;
      this.#append(queryId, { ...skipped, key: null, value: null, detail: where }, writer);
    }
  }

  #append(queryId: string, skipped: SkippedRecord, writer: LogWriter): void {
    const timestamp = this.#clock.now();
    const value = Buffer.from(
      JSON.stringify({
        QUERY: queryId,
        NODE: skipped.node,
        REASON: skipped.reason,
        DETAIL: skipped.detail,
        TOPIC: skipped.topic,
        PARTITION: skipped.partition,
        OFFSET: skipped.offset,
        RECORD_KEY: skipped.key?.toString('base64') ?? null,
        RECORD_VALUE: skipped.value?.toString('base64') ?? null,
        RECORD_TEXT: skipped.value?.toString('utf8') ?? null,
        LOGGER: `processing.${queryId}.${skipped.node}`,
        LEVEL: 'ERROR',
        TIME: timestamp,
        MESSAGE: ksqlMessageOf(skipped),
      }),
    );
    writer
      .appender({ topic: this.topic, partition: 0 })
      .append(timestamp, value, -1, -1, value, 0, value.length, null);
  }

  /** Resolves when everything that was added is in the log, or could not be written. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#flush());
    return this.#writing;
  }

  async #flush(): Promise<void> {
    const { topic } = this;
    await this.#writer.flush().catch((error: unknown) => {
      this.#logger.warn({ topic, error: messageOf(error) }, 'rows of the processing log are lost');
    });
    if (this.#lost > 0)
      this.#logger.warn(
        { topic, rows: this.#lost },
        'rows of the processing log are lost: the log takes too few',
      );
    this.#lost = 0;
  }

  async close(): Promise<void> {
    this.#cancel?.();
    await this.flush();
    await this.#writer.close();
  }
}
