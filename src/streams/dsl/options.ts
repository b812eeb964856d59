import type { OffsetReset } from '../topology/offset-reset.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import type { Windowed } from '../topology/windowed.ts';

/** Options of the DSL's operations: plain objects, all fields optional. A missing serde is the builder's default. */

/** Names an operation. Names of stateful ones are in topic names: give them, and topologies can change around them. */
export interface Named {
  readonly name?: string;
}

export interface TimedRecord<K, V> {
  readonly key: K;
  readonly value: V;
  /** The record's own timestamp. */
  readonly timestamp: number;
}

export interface Consumed<K, V> extends Named {
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  /** A record's time; negative drops the record. `partitionTime` is the greatest time seen in the partition. */
  readonly timestampExtractor?: (record: TimedRecord<K, V>, partitionTime: number) => number;
  /** Where to start without a committed offset. */
  readonly offsetReset?: OffsetReset;
}

/** For topics with windowed keys, as the results of windowed tables are written. `keySerde` is the inner key's. */
export interface WindowedConsumed<K, V> extends Omit<Consumed<K, V>, 'timestampExtractor'> {
  readonly windowed: WindowedKeyFormat;
}

export interface Produced<K, V> extends Named {
  /** The serde of the inner key, where keys are windowed. */
  readonly keySerde?: Serde<K extends Windowed<infer Inner> ? NonNullable<Inner> : NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  /**
   * The partition of a record; -1 is the default: by the key's hash. A list of partitions writes it to each of them; an
   * empty one drops it.
   */
  readonly partitioner?: (key: K, value: V, partitions: number) => number | readonly number[];
}

export interface Printed<K, V> {
  /** Takes each line, without the line feed: `console.log`, or a function that writes a file. */
  readonly write: (line: string) => void;
  /** Default: the name of the operation above. */
  readonly label?: string;
  /** Default: `key, value`. */
  readonly mapper?: (key: K, value: V) => string;
}

export interface Grouped<K, V> extends Named {
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
}

export interface Repartitioned<K, V> extends Named {
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  /** Default: the greatest count of the sources that feed it. */
  readonly partitions?: number;
  readonly partitioner?: (key: K, value: V, partitions: number) => number;
}

export interface Materialized<K, V> {
  /** The store's name, under which it can be queried, and part of its changelog's. */
  readonly name?: string;
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  /** How long windows are kept; at least window size + grace, which is the default. */
  readonly retentionMs?: number;
  /** False: no changelog; what it holds is lost with the disk. */
  readonly logging?: boolean;
  /** Settings of the changelog topic. */
  readonly logConfig?: Readonly<Record<string, string>>;
  /** False keeps the store in memory. */
  readonly persistent?: boolean;
  /**
   * Keeps each key's versions by their timestamps (KIP-889), not only the row that came last: a stream is joined with
   * the row as it was at the record's time, and an old record does not replace a newer row. Not for windowed tables.
   */
  readonly versioned?: Versioned;
  /** True: one change a key and commit goes downstream, not one a record. */
  readonly coalesce?: boolean;
}

export interface Versioned {
  /** How far back, from the greatest timestamp seen, versions are kept; older records come too late. */
  readonly historyRetentionMs: number;
}

export interface Joined<K, V, VO> extends Named {
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  readonly otherValueSerde?: Serde<NonNullable<VO>>;
}

export interface StreamTableJoined<K, V, VO> extends Joined<K, V, VO> {
  /**
   * How long records of the stream wait, in stream time, for changes of the table that come late (KIP-923). The table
   * must be versioned, with a history that reaches back as far.
   */
  readonly graceMs?: number;
}

export interface StreamJoined<K, V, VO> extends Joined<K, V, VO> {
  /** The beginning of the names of both window stores. */
  readonly storeName?: string;
  /** False keeps the stores in memory. */
  readonly persistent?: boolean;
  readonly logging?: boolean;
  readonly logConfig?: Readonly<Record<string, string>>;
}
