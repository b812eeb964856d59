import { readHeaders } from '../log/record-batch-codec.ts';
import type { Log } from '../log/log.ts';
import type { RecordBatch } from '../log/record-batch.ts';
import { STRING } from '../types/sql-type.ts';
import { bytesText, FormatGuess } from './print-format.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';

/** Bytes that are fetched at once, and kept as text until the client has taken them. */
const BUFFER_BYTES_MAX = 256 * 1024;

const COLUMNS: readonly ResultColumn[] = [{ name: 'LINE', type: STRING, isKey: false }];

export interface PrintOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly fromBeginning: boolean;
  readonly interval: number | null;
  readonly limit: number | null;
}

/** PRINT: a topic's records as text, whatever is in them. */
export class PrintQuery implements RowStream {
  readonly kind = 'print';
  readonly columns = COLUMNS;
  readonly queryId: string;
  readonly #reader: ReturnType<Log['openReader']>;
  readonly #options: PrintOptions;
  readonly #key = new FormatGuess('key');
  readonly #value = new FormatGuess('value');
  readonly #onClose: () => void;
  #seen = 0;
  #printed = 0;
  #end: RowStream['end'] = null;

  private constructor(
    queryId: string,
    reader: ReturnType<Log['openReader']>,
    options: PrintOptions,
    onClose: () => void,
  ) {
    this.queryId = queryId;
    this.#reader = reader;
    this.#options = options;
    this.#onClose = onClose;
  }

  /** `onClose` is called when it is closed, or cannot be opened. */
  static async open(
    queryId: string,
    log: Log,
    options: PrintOptions,
    onClose: () => void,
  ): Promise<PrintQuery> {
    try {
      const offsets = await log.admin.offsets(options.topic);
      const reader = log.openReader({ bufferBytesMax: BUFFER_BYTES_MAX });
      offsets.forEach(({ start, end }, partition) =>
        reader.assign({ topic: options.topic, partition, offset: options.fromBeginning ? start : end }),
      );
      return new PrintQuery(queryId, reader, options, onClose);
    } catch (error) {
      onClose();
      throw error;
    }
  }

  get end(): RowStream['end'] {
    return this.#end;
  }

  async next(): Promise<RowBatch | null> {
    const { interval, limit } = this.#options;
    for (;;) {
      if (this.#end === null && limit !== null && this.#printed >= limit) this.#end = 'limit';
      if (this.#end !== null) {
        await this.close();
        return null;
      }
      const rows: string[][] = [];
      let batches: readonly RecordBatch[];
      try {
        batches = await this.#reader.poll(500);
      } catch (error) {
        if (this.#ended()) return null;
        throw error;
      }
      for (const batch of batches)
        for (let i = batch.first; i < batch.count; i++) {
          if (interval !== null && this.#seen++ % interval !== 0) continue;
          if (limit !== null && this.#printed >= limit) break;
          this.#printed++;
          rows.push(...this.#print(batch, i));
        }
      if (rows.length > 0) return { rows };
    }
  }

  async close(): Promise<void> {
    this.#end ??= 'terminated';
    this.#onClose();
    await this.#reader.close();
  }

  /** The record's line, after lines that say what its key and value seem to be where that has changed. */
  #print(batch: RecordBatch, i: number): string[][] {
    const part = (guess: FormatGuess, start: number, end: number): string =>
      start < 0 ? '<null>' : guess.print(batch.buffer.subarray(start, end));
    const key = part(this.#key, batch.keyStart[i]!, batch.keyEnd[i]!);
    const value = part(this.#value, batch.valueStart[i]!, batch.valueEnd[i]!);
    const headers = readHeaders(batch, i).map(
      (header) => `${header.key}=${header.value === null ? '<null>' : bytesText(Buffer.from(header.value))}`,
    );
    const line =
      `rowtime: ${timeText(batch.timestamps[i]!)}, key: ${key}, value: ${value}, ` +
      `partition: ${batch.partition}, offset: ${batch.offsets[i]}` +
      (headers.length > 0 ? `, headers: [${headers.join(', ')}]` : '');
    const news: string[][] = [];
    const keyFormat = this.#key.news();
    const valueFormat = this.#value.news();
    if (keyFormat !== null) news.push([`Key format: ${keyFormat}`]);
    if (valueFormat !== null) news.push([`Value format: ${valueFormat}`]);
    return [...news, [line]];
  }

  #ended(): boolean {
    return this.#end !== null;
  }
}

/** As ksqlDB writes it; producers may write any number. */
function timeText(timestamp: number): string {
  const time = new Date(timestamp);
  if (Number.isNaN(time.getTime())) return String(timestamp);
  const text = time.toISOString();
  return `${text.slice(0, -1).replaceAll('-', '/').replace('T', ' ')} Z`;
}
