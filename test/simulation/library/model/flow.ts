import type { Value } from '../case-functions.ts';
import type { TextHeader } from '../case.ts';

export interface WindowedKey {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly session: boolean;
}

export type Key = string | WindowedKey;

/** A record, or a change of a table. */
export interface Rec {
  readonly key: Key | null;
  readonly value: Value | null;
  readonly ts: number;
  readonly headers: readonly TextHeader[];
  /** Of changes: the row before, where it is sent. */
  readonly old?: Value | null;
  /** A change that is not its key's newest version. */
  readonly late?: boolean;
}

export type Sink = (record: Rec) => void;

/** What runs in one task: nodes that are not parted by a topic. */
export class Group {
  #parent: Group | null = null;

  get root(): Group {
    return this.#parent === null ? this : this.#parent.root;
  }

  unite(other: Group): void {
    if (this.root !== other.root) other.root.#parent = this.root;
  }
}

/** What comes out of an operation, handed to each child in the order in which they were added, depth first. */
export class Flow {
  readonly children: Sink[] = [];
  readonly group: Group;
  readonly partitions: number;
  readonly rekeyed: boolean;

  constructor(group: Group, partitions: number, rekeyed = false) {
    this.group = group;
    this.partitions = partitions;
    this.rekeyed = rekeyed;
  }

  forward(record: Rec): void {
    for (const child of this.children) child(record);
  }
}

export interface Row {
  readonly value: Value;
  readonly ts: number;
}

/** A table: `get` is its row as it is now, `getAsOf` as it was, where it knows its history. */
export abstract class Table extends Flow {
  sendsOld = false;
  abstract readonly history: boolean;
  abstract get(key: Key): Row | null;
  abstract getAsOf(key: Key, ts: number): Row | null;
  /** Asks for old values. One that keeps no rows declines, unless it is forced to keep them. */
  abstract enableOld(force: boolean): boolean;
  abstract makeReadable(): void;

  change(record: Rec, value: Value | null, old: Value | null, ts: number, late = false): void {
    const { key, headers } = record;
    this.forward({ key, value, ts, headers, late, ...(this.sendsOld && { old }) });
  }
}

export function idOf(key: Key): string {
  return typeof key === 'string' ? key : `${key.key}\u0001${key.start}\u0001${key.end}`;
}

/** The bytes that decide about the order of keys. */
export function bytesOf(key: Key): Buffer {
  if (typeof key === 'string') return Buffer.from(key);
  const suffix = Buffer.alloc(key.session ? 16 : 8);
  if (key.session) suffix.writeBigInt64BE(BigInt(key.end));
  suffix.writeBigInt64BE(BigInt(key.start), suffix.length - 8);
  return Buffer.concat([Buffer.from(key.key), suffix]);
}

export function compareKeys(a: Key, b: Key): number {
  return Buffer.compare(bytesOf(a), bytesOf(b));
}
