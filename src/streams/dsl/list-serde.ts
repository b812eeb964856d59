import { ByteWriter } from '../../common/bytes.ts';
import { DataError } from '../../common/error.ts';
import { shown } from '../topology/record-time.ts';
import type { Serde } from '../topology/serde.ts';

/** How Kafka's ListSerializer lays entries out; the first byte says which. */
const CONSTANT_SIZE = 0;
const VARIABLE_SIZE = 1;
const NULL_SIZE = -1;

/**
 * Lists of what `entries` writes, in the bytes of Kafka's ListSerializer (KIP-466), null entries included. Entries whose
 * serde has a `sizeBytes`: [0][nulls i32][index of each null i32]…[count i32][entry]…; others:
 * [1][count i32]([size i32][entry])…, with size -1 for null.
 */
export function listSerde<T>(entries: Serde<NonNullable<T>>): Serde<readonly T[]> {
  const { sizeBytes } = entries;
  const scratch = new ByteWriter(64);
  const check = (list: readonly T[]): void => {
    if (!Array.isArray(list)) throw new DataError(`${shown(list)} is not a list`);
  };
  return {
    check,
    serialize(list, writer) {
      check(list);
      writer.writeByte(sizeBytes === undefined ? VARIABLE_SIZE : CONSTANT_SIZE);
      if (sizeBytes !== undefined) {
        const nulls = [...list.keys()].filter((i) => list[i] === null);
        writer.writeInt32(nulls.length);
        for (const i of nulls) writer.writeInt32(i);
      }
      writer.writeInt32(list.length);
      for (const entry of list) {
        if (sizeBytes !== undefined) {
          if (entry !== null) entries.serialize(entry as NonNullable<T>, writer);
          continue;
        }
        scratch.length = 0;
        if (entry !== null) entries.serialize(entry as NonNullable<T>, scratch);
        writer.writeInt32(entry === null ? NULL_SIZE : scratch.length);
        writer.writeBytes(scratch.buffer, 0, scratch.length);
      }
    },
    deserialize: (bytes, start, end) => new ListReader(bytes as Buffer, start, end).read(entries),
  };
}

class ListReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  read<T>(entries: Serde<NonNullable<T>>): T[] {
    const strategy = this.#bytes[this.#take(1)];
    if (strategy !== CONSTANT_SIZE && strategy !== VARIABLE_SIZE)
      throw new DataError(`a list begins with 0 or 1, not ${strategy}`);
    const { sizeBytes } = entries;
    if (strategy === CONSTANT_SIZE && sizeBytes === undefined)
      throw new DataError('a list has entries of one size, which its serde does not know');
    const nulls = new Set<number>();
    if (strategy === CONSTANT_SIZE) for (let left = this.#int(); left > 0; left--) nulls.add(this.#int());
    const list: T[] = [];
    for (let left = this.#int(); left > 0; left--) {
      const isNull = nulls.has(list.length);
      const size = strategy === CONSTANT_SIZE ? (isNull ? NULL_SIZE : sizeBytes!) : this.#int();
      if (size === NULL_SIZE) list.push(null as T);
      else {
        const start = this.#take(size);
        list.push(entries.deserialize(this.#bytes, start, start + size));
      }
    }
    if (this.#at !== this.#end) throw new DataError('a list is followed by bytes that are not its own');
    return list;
  }

  #int(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** Where the next `size` bytes begin. */
  #take(size: number): number {
    const start = this.#at;
    if (size < 0 || start + size > this.#end) throw new DataError('a list ends early');
    this.#at = start + size;
    return start;
  }
}
