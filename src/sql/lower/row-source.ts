import { DataError } from '../../common/error.ts';
import type { WrittenKey } from '../../formats/format.ts';
import type { Processor, ProcessorContext, RecordContext } from '../../streams/topology/processor.ts';
import { RecordKey } from '../../streams/topology/record-key.ts';
import type { SqlValue } from '../../types/value.ts';
import type { SourceNode } from '../plan/node.ts';
import type { RowKeySerde } from './row-key-serde.ts';

/** Writes what of a source's row does not come from the value: key columns, record time and place, window, headers. */
export type FillRow = (row: SqlValue[], key: RecordKey, timestamp: number, record: RecordContext) => void;

/** Null when nobody wants any of it: the usual case. */
export function fillRow(node: SourceNode): FillRow | null {
  const fills: FillRow[] = [];
  node.columns.forEach((column, slot) => {
    if (!column.wanted) return;
    const { origin } = column;
    switch (origin.kind) {
      case 'value':
        break;
      case 'key':
        fills.push((row, key) => {
          const values = key.value as readonly SqlValue[] | null;
          row[slot] = values === null ? null : (values[origin.index] ?? null);
        });
        break;
      case 'header':
        fills.push((row, _key, _timestamp, record) => {
          row[slot] = headerValue(record, origin.headerKey);
        });
        break;
      case 'rowtime':
        fills.push((row, _key, timestamp) => {
          row[slot] = timestamp;
        });
        break;
      case 'rowpartition':
        fills.push((row, _key, _timestamp, record) => {
          row[slot] = record.partition;
        });
        break;
      case 'rowoffset':
        fills.push((row, _key, _timestamp, record) => {
          row[slot] = record.offset;
        });
        break;
      case 'windowstart':
        fills.push((row, key) => {
          row[slot] = key.windowed ? key.windowStart : null;
        });
        break;
      case 'windowend':
        fills.push((row, key) => {
          row[slot] = key.windowed ? key.windowEnd : null;
        });
        break;
    }
  });
  const [first, second] = fills;
  if (first === undefined) return null;
  if (second === undefined) return first;
  return (row, key, timestamp, record) => {
    for (let i = 0; i < fills.length; i++) fills[i]!(row, key, timestamp, record);
  };
}

/** HEADERS: an array of structs of key and bytes. HEADER('k'): the last value under that key. */
function headerValue(record: RecordContext, headerKey: string | null): SqlValue {
  const headers = record.headers();
  if (headerKey === null) return headers.map((header) => [header.key, header.value]);
  return headers.findLast((header) => header.key === headerKey)?.value ?? null;
}

/**
 * Completes the rows of a source. Without key columns the record key is not the query's to know: it becomes null.
 * A key that is not written as `keySerde` would write it is written anew, so that from here on equal keys are equal
 * bytes: in stores, repartition topics and sinks. `written`: null when there is only one way to write it.
 */
export function rowSource(
  fill: FillRow | null,
  keyless: boolean,
  keySerde: RowKeySerde,
  written: WrittenKey | null,
): () => Processor {
  return () => new RowSource(fill, keyless, keySerde, written);
}

/** Begins the detail of a record whose key, and not its value, cannot be read. */
export const OF_KEY = 'key: ';

class RowSource implements Processor {
  readonly #fill: FillRow | null;
  readonly #keyless: boolean;
  readonly #written: WrittenKey | null;
  /** What goes on in place of the key: a null key, or one written anew. */
  readonly #own: RecordKey<SqlValue[]>;
  #context!: ProcessorContext;

  constructor(fill: FillRow | null, keyless: boolean, keySerde: RowKeySerde, written: WrittenKey | null) {
    this.#fill = fill;
    this.#keyless = keyless;
    this.#written = written;
    this.#own = new RecordKey(keySerde);
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    let forwarded = key;
    if (this.#keyless) {
      forwarded = this.#own as RecordKey;
    } else if (this.#written !== null && key.present && !this.#written(key.buffer, key.start, key.end)) {
      const own = this.#own;
      try {
        own.setValue(key.value as SqlValue[]);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        return this.#context.skip('deserialization', `${OF_KEY}${error.message}`);
      }
      own.windowStart = key.windowStart;
      own.windowEnd = key.windowEnd;
      forwarded = own as RecordKey;
    }
    if (value !== null && this.#fill !== null)
      this.#fill(value as SqlValue[], key, timestamp, this.#context.record);
    return this.#context.forward(forwarded, value, undefined, timestamp);
  }
}
