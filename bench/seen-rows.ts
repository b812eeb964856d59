import type { LogReader } from '../src/log/log.ts';

/** The output of a query whose rows have numbers, as a read-committed reader sees it. */
export class SeenRows {
  /** By number: when a row came, as `performance.now`. */
  readonly at: number[] = [];
  readonly #reader: LogReader;
  readonly #topic: string;
  /** By partition. */
  readonly #rows: number[];
  #all = 0;
  #closed = false;

  constructor(reader: LogReader, topic: string, partitions: number) {
    this.#rows = Array.from({ length: partitions }, () => 0);
    this.#reader = reader;
    this.#topic = topic;
    for (let partition = 0; partition < partitions; partition++)
      reader.assign({ topic, partition, offset: 0 });
  }

  get count(): number {
    return this.#all;
  }

  /** Reads until it is closed. */
  async follow(): Promise<void> {
    while (!this.#closed) {
      const batches = await this.#reader.poll(1000);
      const now = performance.now();
      for (const { buffer, first, count, partition, valueStart, valueEnd } of batches)
        for (let i = first; i < count; i++) {
          const { ORDERID } = JSON.parse(buffer.toString('utf8', valueStart[i], valueEnd[i])) as {
            ORDERID: number;
          };
          this.#rows[partition]!++;
          this.#all++;
          this.at[ORDERID] = now;
        }
    }
  }

  /** How many have ended: each left a marker in the partitions to which it wrote. */
  get transactions(): number {
    const markers = this.#rows.map(
      (rows, partition) => this.#reader.position({ topic: this.#topic, partition }) - rows,
    );
    return Math.max(...markers);
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#reader.close();
  }
}
