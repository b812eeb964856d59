import { DataError } from '../common/error.ts';
import { civilOf } from '../types/temporal.ts';
import { cachedByText } from './cached-by-text.ts';
import { quotedText } from './quoted-text.ts';
import { resolveDate, resolveDateTime, resolveTime, type TimeFields } from './time-fields.ts';
import {
  DATE_LETTERS,
  letterPart,
  TIME_LETTERS,
  ZONE_LETTERS,
  type LocalTime,
  type PatternPart,
} from './time-letters.ts';
import type { TimeZone } from './time-zone.ts';

/**
 * Patterns in the language of java.time's `DateTimeFormatter` (`yyyy-MM-dd'T'HH:mm:ss.SSSX`), for English: compiled once, then
 * used to print and to read. Reading is without regard to case.
 */

export interface TimePattern {
  /** Whether it has letters that need a date, a time of day, or a zone. */
  readonly hasDate: boolean;
  readonly hasTime: boolean;
  readonly hasZone: boolean;
  /** The text of an instant in a zone. */
  format(epochMs: number, zone: TimeZone): string;
  /**
   * Reads a text. Throws `DataError` when it does not follow the pattern. Fields that the pattern lacks are those of
   * 1970-01-01T00:00.
   */
  parse(text: string): ParsedTime;
  /** Reads a text that holds a whole date, as days since 1970-01-01. Throws `DataError`. */
  parseDate(text: string): number;
  /** Reads a text that holds a time of day, as milliseconds. Throws `DataError` when it has no hour. */
  parseTime(text: string): number;
}

export interface ParsedTime {
  /** Milliseconds since 1970-01-01T00:00 of the local time that was written. */
  readonly localMs: number;
  /** The zone that was written, if any. */
  readonly zone: TimeZone | undefined;
}

const DAY_MS = 86_400_000;

/** Compiles a pattern, or gives it from the cache. Throws `DataError` for a pattern that is none. */
export const openTimePattern: (pattern: string) => TimePattern = cachedByText(compile);

function compile(pattern: string): TimePattern {
  const letters = new Set<string>();
  const stack: PatternPart[][] = [[]];
  let at = 0;
  // How wide the next letters are to be made, by letters p before them.
  let width = 0;
  while (at < pattern.length) {
    const character = pattern[at]!;
    if (width > 0 && !/[A-Za-z]/.test(character)) break;
    const parts = stack.at(-1)!;
    if (character === "'") {
      const { text, next } = quotedText(pattern, at, 'time');
      parts.push(literal(text));
      at = next;
    } else if (character === '[') {
      stack.push([]);
      at++;
    } else if (character === ']') {
      if (stack.length === 1)
        throw new DataError(`the time pattern ${pattern} closes a bracket that is not open`);
      stack.pop();
      stack.at(-1)!.push(optional(parts));
      at++;
    } else if (/[A-Za-z]/.test(character)) {
      let end = at;
      while (pattern[end] === character) end++;
      if (character === 'p') {
        width = end - at;
        at = end;
        continue;
      }
      letters.add(character);
      const part = letterPart(character, end - at, pattern);
      parts.push(width === 0 ? part : padded(part, width));
      width = 0;
      at = end;
    } else if (character === '{' || character === '}' || character === '#') {
      throw new DataError(`the time pattern ${pattern} has the reserved character ${character}`);
    } else {
      parts.push(literal(character));
      at++;
    }
  }
  if (width > 0) throw new DataError(`the time pattern ${pattern} has letters p without others after them`);
  // Brackets left open close at the end, as in Java.
  while (stack.length > 1) {
    const parts = stack.pop()!;
    stack.at(-1)!.push(optional(parts));
  }
  const parts = stack[0]!;
  const read = (text: string): TimeFields => {
    const fields: TimeFields = {};
    if (readAll(parts, text, 0, fields) !== text.length)
      throw new DataError(`${JSON.stringify(text.slice(0, 60))} does not follow the time pattern ${pattern}`);
    return fields;
  };
  const has = (group: string): boolean => [...letters].some((letter) => group.includes(letter));
  return {
    hasDate: has(DATE_LETTERS),
    hasTime: has(TIME_LETTERS),
    hasZone: has(ZONE_LETTERS),
    format: (epochMs, zone) => printAll(parts, localOf(epochMs, zone)),
    parse(text) {
      const fields = read(text);
      return { localMs: resolveDateTime(fields, text), zone: fields.zone };
    },
    parseDate: (text) => resolveDate(read(text), text),
    parseTime: (text) => resolveTime(read(text), text),
  };
}

function localOf(epochMs: number, zone: TimeZone): LocalTime {
  const localMs = epochMs + zone.offsetAt(epochMs);
  const days = Math.floor(localMs / DAY_MS);
  const { year, month, day } = civilOf(days);
  return { year, month, day, days, millis: localMs - days * DAY_MS, epochMs, zone };
}

function printAll(parts: readonly PatternPart[], local: LocalTime): string {
  let text = '';
  for (const part of parts) text += part.print(local);
  return text;
}

function readAll(parts: readonly PatternPart[], text: string, start: number, fields: TimeFields): number {
  let at = start;
  for (let i = 0; i < parts.length && at >= 0; i++) {
    let reserved = 0;
    if (parts[i]!.greedy === true)
      for (let j = i + 1; parts[j]?.width !== undefined; j++) reserved += parts[j]!.width!;
    at = parts[i]!.read(text, at, fields, reserved);
  }
  return at;
}

function literal(expected: string): PatternPart {
  const lower = expected.toLowerCase();
  return {
    print: () => expected,
    read: (text, at) =>
      text.slice(at, at + expected.length).toLowerCase() === lower ? at + expected.length : -1,
  };
}

/** Filled up on the left with blanks, and read without them. */
function padded(part: PatternPart, width: number): PatternPart {
  return {
    print(local) {
      const text = part.print(local);
      if (text.length > width) throw new DataError(`${text} is wider than the ${width} places it has`);
      return text.padStart(width);
    },
    read(text, at, fields) {
      const end = at + width;
      if (end > text.length) return -1;
      let start = at;
      while (start < end && text[start] === ' ') start++;
      return part.read(text.slice(0, end), start, fields, 0) === end ? end : -1;
    },
  };
}

function optional(parts: readonly PatternPart[]): PatternPart {
  return {
    print: (local) => printAll(parts, local),
    read(text, at, fields) {
      const tried: TimeFields = { ...fields };
      const end = readAll(parts, text, at, tried);
      if (end < 0) return at;
      Object.assign(fields, tried);
      return end;
    },
  };
}
