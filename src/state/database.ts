import type { WriteBatch } from './write-batch.ts';

/** Rows an iterator takes from the database in one trip. */
export const SCAN_CAPACITY = 4096;

/** Return false to stop. */
export type RowVisitor = (key: Buffer, value: Buffer) => boolean | void;

/** The database of one task: bytes to bytes, ordered (memcmp). */
export interface Database {
  /** Writes all of `batch`, or nothing. */
  write(batch: WriteBatch): Promise<void>;
  /** The values of many keys, in one trip; null where there is none. */
  getMany(keys: readonly Uint8Array[]): Promise<(Buffer | null)[]>;
  /** Calls `visit` with every row of from <= key < to, in order. `capacity`: rows fetched in one trip. */
  scan(from: Buffer, to: Buffer, visit: RowVisitor, capacity?: number): Promise<void>;
  close(): Promise<void>;
}

/** One that can also be read with the thread standing still: for code that cannot be run again. */
export interface BlockingDatabase extends Database {
  getManyNow(keys: readonly Uint8Array[]): (Buffer | null)[];
  scanNow(from: Buffer, to: Buffer, visit: RowVisitor, capacity?: number): void;
}

/** A read of the database, as loading asks for it. */
export type DatabaseRead =
  | { readonly kind: 'get'; readonly keys: readonly Uint8Array[] }
  | {
      readonly kind: 'scan';
      readonly ranges: readonly { readonly from: Buffer; readonly to: Buffer }[];
      readonly visit: RowVisitor;
      readonly capacity?: number;
    };

/** Reads, one after the other; each `get` is given its values. */
export type DatabaseReads = Generator<DatabaseRead, void, readonly (Buffer | null)[]>;

const NO_VALUES: readonly null[] = [];

/** Does what is asked, waiting for each read; ranges of one scan are read side by side. */
export async function read(database: Database, reads: DatabaseReads): Promise<void> {
  for (let next = reads.next(NO_VALUES); next.done !== true;) {
    const asked = next.value;
    if (asked.kind === 'get') next = reads.next(await database.getMany(asked.keys));
    else {
      const { ranges, visit, capacity } = asked;
      await Promise.all(ranges.map(({ from, to }) => database.scan(from, to, visit, capacity)));
      next = reads.next(NO_VALUES);
    }
  }
}

/** The same, before it returns. */
export function readNow(database: BlockingDatabase, reads: DatabaseReads): void {
  for (let next = reads.next(NO_VALUES); next.done !== true;) {
    const asked = next.value;
    if (asked.kind === 'get') next = reads.next(database.getManyNow(asked.keys));
    else {
      for (const { from, to } of asked.ranges) database.scanNow(from, to, asked.visit, asked.capacity);
      next = reads.next(NO_VALUES);
    }
  }
}
