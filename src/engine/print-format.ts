import { doubleText } from '../types/double-text.ts';

/**
 * What bytes may be, as PRINT tells: formats leave no mark on records, so every format that can read all that was seen
 * stays possible, and the first of them shows the bytes. Formats that were ruled out come back only when a record fits
 * none of the rest: the topic is mixed then.
 */
export class FormatGuess {
  readonly #formats: readonly GuessedFormat[];
  #possible: readonly GuessedFormat[];
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
  #names(formats: readonly GuessedFormat[]): string {
    const plain = formats.filter((format) => PLAIN.includes(format));
    return (plain.length > 0 ? plain : formats).map((format) => format.name).join(' or ');
  }
}

interface GuessedFormat {
  readonly name: string;
  /** Null: the bytes are nothing of this format. */
  print(bytes: Buffer): string | null;
}

const json: GuessedFormat = {
  name: 'JSON',
  print(bytes) {
    const text = textOf(bytes);
    if (text === null) return null;
    try {
      JSON.parse(text);
      return text;
    } catch {
      return null;
    }
  },
};

const string: GuessedFormat = { name: 'KAFKA_STRING', print: textOf };

const integer: GuessedFormat = {
  name: 'KAFKA_INT',
  print: (bytes) => (bytes.length === 4 ? String(bytes.readInt32BE(0)) : null),
};

/** Eight bytes: a whole number, unless it would be one that nobody counts to. */
const long: GuessedFormat = {
  name: 'KAFKA_BIGINT or KAFKA_DOUBLE',
  print(bytes) {
    if (bytes.length !== 8) return null;
    const whole = bytes.readBigInt64BE(0);
    return whole === BigInt.asIntN(54, whole) ? String(whole) : doubleText(bytes.readDoubleBE(0));
  },
};

const PLAIN: readonly GuessedFormat[] = [json, string, integer, long];

/** Times before the year 2200: more than that is no window bound. */
const TIME_MAX = 7_258_118_400_000n;

function timeWindowed(inner: GuessedFormat): GuessedFormat {
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

function sessionWindowed(inner: GuessedFormat): GuessedFormat {
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

function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) && !hasControls(text) ? text : null;
}

/** Text, or hexadecimal digits. */
export function bytesText(bytes: Buffer): string {
  return textOf(bytes) ?? hexadecimal(bytes);
}

function hexadecimal(bytes: Buffer): string {
  return `0x${bytes.toString('hex')}`;
}

/** Control characters other than tab and line ends: the bytes are no text. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 127 && code < 160)) return true;
  }
  return false;
}
