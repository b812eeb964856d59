import type { LogWriter } from '../src/log/log.ts';
import { UNITS_OVER } from './workload.ts';
import { TextAppender } from './write-records.ts';

const SEND_EVERY_MS = 5;
const KEYS = 1000;

/** Orders written evenly, so many a second, all of which the filter keeps. Order `n` has the id `n`, from 0 on. */
export class SteadyOrders {
  /** How many were handed to the writer. */
  sent = 0;
  readonly #appender: TextAppender;
  readonly #onSent: (now: number) => void;
  readonly #timer: NodeJS.Timeout;

  /** `onSent` is told of each order when it was handed over, in milliseconds as of `performance.now`. */
  constructor(
    writer: LogWriter,
    to: { readonly topic: string; readonly partitions: number },
    perSecond: number,
    onSent: (now: number) => void = () => undefined,
  ) {
    this.#appender = new TextAppender(writer, to.topic, to.partitions);
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
    const key = `Item_${id % KEYS}`;
    const timestampMs = Date.now();
    const value = `{"ordertime":${timestampMs},"orderid":${id},"itemid":"${key}","orderunits":${UNITS_OVER + 1}}`;
    this.#appender.append({ key, timestampMs, value });
  }
}
