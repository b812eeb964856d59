/**
 * A fetched record batch: one buffer and, per record, where its parts lie in it. Typed arrays instead of
 * objects, so that a batch of a thousand records costs the garbage collector a handful of allocations.
 */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** The records' bytes, uncompressed. Valid as long as the batch is referenced; never written to. */
  readonly buffer: Buffer;
  /** Records in the arrays. Those below `first` lie before the position that was asked for: skip them. */
  readonly count: number;
  readonly first: number;
  /** The offset after the batch's last record, gaps and all: the position once the batch is done. */
  readonly nextOffset: number;
  readonly offsets: Float64Array;
  /** Milliseconds since the epoch. */
  readonly timestamps: Float64Array;
  /** `keyStart[i]` is -1 for a null key; else the key is `buffer[keyStart[i], keyEnd[i])`. */
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  /** The same for values. */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** Where the header section (its varint count first) begins; read it with `readHeaders`. */
  readonly headersStart: Int32Array;
  /** What the batch occupied on the wire, for accounting. */
  readonly sizeBytes: number;
}

/** A record header. Order and duplicates matter; a null value is not an empty one. */
export interface Header {
  readonly key: string;
  readonly value: Uint8Array | null;
}
