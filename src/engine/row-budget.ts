import { Decimal } from '../types/decimal.ts';
import type { Row, SqlValue } from '../types/value.ts';

const MIB = 1024 * 1024;
/** Bytes that a query may always keep for its client, so that each goes on when others have taken everything. */
const CLIENT_BYTES_MIN = 64 * 1024;

export const CLIENT_BYTES_MAX = MIB / 2;
export const TOTAL_BYTES_MAX = 256 * MIB;

/** The memory of an engine for rows that clients have not taken yet: so much a client, and so much all together. */
export class RowBudget {
  readonly #clientBytesMax: number;
  readonly #totalBytesMax: number;
  /** Bytes kept for all clients together. */
  usedBytes = 0;

  constructor(clientBytesMax = CLIENT_BYTES_MAX, totalBytesMax = TOTAL_BYTES_MAX) {
    this.#clientBytesMax = clientBytesMax;
    this.#totalBytesMax = totalBytesMax;
  }

  /** How much may wait for one client now. */
  get clientBytes(): number {
    return this.usedBytes < this.#totalBytesMax
      ? this.#clientBytesMax
      : Math.min(CLIENT_BYTES_MIN, this.#clientBytesMax);
  }
}

/** What a row takes in memory at most, in bytes: an estimate, which counts two bytes a character. */
export function rowBytes(row: Row): number {
  let bytes = 32;
  for (let i = 0; i < row.length; i++) bytes += valueBytes(row[i]!);
  return bytes;
}

function valueBytes(value: SqlValue): number {
  if (typeof value === 'string') return 32 + 2 * value.length;
  if (typeof value !== 'object' || value === null) return 16;
  if (value instanceof Uint8Array) return 96 + value.length;
  if (value instanceof Decimal) return 64;
  let bytes = 64;
  if (value instanceof Map) {
    for (const [key, each] of value as ReadonlyMap<SqlValue, SqlValue>)
      bytes += 32 + valueBytes(key) + valueBytes(each);
    return bytes;
  }
  const elements = value as readonly SqlValue[];
  for (let i = 0; i < elements.length; i++) bytes += valueBytes(elements[i]!);
  return bytes;
}
