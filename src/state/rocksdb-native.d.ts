/** The part of rocksdb-native 3.18 that Millrace uses; the package has no types of its own. */
declare module 'rocksdb-native' {
  interface WriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
    flush(): Promise<void>;
    destroy(): void;
  }
  interface ReadBatch {
    get(key: Uint8Array): Promise<Buffer | null>;
    tryFlush(): void;
    destroy(): void;
  }
  interface IteratorRange {
    gte?: Uint8Array;
    lt?: Uint8Array;
    lte?: Uint8Array;
  }
  /** Emits rows in order; `close` comes last, after `error` too. */
  interface RowStream {
    on(event: 'data', listener: (row: { key: Buffer; value: Buffer }) => void): RowStream;
    on(event: 'error', listener: (error: Error) => void): RowStream;
    on(event: 'close', listener: () => void): RowStream;
    /** Ends it early: `close` follows. */
    destroy(): void;
  }
  export default class RocksDB {
    constructor(path: string, options?: { writeBufferSize?: number; maxBackgroundJobs?: number });
    ready(): Promise<void>;
    close(): Promise<void>;
    /** `capacity` must be the number of operations: a batch that outgrows it allocates again and again. */
    write(options: { capacity: number; autoDestroy: boolean }): WriteBatch;
    read(options: { capacity: number; autoDestroy: boolean }): ReadBatch;
    iterator(range: IteratorRange, options: { capacity: number }): RowStream;
    get(key: Uint8Array): Promise<Buffer | null>;
  }
}
