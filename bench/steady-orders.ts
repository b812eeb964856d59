import { ByteWriter } from '../src/common/bytes.ts';
import type { LogWriter } from '../src/log/log.ts';
import { partitionOfKey } from '../src/log/partitioner.ts';
import { UNITS_OVER } from './workload.ts';

const SEND_EVERY_MS = 5;
const KEYS = 1000;

/** Orders written evenly, so many a second, all of which the filter keeps. Order `n` has the id `n`, from 0 on. */
export class SteadyOrders {
  /** How many were handed to the writer. */
  sent = 0;
  readonly #writer: LogWriter;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #onSent: (now: number) => void;
  readonly #key = new ByteWriter();
  readonly #value = new ByteWriter();
  readonly #timer: NodeJS.Timeout;

  /** `onSent` is told of each order when it was handed over, in milliseconds as of `performance.now`. */
  constructor(
    writer: LogWriter,
    to: { readonly topic: string; readonly partitions: number },
    perSecond: number,
    onSent: (now: number) => void = () => undefined,
  ) {
    this.#writer = writer;
    this.#topic = to.topic;
    this.#partitions = to.partitions;
    this.#onSent = onSent;
    const begin = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const due = Math.floor(((now - begin) / 1000) * perSecond);
      while (this.sent < due) {
        this.#append(this.sent++);
        this.#onSent(now);
      }
      void writer.flush();
    }, SEND_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #append(id: number): void {
    const key = this.#key;
    const value = this.#value;
    const item = `Item_${id % KEYS}`;
    const now = Date.now();
    key.length = 0;
    value.length = 0;
    key.writeText(item);
    value.writeText(`{"ordertime":${now},"orderid":${id},"itemid":"${item}","orderunits":${UNITS_OVER + 1}}`);
    const partition = partitionOfKey(key.buffer, 0, key.length, this.#partitions);
    this.#writer
      .appender({ topic: this.#topic, partition })
      .append(now, key.buffer, 0, key.length, value.buffer, 0, value.length, null);
  }
}
