import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type RocksDB from 'rocksdb-native';
import { DamagedStateError, stateErrorOf } from './damaged-state.ts';
import { type Database, type RowVisitor, SCAN_CAPACITY } from './database.ts';
import { StateError } from './directory-lock.ts';
import type { WriteBatch } from './write-batch.ts';

/** The RocksDB database of one task, held by this thread; one column family. */
export class RocksDatabase implements Database {
  readonly #path: string;
  readonly #rocks: RocksDB;

  private constructor(path: string, rocks: RocksDB) {
    this.#path = path;
    this.#rocks = rocks;
  }

  /**
   * Opens the database at `path`, which is created when it is not there. This and every other call reject with
   * `DamagedStateError` when files are missing or not what was written, with `StateError` when the system does not let
   * them be read or written.
   */
  static async open(path: string, writeBufferBytes: number): Promise<RocksDatabase> {
    const Rocks = await loadBinding();
    await mkdir(path, { recursive: true });
    const rocks = new Rocks(path, { writeBufferSize: writeBufferBytes });
    try {
      await rocks.ready();
    } catch (error) {
      throw stateErrorOf(path, error);
    }
    await deleteOldLogs(path);
    return new RocksDatabase(path, rocks);
  }

  async write(batch: WriteBatch): Promise<void> {
    const writes = batch.finish();
    const size = writes.length + batch.deletedRanges.length;
    if (size === 0) return;
    const native = this.#rocks.write({ capacity: size, autoDestroy: true });
    for (const { from, to } of batch.deletedRanges) native.tryDeleteRange(from, to);
    for (const { key, value } of writes) {
      if (value === null) native.tryDelete(key);
      else native.tryPut(key, value);
    }
    await this.#told(native.flush());
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Buffer | null)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    const native = this.#rocks.read({ capacity: keys.length, autoDestroy: true });
    const values = keys.map((key) => native.get(key));
    native.tryFlush();
    return this.#told(Promise.all(values));
  }

  scan(from: Buffer, to: Buffer, visit: RowVisitor, capacity = SCAN_CAPACITY): Promise<void> {
    // Listeners, not `for await`, which would cost a promise for each row.
    return new Promise((resolve, reject) => {
      let stopped = false;
      const rows = this.#rocks.iterator({ gte: from, lt: to }, { capacity });
      rows
        .on('data', ({ key, value }) => {
          if (stopped || visit(key, value) !== false) return;
          stopped = true;
          rows.destroy();
        })
        .on('error', (error) => reject(stateErrorOf(this.#path, error) as Error))
        .on('close', () => resolve());
    });
  }

  close(): Promise<void> {
    return this.#rocks.close();
  }

  /** Says what an error means for the state. */
  async #told<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw stateErrorOf(this.#path, error);
    }
  }
}

/** RocksDB tells of each open in a log that it keeps a thousand of. */
async function deleteOldLogs(path: string): Promise<void> {
  for (const name of await readdir(path))
    if (name.startsWith('LOG.old.')) await rm(join(path, name), { force: true });
}

/** Bytes of the files of a database; 0 when there is none. */
export async function databaseSizeBytes(path: string): Promise<number> {
  const names = await readdir(path).catch(() => []);
  let size = 0;
  for (const name of names) {
    if (!/\.(sst|log|blob)$/.test(name)) continue;
    const file = await stat(join(path, name)).catch(() => null);
    size += file?.size ?? 0;
  }
  return size;
}

/**
 * Whether there is a database at `path`. What is left of one that was never finished, which holds nothing, is deleted.
 * Throws `DamagedStateError` when there are rows, or anything else, and no database.
 */
export async function databaseExists(path: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code === 'ENOTDIR') throw new DamagedStateError(`the state database at ${path} is no directory`);
    throw new StateError(`the state database at ${path} cannot be read: ${message}`, 'see the cause', error);
  }
  if (names.includes('CURRENT')) return true;
  // RocksDB names its files in CURRENT before it writes the first row.
  if ((await databaseSizeBytes(path)) > 0)
    throw new DamagedStateError(`the state database at ${path} is damaged: its file CURRENT is missing`);
  if (names.length > 0) await deleteDatabase(path);
  return false;
}

export function deleteDatabase(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

async function loadBinding(): Promise<typeof RocksDB> {
  try {
    return (await import('rocksdb-native')).default;
  } catch (error) {
    throw new StateError(
      'the RocksDB binding (rocksdb-native) cannot be loaded on this machine',
      process.platform === 'linux'
        ? 'install libatomic (apt-get install libatomic1, dnf install libatomic), or run without a data directory'
        : 'reinstall the packages for this platform, or run without a data directory',
      error,
    );
  }
}
