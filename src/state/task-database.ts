import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../common/assert.ts';
import { DamageMark, DamagedStateError } from './damaged-state.ts';
import { type BlockingDatabase, type Database, type DatabaseReads, readNow } from './database.ts';
import { DirectoryLock } from './directory-lock.ts';
import { RocksDatabase, databaseExists, databaseSizeBytes, deleteDatabase } from './rocks-database.ts';
import type { WriteBatch } from './write-batch.ts';
import type { StateStoreOptions } from './store.ts';
import { ThreadedDatabase } from './threaded-database.ts';
import { markSlot, missingMark } from './write-marks.ts';

/** The store number of what is no store's: meta, catalog and marks. */
export const META_STORE = 0xffff;
const META_KEY: Buffer = Buffer.from([0xff, 0xff, 0]);
const CATALOG_KEY: Buffer = Buffer.from([0xff, 0xff, 1]);
const MARK_PREFIX: Buffer = Buffer.from([0xff, 0xff, 2]);
const AFTER_MARKS: Buffer = Buffer.from([0xff, 0xff, 3]);
const FIRST_KEY: Buffer = Buffer.from([0, 0]);
const FORMAT_VERSION = 1;

/** The database's record of a store, beside its rows. */
export interface CatalogEntry {
  readonly id: number;
  readonly name: string;
  readonly kind: StateStoreOptions['kind'];
  readonly count: number;
  /** For windows and sessions. */
  readonly observedTime?: number;
  readonly nextSequence?: number;
  readonly segmentMs?: number;
}

interface Catalog {
  readonly version: number;
  readonly stores: readonly CatalogEntry[];
  /** The number of the write that it came with; absent in databases without marks. */
  readonly writes?: number;
}

/** The record of the last write. */
export interface WrittenState {
  readonly meta: string;
  readonly stores: readonly CatalogEntry[];
  readonly sizeBytes: number;
}

/**
 * A task's directory: its lock, the database, made when it is first written to, and whether what is there is what was
 * written. Damage that shows later is remembered beside the database for the next opener.
 */
export class TaskDatabase {
  readonly #directory: string;
  readonly #path: string;
  readonly #writeBufferBytes: number;
  readonly #lock: DirectoryLock;
  readonly #mark: DamageMark;
  #database: Database | null = null;
  /** The same, when it can be waited for. */
  #blocking: BlockingDatabase | null = null;
  /** It is to be one that can be waited for. */
  #mayWait = false;
  #written: WrittenState | null = null;
  #damage: DamagedStateError | null = null;
  /** How many writes there were. */
  #writes = 0;

  private constructor(directory: string, writeBufferBytes: number, lock: DirectoryLock) {
    this.#directory = directory;
    this.#path = join(directory, 'rocksdb');
    this.#writeBufferBytes = writeBufferBytes;
    this.#lock = lock;
    this.#mark = new DamageMark(directory);
  }

  /** Throws `StateError` when the directory is in use or cannot be used; what is damaged opens, with `damage`. */
  static async open(directory: string, writeBufferBytes: number): Promise<TaskDatabase> {
    const lock = DirectoryLock.acquire(directory);
    const opened = new TaskDatabase(directory, writeBufferBytes, lock);
    try {
      if (await exists(directory)) await opened.#openExisting();
    } catch (error) {
      await opened.#closeDatabase().catch(() => undefined);
      if (!(error instanceof DamagedStateError)) {
        lock.release();
        throw error;
      }
      opened.#damage = opened.#noted(error);
      opened.#written = null;
    }
    return opened;
  }

  /** Why nothing can be read or written before `delete`; null when all is well. */
  get damage(): DamagedStateError | null {
    return this.#damage;
  }

  /** The record of the last write, as found at opening; null where the database was new or damaged. */
  get written(): WrittenState | null {
    return this.#written;
  }

  async #openExisting(): Promise<void> {
    await this.#lock.takeFile();
    const { reason } = this.#mark;
    if (reason !== null) throw new DamagedStateError(reason);
    if (!(await databaseExists(this.#path))) return;
    const sizeBytes = await databaseSizeBytes(this.#path);
    const database = await this.#opened();
    const [meta, text] = await database.getMany([META_KEY, CATALOG_KEY]);
    if (!meta || !text) return this.#checkEmpty(database);
    const { stores, writes = 0 } = parseCatalog(text, this.#path);
    await this.#checkMarks(database, writes);
    this.#writes = writes;
    this.#written = { meta: meta.toString('utf8'), stores, sizeBytes };
  }

  /** A database that says nothing of itself was never written to. */
  async #checkEmpty(database: Database): Promise<void> {
    let rows = 0;
    await database.scan(FIRST_KEY, AFTER_MARKS, () => void rows++);
    if (rows > 0)
      throw new DamagedStateError(
        `the state database at ${this.#path} is damaged: it has rows and no catalog`,
      );
  }

  async #checkMarks(database: Database, writes: number): Promise<void> {
    const marks = new Set<number>();
    await database.scan(MARK_PREFIX, AFTER_MARKS, (_key, value) => {
      marks.add(Number(value.toString('utf8')));
    });
    const missing = missingMark(writes, marks);
    if (missing !== null)
      throw new DamagedStateError(
        `the state database at ${this.#path} is damaged: write ${missing} of its ${writes} is missing`,
      );
  }

  /** Rejects with `DamagedStateError` from the first damage on. */
  async use<T>(action: (database: Database) => Promise<T>): Promise<T> {
    if (this.#damage !== null) throw this.#damage;
    try {
      return await action(await this.#opened());
    } catch (error) {
      if (error instanceof DamagedStateError) this.#damage ??= this.#noted(error);
      throw error;
    }
  }

  /** Moves the database to a thread that `readNow` can wait for. With nothing else under way. */
  async allowWaiting(): Promise<void> {
    if (this.#mayWait) return;
    this.#mayWait = true;
    await this.#closeDatabase();
    await this.use(() => Promise.resolve());
  }

  get canWait(): boolean {
    return this.#blocking !== null;
  }

  /** Reads while this thread stands still; only where it `canWait`. Throws `DamagedStateError` as `use` does. */
  readNow(reads: DatabaseReads): void {
    if (this.#damage !== null) throw this.#damage;
    try {
      readNow(must(this.#blocking), reads);
    } catch (error) {
      if (error instanceof DamagedStateError) this.#damage ??= this.#noted(error);
      throw error;
    }
  }

  /**
   * Writes all of `batch`, `meta` and the catalog, or nothing. The batch is complete before it returns its promise. One at
   * a time, and after one that failed none.
   */
  write(batch: WriteBatch, meta: string, stores: readonly CatalogEntry[]): Promise<void> {
    const writes = this.#writes + 1;
    const catalog: Catalog = { version: FORMAT_VERSION, stores, writes };
    putText(batch, META_KEY, meta);
    putText(batch, CATALOG_KEY, JSON.stringify(catalog));
    putText(batch, Buffer.from([...MARK_PREFIX, ...markSlot(writes)]), String(writes));
    return this.use(async (database) => {
      // In a directory that was removed a write is lost, and a new one of that name is another's.
      await this.#lock.takeFile();
      await database.write(batch);
      this.#writes = writes;
    });
  }

  /** Deletes the database: all of it or, when the process ends meanwhile, what is left counts as damaged. */
  async delete(): Promise<void> {
    await this.#closeDatabase();
    if (await exists(this.#path)) {
      await this.#lock.takeFile();
      this.#mark.set(this.#damage?.message ?? `the state database at ${this.#path} was being deleted`);
      await deleteDatabase(this.#path);
    }
    if (await exists(this.#directory)) this.#mark.clear();
    this.#damage = null;
    this.#written = null;
    this.#writes = 0;
    this.#mayWait = false;
  }

  async close(): Promise<void> {
    try {
      await this.#closeDatabase();
    } finally {
      this.#lock.release();
    }
  }

  async #closeDatabase(): Promise<void> {
    const database = this.#database;
    this.#database = null;
    this.#blocking = null;
    await database?.close();
  }

  async #opened(): Promise<Database> {
    if (this.#database !== null) return this.#database;
    await this.#lock.takeFile();
    if (this.#mayWait)
      this.#database = this.#blocking = await ThreadedDatabase.open(this.#path, this.#writeBufferBytes);
    else this.#database = await RocksDatabase.open(this.#path, this.#writeBufferBytes);
    return this.#database;
  }

  /** If it cannot be noted, on a full disk for instance, the next opener has to find the damage again. */
  #noted(damage: DamagedStateError): DamagedStateError {
    try {
      this.#mark.set(damage.message);
    } catch {
      return damage;
    }
    return damage;
  }
}

function parseCatalog(text: Buffer, path: string): Catalog {
  let catalog: Catalog;
  try {
    catalog = JSON.parse(text.toString('utf8')) as Catalog;
  } catch (error) {
    throw new DamagedStateError(
      `the state database at ${path} is damaged: its catalog cannot be read`,
      error,
    );
  }
  if (catalog.version !== FORMAT_VERSION)
    throw new DamagedStateError(
      `the state database at ${path} was written in format ${catalog.version}, this release reads ${FORMAT_VERSION}`,
    );
  return catalog;
}

function putText(batch: WriteBatch, key: Buffer, text: string): void {
  const writer = batch.beginKey(META_STORE);
  writer.writeBytes(key, 2);
  batch.beginValue();
  writer.writeText(text);
  batch.endPut();
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
