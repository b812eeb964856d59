import { must } from '../common/assert.ts';
import { type BlockingDatabase, type RowVisitor, SCAN_CAPACITY } from './database.ts';
import { type DatabaseRequest, DatabaseThread } from './database-thread.ts';
import { type PackedBytes, packBytes, unpackBytes } from './packed-bytes.ts';
import { above } from './key-bounds.ts';
import { stateErrorOf } from './damaged-state.ts';
import type { WriteBatch } from './write-batch.ts';

/** The RocksDB database of one task, held by another thread so that this one can wait for it. */
export class ThreadedDatabase implements BlockingDatabase {
  readonly #path: string;
  readonly #thread: DatabaseThread;
  readonly #database: number;

  private constructor(path: string, thread: DatabaseThread, database: number) {
    this.#path = path;
    this.#thread = thread;
    this.#database = database;
  }

  /** Opens the database at `path`, which is there. */
  static async open(path: string, writeBufferBytes: number): Promise<ThreadedDatabase> {
    const thread = DatabaseThread.acquire();
    const database = thread.newDatabase();
    try {
      await thread.ask({ kind: 'open', database, path, options: { writeBufferSize: writeBufferBytes } });
    } catch (error) {
      await thread.release();
      throw stateErrorOf(path, error);
    }
    return new ThreadedDatabase(path, thread, database);
  }

  async write(batch: WriteBatch): Promise<void> {
    const writes = batch.finish();
    if (writes.length + batch.deletedRanges.length === 0) return;
    await this.#ask({
      kind: 'write',
      database: this.#database,
      ranges: packBytes(batch.deletedRanges.flatMap(({ from, to }) => [from, to])),
      rows: packBytes(writes.flatMap(({ key, value }) => [key, value])),
    });
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Buffer | null)[]> {
    if (keys.length === 0) return [];
    return unpackBytes(must(await this.#ask(this.#get(keys))));
  }

  getManyNow(keys: readonly Uint8Array[]): (Buffer | null)[] {
    if (keys.length === 0) return [];
    return unpackBytes(must(this.#askNow(this.#get(keys))));
  }

  async scan(from: Buffer, to: Buffer, visit: RowVisitor, capacity = SCAN_CAPACITY): Promise<void> {
    for (let at: Buffer | null = from; at !== null;)
      at = visitPage(must(await this.#ask(this.#page(at, to, capacity))), capacity, visit);
  }

  scanNow(from: Buffer, to: Buffer, visit: RowVisitor, capacity = SCAN_CAPACITY): void {
    for (let at: Buffer | null = from; at !== null;)
      at = visitPage(must(this.#askNow(this.#page(at, to, capacity))), capacity, visit);
  }

  async close(): Promise<void> {
    try {
      await this.#thread.ask({ kind: 'close', database: this.#database });
    } finally {
      await this.#thread.release();
    }
  }

  async #ask(request: DatabaseRequest): Promise<PackedBytes | undefined> {
    try {
      return await this.#thread.ask(request);
    } catch (error) {
      throw stateErrorOf(this.#path, error);
    }
  }

  #askNow(request: DatabaseRequest): PackedBytes | undefined {
    try {
      return this.#thread.askNow(request);
    } catch (error) {
      throw stateErrorOf(this.#path, error);
    }
  }

  #get(keys: readonly Uint8Array[]) {
    return { kind: 'get', database: this.#database, keys: packBytes(keys) } as const;
  }

  #page(from: Buffer, to: Buffer, limit: number) {
    return { kind: 'scan', database: this.#database, bounds: packBytes([from, to]), limit } as const;
  }
}

/** Visits a page of rows. Returns where the next one begins, null when there is none. */
function visitPage(page: PackedBytes, capacity: number, visit: RowVisitor): Buffer | null {
  const parts = unpackBytes(page);
  for (let i = 0; i < parts.length; i += 2) if (visit(parts[i]!, parts[i + 1]!) === false) return null;
  if (parts.length < 2 * capacity) return null;
  return above(parts.at(-2)!);
}
