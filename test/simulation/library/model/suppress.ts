import { textOf, type Value } from '../case-functions.ts';
import type { Op, TextHeader, ValueType } from '../case.ts';
import { bytesOf, compareKeys, idOf, type Key, type Rec, type Row, Table } from './flow.ts';

interface Held {
  /** When the first change of the key came: its place in the queue. */
  readonly time: number;
  readonly key: Key;
  readonly value: Value | null;
  readonly old: Value | null;
  /** The row before the first change that is held, which readers still see. */
  readonly prior: Value | null;
  readonly ts: number;
  readonly headers: readonly TextHeader[];
}

/** A table whose changes are held back: until the windows close, or for a time, while there is room. */
export class HeldTable extends Table {
  readonly history = false;
  readonly closesAfter: number;
  readonly #parent: Table;
  #held: Held[] = [];
  #streamTime = -1;

  constructor(op: Op, parent: Table, closesAfter: number, isUntilClose: boolean) {
    super(parent.group, parent.partitions);
    this.#parent = parent;
    this.closesAfter = closesAfter;
    parent.enableOld(true);
    parent.children.push((record) => {
      this.#streamTime = Math.max(this.#streamTime, record.ts);
      this.#hold(record, isUntilClose);
      const waits = isUntilClose ? closesAfter : op.wait!;
      this.#release(isUntilClose, (first) => first.time <= this.#streamTime - waits);
      this.#release(isUntilClose, () => this.#isFull(op));
    });
  }

  #isFull({ recordsMax = Infinity, bytesMax = Infinity, type }: Op): boolean {
    const bytes = this.#held.reduce((sum, each) => sum + sizeOf(each, type), 0);
    return this.#held.length > recordsMax || bytes > bytesMax;
  }

  #hold({ key, value, old = null, ts, headers }: Rec, isUntilClose: boolean): void {
    const before = this.#held.find((each) => idOf(each.key) === idOf(key!));
    const time = before?.time ?? (isUntilClose && typeof key !== 'string' ? key!.end : ts);
    const prior = before === undefined ? old : before.prior;
    this.#held = this.#held.filter((each) => each !== before);
    this.#held.push({ time, key: key!, value, old, prior, ts, headers });
    this.#held.sort((a, b) => a.time - b.time || compareKeys(a.key, b.key));
  }

  #release(isUntilClose: boolean, isDue: (first: Held) => boolean): void {
    while (this.#held.length > 0 && isDue(this.#held[0]!)) {
      const { key, value, old, ts, headers } = this.#held[0]!;
      if (value !== null || !isUntilClose)
        this.forward({ key, value, ts, headers, ...(this.sendsOld && { old }) });
      this.#held.shift();
    }
  }

  enableOld(force: boolean): boolean {
    this.sendsOld = this.#parent.enableOld(force);
    return this.sendsOld;
  }

  makeReadable(): void {
    this.#parent.makeReadable();
  }

  get(key: Key): Row | null {
    const held = this.#held.find((each) => idOf(each.key) === idOf(key));
    if (held === undefined) return this.#parent.get(key);
    return held.prior === null ? null : { value: held.prior, ts: held.ts };
  }

  getAsOf(): Row | null {
    throw new Error('what is held back has no history');
  }
}

/** Of key and time, of the values that are kept, and of the headers. */
function sizeOf({ key, value, old, prior, headers }: Held, type: ValueType): number {
  const valueBytes = (each: Value | null): number =>
    each === null ? 0 : type === 'long' ? 8 : Buffer.byteLength(textOf(each));
  const kept = [value, old, prior].reduce<number>((sum, each) => sum + valueBytes(each), 0);
  const names = headers.reduce((sum, [name, text]) => sum + Buffer.byteLength(name + (text ?? '')), 0);
  return 8 + bytesOf(key).length + kept + names;
}
