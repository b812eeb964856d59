import { ByteWriter, EMPTY_BYTES } from '../../common/bytes.ts';
import type { Serde } from './serde.ts';

/**
 * The key of the record in flight: a cursor, not a value. Its bytes and its decoded value are each made at most
 * once, when they are asked for; most operators need neither. One object a source or key-changing operator, so it
 * is valid during the call only: to keep a key, copy its bytes or take its `value`.
 *
 * A windowed key is the inner key with a window: bytes and value are the inner key's.
 */
export class RecordKey<K = unknown> {
  /** False for the null key, which has neither bytes nor value. */
  present = false;
  /** Window bounds in milliseconds; `windowStart` is -1 when the key is not windowed. */
  windowStart = -1;
  windowEnd = -1;
  /** The serde of the key. */
  serde: Serde<K>;

  #buffer: Uint8Array = EMPTY_BYTES;
  #start = 0;
  #end = 0;
  #hasBytes = false;
  #hasValue = false;
  #value: K | null = null;
  #writer: ByteWriter | null = null;

  constructor(serde: Serde<K>) {
    this.serde = serde;
  }

  /** Points at key bytes in a batch. `start` below 0 is the null key. */
  setBytes(buffer: Uint8Array, start: number, end: number): void {
    this.present = start >= 0;
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
    this.#hasBytes = true;
    this.#hasValue = false;
    this.windowStart = -1;
    this.windowEnd = -1;
  }

  /** Holds a new key; null is the null key. */
  setValue(value: K | null): void {
    this.present = value !== null && value !== undefined;
    this.#value = value;
    this.#hasValue = true;
    this.#hasBytes = false;
    this.windowStart = -1;
    this.windowEnd = -1;
  }

  /** The same inner key as `other`, in a window. Shares the bytes of `other` for the rest of the call. */
  setWindowed(other: RecordKey<K>, windowStart: number, windowEnd: number): void {
    this.present = other.present;
    if (other.present) {
      this.#buffer = other.buffer;
      this.#start = other.start;
      this.#end = other.end;
      this.#hasBytes = true;
      this.#hasValue = other.#hasValue;
      this.#value = other.#value;
    }
    this.serde = other.serde;
    this.windowStart = windowStart;
    this.windowEnd = windowEnd;
  }

  get windowed(): boolean {
    return this.windowStart >= 0;
  }

  /** The decoded inner key, null for the null key. Throws `DataError` when the bytes cannot be read. */
  get value(): K | null {
    if (!this.present) return null;
    if (!this.#hasValue) {
      this.#value = this.serde.deserialize(this.#buffer, this.#start, this.#end);
      this.#hasValue = true;
    }
    return this.#value;
  }

  /** The buffer that holds the inner key's bytes at `[start, end)`. Only for a key that is present. */
  get buffer(): Uint8Array {
    if (!this.#hasBytes) this.#encode();
    return this.#buffer;
  }

  get start(): number {
    if (!this.#hasBytes) this.#encode();
    return this.#start;
  }

  get end(): number {
    if (!this.#hasBytes) this.#encode();
    return this.#end;
  }

  #encode(): void {
    const writer = (this.#writer ??= new ByteWriter(64));
    writer.length = 0;
    this.serde.serialize(this.#value as K, writer);
    this.#buffer = writer.buffer;
    this.#start = 0;
    this.#end = writer.length;
    this.#hasBytes = true;
  }
}
