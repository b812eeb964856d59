import { SqlError } from '../common/error.ts';

export const OPEN_QUERIES_MAX = 1000;

/** The queries that clients have open, by id: each keeps a reader and rows, so that their number is bounded. */
export class OpenQueries {
  readonly #max: number;
  readonly #ids = new Set<string>();

  constructor(max = OPEN_QUERIES_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Throws `SqlError` ML_LIMIT when there are too many. */
  add(queryId: string): void {
    if (this.#ids.size >= this.#max)
      throw new SqlError('ML_LIMIT', `${this.#max} queries of clients are open already`, {
        hint: 'end some, or start the server with a higher --limit queries=…',
      });
    this.#ids.add(queryId);
  }

  delete(queryId: string): void {
    this.#ids.delete(queryId);
  }
}
