import { readHeaders } from '../log/record-batch-codec.ts';
import type { Log } from '../log/log.ts';
import type { RecordBatch } from '../log/record-batch.ts';
import { STRING } from '../types/sql-type.ts';
import type { ResultColumn, RowBatch, RowStream } from './result.ts';

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
  #seen = 0;
  #printed = 0;
  #end: RowStream['end'] = null;

  private constructor(queryId: string, reader: ReturnType<Log['openReader']>, options: PrintOptions) {
    this.queryId = queryId;
    this.#reader = reader;
    this.#options = options;
  }

  static async open(queryId: string, log: Log, options: PrintOptions): Promise<PrintQuery> {
    const offsets = await log.admin.offsets(options.topic);
    const reader = log.openReader();
    offsets.forEach(({ start, end }, partition) =>
      reader.assign({ topic: options.topic, partition, offset: options.fromBeginning ? start : end }),
    );
    return new PrintQuery(queryId, reader, options);
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
          rows.push([printRecord(batch, i)]);
        }
      if (rows.length > 0) return { rows };
    }
  }

  async close(): Promise<void> {
    this.#end ??= 'terminated';
    await this.#reader.close();
  }

  #ended(): boolean {
    return this.#end !== null;
  }
}

function printRecord(batch: RecordBatch, i: number): string {
  const part = (start: number, end: number): string => {
    if (start < 0) return '<null>';
    return bytesText(batch.buffer.subarray(start, end));
  };
  const time = new Date(batch.timestamps[i]!);
  // Producers may write any number.
  const rowtime = Number.isNaN(time.getTime())
    ? String(batch.timestamps[i])
    : time.toISOString().replace('T', ' ');
  const headers = readHeaders(batch, i);
  const shown = headers.map(
    (header) => `${header.key}=${header.value === null ? '<null>' : bytesText(Buffer.from(header.value))}`,
  );
  return (
    `rowtime: ${rowtime}, key: ${part(batch.keyStart[i]!, batch.keyEnd[i]!)}, ` +
    `value: ${part(batch.valueStart[i]!, batch.valueEnd[i]!)}, partition: ${batch.partition}, offset: ${batch.offsets[i]}` +
    (shown.length > 0 ? `, headers: [${shown.join(', ')}]` : '')
  );
}

/** Text where the bytes are text, or their hexadecimal digits. */
function bytesText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) && !hasControls(text) ? text : `0x${bytes.toString('hex')}`;
}

/** Control characters other than tab and line ends: the bytes are no text. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 127 && code < 160)) return true;
  }
  return false;
}
