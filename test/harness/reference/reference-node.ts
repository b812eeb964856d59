/** What flows through the reference interpreter: a record, or a table's change (`old` is null where it is not sent). */
export interface Rec {
  readonly key: string | null;
  readonly value: number | null;
  readonly old: number | null;
  readonly ts: number;
  /** What a foreign-key join's own topics carry. */
  readonly foreign?: ForeignMessage;
}

export interface ForeignMessage {
  /** The key of the left row. */
  readonly primaryKey: string;
  /** The left value that the message was made for: an answer for another value is stale. */
  readonly leftValue: number | null;
  readonly instruction: 'forget' | 'forget-and-answer' | 'answer-always' | 'answer-if-present';
}

export type Sink = (record: Rec) => void;

/** A step of the topology: hands each record to its children, in the order they were added, depth first. */
export class Flow {
  readonly children: Sink[] = [];

  forward(record: Rec): void {
    for (const child of this.children) child(record);
  }
}

/** A stream; `rekeyed` when its key has changed since the last topic. */
export class StreamFlow extends Flow {
  readonly rekeyed: boolean;

  constructor(rekeyed = false) {
    super();
    this.rekeyed = rekeyed;
  }
}

export interface Stamped {
  readonly value: number;
  readonly ts: number;
}

/**
 * A table. `enableOld` asks it to send old values; false means it cannot (unless forced to keep its rows). `get` is the
 * current row, for joins: who reads it calls `makeReadable` when the topology is built.
 */
export abstract class TableFlow extends Flow {
  sendsOld = false;

  abstract enableOld(force: boolean): boolean;
  abstract makeReadable(): void;
  abstract get(key: string): Stamped | undefined;

  change(key: string, value: number | null, old: number | null, ts: number): void {
    this.forward({ key, value, old: this.sendsOld ? old : null, ts });
  }
}

/** A table with rows of its own. */
export class StoredTable extends TableFlow {
  readonly rows = new Map<string, Stamped>();

  enableOld(_force: boolean): boolean {
    this.sendsOld = true;
    return true;
  }

  makeReadable(): void {}

  get(key: string): Stamped | undefined {
    return this.rows.get(key);
  }

  put(key: string, value: number | null, ts: number): void {
    if (value === null) this.rows.delete(key);
    else this.rows.set(key, { value, ts });
  }
}

/** A table read from a topic: keeps rows only when somebody needs them. */
export class SourceTable extends StoredTable {
  #kept = false;

  override enableOld(force: boolean): boolean {
    if (!force && !this.#kept) return false;
    this.#kept = true;
    return super.enableOld(force);
  }

  override makeReadable(): void {
    this.#kept = true;
  }

  receive(record: Rec): void {
    const { key, value, ts } = record;
    if (key === null) return;
    const old = this.#kept ? (this.get(key)?.value ?? null) : null;
    if (this.#kept) this.put(key, value, ts);
    this.change(key, value, old, ts);
  }
}

/** A table computed from another, row by row, without rows of its own. */
export class ViewTable extends TableFlow {
  readonly #parent: TableFlow;
  readonly #compute: (value: number) => number | null;

  constructor(parent: TableFlow, compute: (value: number) => number | null, dropsNothings: boolean) {
    super();
    this.#parent = parent;
    this.#compute = compute;
    if (dropsNothings) this.sendsOld = parent.enableOld(false);
    parent.children.push(({ key, value, old, ts }) => {
      const now = this.#of(value);
      const before = this.sendsOld ? this.#of(old) : null;
      if (dropsNothings && this.sendsOld && now === null && before === null) return;
      this.change(key!, now, before, ts);
    });
  }

  #of(value: number | null): number | null {
    return value === null ? null : this.#compute(value);
  }

  enableOld(force: boolean): boolean {
    if (this.#parent.enableOld(force)) this.sendsOld = true;
    return this.sendsOld;
  }

  makeReadable(): void {
    this.#parent.makeReadable();
  }

  get(key: string): Stamped | undefined {
    const row = this.#parent.get(key);
    const value = row === undefined ? null : this.#compute(row.value);
    return value === null ? undefined : { value, ts: row!.ts };
  }
}
