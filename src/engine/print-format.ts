import { type BytesGuess, readableText } from '../formats/bytes-guess.ts';
import { FORMATS } from '../formats/every-format.ts';

/**
 * What bytes may be, as PRINT tells: formats leave no mark on records, so every format that can read all that was seen
 * stays possible, and the first of them shows the bytes. Formats that were ruled out come back only when a record fits
 * none of the rest: the topic is mixed then.
 */
export class FormatGuess {
  readonly #formats: readonly BytesGuess[];
  #possible: readonly BytesGuess[];
  #isNew = true;
  #isMixed = false;

  /** Record keys may have a window behind them. */
  constructor(side: 'key' | 'value') {
    this.#formats =
      side === 'key' ? [...PLAIN, ...PLAIN.map(timeWindowed), ...PLAIN.map(sessionWindowed)] : PLAIN;
    this.#possible = this.#formats;
  }

  /** Text where the bytes are text, the number that they are, or their hexadecimal digits. */
  print(bytes: Buffer): string {
    let fitting = this.#possible.filter((format) => format.print(bytes) !== null);
    if (fitting.length === 0) {
      this.#isMixed = true;
      fitting = this.#formats.filter((format) => format.print(bytes) !== null);
    }
    // Bytes of no format say nothing about the others.
    if (fitting.length === 0) return hexadecimal(bytes);
    if (this.#names(fitting) !== this.#names(this.#possible)) this.#isNew = true;
    this.#possible = fitting;
    return fitting[0]!.print(bytes)!;
  }

  /** `JSON or KAFKA_STRING` when it is not what it was when this was last asked, else null. */
  news(): string | null {
    if (!this.#isNew || this.#possible.length === this.#formats.length) return null;
    this.#isNew = false;
    return `${this.#names(this.#possible)}${this.#isMixed ? ' (mixed)' : ''}`;
  }

  /** A windowed reading is named only where no plain one is left: any text could be one. */
  #names(formats: readonly BytesGuess[]): string {
    const plain = formats.filter((format) => PLAIN.includes(format));
    return (plain.length > 0 ? plain : formats).map((format) => format.name).join(' or ');
  }
}

const PLAIN: readonly BytesGuess[] = FORMATS.flatMap((format) => format.guesses);

/** Times before the year 2200: more than that is no window bound. */
const TIME_MAX = 7_258_118_400_000n;

function timeWindowed(inner: BytesGuess): BytesGuess {
  return {
    name: `TIME_WINDOWED(${inner.name})`,
    print(bytes) {
      if (bytes.length <= 8) return null;
      const start = bytes.readBigInt64BE(bytes.length - 8);
      if (start < 0n || start > TIME_MAX) return null;
      const key = inner.print(bytes.subarray(0, -8));
      return key === null ? null : `[${key}@${start}/-]`;
    },
  };
}

function sessionWindowed(inner: BytesGuess): BytesGuess {
  return {
    name: `SESSION_WINDOWED(${inner.name})`,
    print(bytes) {
      if (bytes.length <= 16) return null;
      const start = bytes.readBigInt64BE(bytes.length - 8);
      const end = bytes.readBigInt64BE(bytes.length - 16);
      if (start < 0n || end < start || end > TIME_MAX) return null;
      const key = inner.print(bytes.subarray(0, -16));
      return key === null ? null : `[${key}@${start}/${end}]`;
    },
  };
}

/** Text, or hexadecimal digits. */
export function bytesText(bytes: Buffer): string {
  return readableText(bytes) ?? hexadecimal(bytes);
}

function hexadecimal(bytes: Buffer): string {
  return `0x${bytes.toString('hex')}`;
}
