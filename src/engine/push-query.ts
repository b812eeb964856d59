import type { LoweredQuery } from '../sql/lower/lower.ts';
import { SteppedStreams } from '../streams/application/stepped-streams.ts';
import type { StreamsOptions } from '../streams/instance/streams-options.ts';
import type { Row } from '../types/value.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';
import type { RowBudget } from './row-budget.ts';
import { RowQueue } from './row-queue.ts';

/** Input of a query that is fetched and not yet processed: while its client does not read, it is kept. */
const BUFFER_BYTES_MAX = 256 * 1024;

export interface PushQueryFields {
  /** `pull`: it ends where its sources ended when it started. */
  readonly kind: 'push' | 'pull';
  readonly removes: boolean;
  readonly queryId: string;
  readonly statementText: string;
  readonly columns: readonly ResultColumn[];
  readonly limit: number | null;
}

/** SELECT … EMIT, and SELECT on a stream: a topology of its own whose rows go to one client. */
export class PushQuery implements RowStream {
  readonly kind: 'push' | 'pull';
  readonly readsStream = true;
  readonly removes: boolean;
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly statementText: string;
  readonly streams: SteppedStreams;
  readonly #queue: RowQueue;
  readonly #limit: number | null;
  readonly #onClose: () => void;
  #rows = 0;
  #end: RowStream['end'] = null;
  #closing: Promise<void> | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(
    fields: PushQueryFields,
    lower: (push: (row: Row, tombstone: boolean) => void) => LoweredQuery,
    options: StreamsOptions,
    budget: RowBudget,
    onClose: () => void,
  ) {
    this.kind = fields.kind;
    this.removes = fields.removes;
    this.queryId = fields.queryId;
    this.statementText = fields.statementText;
    this.columns = fields.columns;
    this.#limit = fields.limit;
    this.#onClose = onClose;
    this.#queue = new RowQueue(
      budget,
      () => this.streams.pause(),
      () => {
        if (this.#end === null) this.streams.resume();
      },
    );
    const lowered = lower((row, tombstone) => this.#push(row, tombstone));
    this.streams = new SteppedStreams(lowered.topology, {
      ...options,
      transient: true,
      bufferBytesMax: BUFFER_BYTES_MAX,
      stateDirectory: null,
      onError: (error) => this.#queue.end(error),
    });
  }

  get end(): RowStream['end'] {
    return this.#end;
  }

  async start(): Promise<void> {
    if (this.#limit === 0) return this.#finish('limit');
    await this.streams.start();
    if (this.kind === 'pull') this.#reading = this.#readToEnd();
    return undefined;
  }

  async next(): Promise<RowBatch | null> {
    return this.#queue.next();
  }

  /** Ends the query from outside: TERMINATE, or the server stops. */
  async terminate(): Promise<void> {
    this.#finish('terminated');
    await this.close();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  async #readToEnd(): Promise<void> {
    try {
      await this.streams.catchUp();
      this.#finish('complete');
    } catch (error) {
      this.#queue.end(error);
    }
  }

  async #release(): Promise<void> {
    this.#finish('terminated');
    this.#onClose();
    this.#queue.clear();
    await this.streams.close();
    await this.#reading;
    await this.streams.cleanUp();
  }

  #push(row: Row, tombstone: boolean): void {
    if (this.#end !== null) return;
    this.#queue.push(row, tombstone);
    this.#rows++;
    if (this.#limit !== null && this.#rows >= this.#limit) this.#finish('limit');
  }

  #finish(end: NonNullable<RowStream['end']>): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.streams.pause();
    this.#queue.end();
  }
}
